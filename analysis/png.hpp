#pragma once

#include <string>

#include "sim/engine/round_record.hpp"

namespace souk {

/// The picture as a file in PNG format: 8 bits of grey, or of red, green and blue. Contract: it has 1 or 3 channels.
std::string png_of(const PictureRow& picture);

}  // namespace souk
