#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// What the formats of tables share.

/// Fields of a row, what `field` says of each, with the separator between them.
std::string line_of(const std::vector<std::string>& row, std::string_view separator,
                    const std::function<std::string(std::size_t)>& field);

/// `text` with `instead` wherever `what` stood.
std::string replaced(std::string text, std::string_view what, std::string_view instead);

/// `text` with every character replaced for which there is a replacement, which is not empty.
std::string escaped(const std::string& text, const std::function<std::string_view(char)>& replacement);

}  // namespace souk
