#pragma once

// What most sources include, read once for all of them. Sources still include what they use: builds without precompiled
// headers (-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON) compile them from nothing.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
