#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/report/figure.hpp"

namespace souk {

/// A figure with its choices made, as it is printed.
struct FigureState {
  std::map<std::string, std::string> chosen;  ///< value by parameter of the specification
  /// Of its files: id, metric, what the lines are, and where the rest stands, as
  /// "curves-accuracy-by-rule-attack-min_max-share-0.3". Letters, digits and "._+-".
  std::string name;
  std::string words;  ///< "min_max, share 0.3": the place, for a reader; may be empty
};

/// The states of a figure that are worth a file, each under a name of its own: every metric, at every place of rule,
/// attack and axes of which the data have a value; lines of every dimension where there are two lines or more, or of
/// the first where there never are. Of statistics the mean and the worst, of bands the intervals. In the order of the
/// data.
std::vector<FigureState> states_of(const Figure& figure);

/// A state's specification with its data, and with no others: nothing is left to choose. Ends with a line feed.
std::string standalone_spec(const Figure& figure, const FigureState& state);

}  // namespace souk
