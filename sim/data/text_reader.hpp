#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/data/dataset_reader.hpp"
#include "sim/data/vocabulary.hpp"

namespace souk::scenario {
class Text;
}

namespace souk {

/// Texts of a split and their classes.
struct LabelledTexts {
  std::vector<std::string_view> texts;
  std::vector<std::int32_t> labels;
};

/// Base of the readers of texts: numbers the words by the training texts alone and writes rows of token numbers, of
/// shape {length, 1, 1}. A derived reader keeps the texts in memory and hands them over once.
class TextReader : public DatasetReader {
 public:
  DatasetShape shape(Split split) override;
  void read(Split split, RowRange rows, const DatasetBuffers& out) override;

 protected:
  explicit TextReader(const scenario::Text& config);
  /// `train` and `test` are views of what the derived reader holds.
  void number_words(LabelledTexts train, LabelledTexts test, std::vector<std::string> class_names);

 private:
  const LabelledTexts& of(Split split) const { return splits_[split == Split::train ? 0 : 1]; }

  std::size_t length_;
  VocabularyLimits limits_;
  std::array<LabelledTexts, 2> splits_;
  std::vector<std::string> class_names_;
  Vocabulary vocabulary_;
};

}  // namespace souk
