#pragma once

#include <cstddef>
#include <string_view>

namespace souk {

/// n over k as a double; infinity where it is too large.
double subsets(std::size_t n, std::size_t k);

/// Throws InputError where `count` exceeds `most`: "aggregator.mda.max_subsets = …: …".
void require_few_subsets(std::string_view rule, double count, double most);

}  // namespace souk
