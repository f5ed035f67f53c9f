#include "sim/data/vocabulary.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_in_word(char c) {
  const bool ascii = static_cast<unsigned char>(c) < 0x80;
  return !ascii || is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'';
}

std::string_view without_apostrophes_at_ends(std::string_view run) {
  while (run.starts_with('\'')) run.remove_prefix(1);
  while (run.ends_with('\'')) run.remove_suffix(1);
  return run;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    while (at < text.size() && is_in_word(text[at])) ++at;
    const std::string_view run = without_apostrophes_at_ends(text.substr(begin, at - begin));
    if (at == begin) ++at;
    if (run.empty()) continue;
    std::string& word = words.emplace_back(run);
    for (char& c : word) c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return words;
}

Vocabulary::Vocabulary(std::span<const std::string_view> texts, const VocabularyLimits& limits) {
  std::unordered_map<std::string, std::size_t> counts;
  for (const std::string_view text : texts) {
    heartbeat::beat();
    for (std::string& word : words_of(text)) ++counts[std::move(word)];
  }
  std::vector<std::pair<std::string, std::size_t>> known;
  for (const auto& [word, count] : counts) {
    if (count >= limits.occurrences) known.emplace_back(word, count);
  }
  std::sort(known.begin(), known.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  known.resize(std::min(known.size(), limits.words));
  for (std::size_t i = 0; i < known.size(); ++i) numbers_[known[i].first] = first_word_token + i;
}

std::size_t Vocabulary::token(const std::string& word) const {
  const auto found = numbers_.find(word);
  return found == numbers_.end() ? unknown_token : found->second;
}

void Vocabulary::write(std::string_view text, std::span<float> row) const {
  const std::vector<std::string> words = words_of(text);
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = static_cast<float>(i < words.size() ? token(words[i]) : padding_token);
  }
}

}  // namespace souk
