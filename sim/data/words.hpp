#pragma once

#include <cstddef>
#include <string_view>

namespace souk {

/// Without the blanks and tabs around it.
std::string_view trimmed(std::string_view text);
/// What stands between blanks.
std::size_t count_words(std::string_view text);

}  // namespace souk
