#pragma once

#include <cstddef>

namespace souk {

/// Of the labels of a dataset: more are no classes, but another column taken for them.
inline constexpr std::size_t classes_max = 65536;

}  // namespace souk
