#pragma once

#include <nlohmann/json.hpp>

#include ".ci/cmake/precompiled/standard.hpp"
