#pragma once

// For folders of plug-ins, each of which includes one part of the schema: protobuf's own headers, by way of the part
// that hardly changes. A new field of one plug-in then compiles that plug-in alone.

#include ".ci/cmake/precompiled/standard.hpp"
#include "scenarios/options.pb.h"
