#pragma once

#include <string>
#include <vector>

namespace souk {

namespace scenario {
class Scenario;
}

/// Sentences about settings that cost a run many times what a setting costs that does nearly as well; none where there
/// is nothing to say.
std::vector<std::string> advice_on_cost(const scenario::Scenario& scenario);

}  // namespace souk
