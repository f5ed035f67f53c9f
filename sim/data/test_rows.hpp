#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace souk {

/// Which samples are taken for testing where a data set names no test samples: `share` of them, drawn by the seed, at
/// least one. Of a class whose samples would all be taken, the first one drawn stays for training, and the next of a
/// class that can spare one is taken instead. `labels`: [samples]
/// classes from 0. Throws InputError, naming `path`, where nothing can be taken.
std::vector<bool> draw_test_rows(std::span<const std::int32_t> labels, double share, std::uint64_t seed,
                                 const std::string& path);

}  // namespace souk
