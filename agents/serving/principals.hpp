#pragma once

#include <vector>

#include "agents/cast/federation.hpp"
#include "sim/serve/session.hpp"

namespace souk::scenario {
class Service;
}

namespace souk {

/// Who may ask the service, and on what terms; without any in the scenario, one with what a user may do. Throws
/// InputError naming the field.
std::vector<PrincipalTerms> principals_of(const scenario::Service& service, const Federation& federation);

}  // namespace souk
