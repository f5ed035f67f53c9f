#pragma once

#include <nlohmann/json.hpp>

#include "precompiled/standard.hpp"
