#pragma once

#include <vector>

#include "sim/app/rule_properties.hpp"

namespace souk::scenario {
class PythonAttack;
}

namespace souk {

/// What every attack on updates must do, tried in a small federation on built-in images: nothing at random, the same
/// bits on 1, 2 and 3 ranks (threads), the same after saving, loading and going on elsewhere, nothing changed of what
/// others train, and answers at every level of knowledge, or a sentence that says which it needs, alone and in a group.
std::vector<PropertyResult> properties_of(const scenario::PythonAttack& attack);

}  // namespace souk
