#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/report/study.hpp"
#include "analysis/report/vega.hpp"

namespace souk::vega {

/// What the runs of a study differ in, seeds aside.
struct Dimension {
  std::string field;                ///< of figures' data: rule, attack, axis1, axis2, …
  std::string name;                 ///< rule, attack, or that of the axis
  std::vector<std::string> values;  ///< two or more, in the grid's order; of a figure's own one or more
};

/// Rule, attack and the axes that have several values, in this order, without the axis numbered `except`.
std::vector<Dimension> dimensions_of(const Study& study, std::size_t except = std::string::npos);

/// Makes the lines of a figure the values of one dimension: rules, attacks, or any axis, as the reader chooses by
/// parameter `lines`. The others have a choice of their value each, which is without effect where the lines are that
/// dimension. Every row gets its line as field `line`. Of a study with one dimension these are the lines; without any
/// there is one line, the rule. `except` is the axis that is drawn along. `own` is a dimension of the figure, of one
/// value or more, that comes before those of the study: the lines as long as the reader chooses no others.
void choose_lines(Json& spec, const Study& study, std::size_t except = std::string::npos,
                  const Dimension* own = nullptr);

/// Colours by line, with a legend that writes long decimal numbers with four digits.
void colour_by_line(Json& encoding, const Study& study, std::size_t except = std::string::npos,
                    const Dimension* own = nullptr);

}  // namespace souk::vega
