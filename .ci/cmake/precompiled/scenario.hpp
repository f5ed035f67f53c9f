#pragma once

// For folders whose sources read whole scenarios.

#include ".ci/cmake/precompiled/standard.hpp"
#include "scenarios/scenario.pb.h"
