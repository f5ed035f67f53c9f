#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace souk {

struct ImageShape {
  std::size_t channels = 0, height = 0, width = 0;  ///< channels: 1 grey, 3 red, green and blue
};

/// Shape of a PNG or JPEG image from its header; palettes count as colour, transparency is ignored. Throws InputError
/// naming `path` for anything else and for more than 2^24 pixels.
ImageShape image_shape(std::span<const std::uint8_t> content, const std::string& path);

/// Decodes into out [channels, height, width]: 16-bit samples are cut to 8, transparency is dropped, a grey image fills
/// three channels if `expected` has three. Throws InputError naming `path` for damaged content and for another shape.
void decode_image(std::span<const std::uint8_t> content, const std::string& path, const ImageShape& expected,
                  std::span<std::uint8_t> out);

}  // namespace souk
