#pragma once

// For folders whose sources read whole scenarios.

#include "precompiled/standard.hpp"
#include "scenarios/scenario.pb.h"
