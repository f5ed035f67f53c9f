#pragma once

#include <string>
#include <vector>

namespace souk {

using TextRow = std::vector<std::string>;

/// Prints rows on standard output, columns aligned at the left and two spaces apart. Rows may differ in length.
void print_table(const std::vector<TextRow>& rows);

}  // namespace souk
