#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// The characters of LEAF's Shakespeare (utils/language_utils.py), in its order: its classes.
inline constexpr std::string_view leaf_characters =
    "\n !\"&'(),-.0123456789:;>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]abcdefghijklmnopqrstuvwxyz}";

/// What one user of a LEAF file holds.
struct LeafUser {
  std::string name;
  std::vector<float> x;             ///< [samples, width] numbers; of texts, 2 + place in leaf_characters, 1 if in none
  std::vector<std::string> labels;  ///< [samples] as written: a number, or the character that follows
};

/// The users of LEAF's JSON files.
struct LeafUsers {
  std::vector<LeafUser> users;  ///< file by file, in the order of "user_data"
  std::size_t width = 0;        ///< values of a sample
  bool texts = false;           ///< whether samples are strings of characters
  std::size_t samples() const;
};

/// Reads a file, or all .json files of a directory in ascending order of their names, gzip-compressed or not, as
/// streams. Throws InputError for what is no JSON (with its place), misses "user_data", "x" or "y", names a user twice,
/// has samples of different sizes, or other samples than "num_samples" says.
LeafUsers read_leaf(const std::string& path);

}  // namespace souk
