#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace souk {

/// Token numbers that stand for no word of the vocabulary.
inline constexpr std::size_t padding_token = 0, unknown_token = 1, first_word_token = 2;

/// The words of a text in their order: runs of letters, digits and apostrophes, in lower case, without the apostrophes
/// at their ends. Bytes beyond ASCII are letters and stay as they are, so that UTF-8 and Latin-1 need not be told
/// apart and no locale has a say.
std::vector<std::string> words_of(std::string_view text);

/// Which words are known.
struct VocabularyLimits {
  std::size_t words = 10000;    ///< at most so many, the most frequent; where equal, the first by their bytes
  std::size_t occurrences = 2;  ///< at least so often
};

/// Words and their token numbers: from 2, by falling frequency.
class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(std::span<const std::string_view> texts, const VocabularyLimits& limits);
  /// Token numbers in all, those of padding and unknown words included.
  std::size_t tokens() const { return first_word_token + numbers_.size(); }
  /// Its number, or that of unknown words.
  std::size_t token(const std::string& word) const;
  /// The text's tokens, cut off at the end of the row or followed by padding.
  void write(std::string_view text, std::span<float> row) const;

 private:
  std::unordered_map<std::string, std::size_t> numbers_;  ///< only looked up: its order matters to nothing
};

}  // namespace souk
