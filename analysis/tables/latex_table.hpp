#pragma once

#include <string>

#include "analysis/tables/result_table.hpp"

namespace souk {

/// The table as a paper has it, for the package booktabs: columns about the same runs once, numbers of labels short
/// where they stay different, and, where the columns are of several quantities, a line of headings for each, with one
/// heading above the columns that share a value. Title and notes are comments.
std::string latex_of(const ResultTable& table);

}  // namespace souk
