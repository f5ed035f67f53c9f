#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/data/class_labels.hpp"
#include "sim/data/dataset_reader.hpp"
#include "sim/data/vocabulary.hpp"

namespace souk::scenario {
class Text;
}

namespace souk {

/// A file of labelled texts: views of what its owner holds.
struct LabelledTexts {
  std::string path;
  std::vector<std::string_view> texts, labels;  ///< [texts]
  std::vector<std::size_t> lines;               ///< [texts] where a text stands, from 1

  void add(std::string_view label, std::string_view text, std::size_t line);
};

/// How test texts are drawn where there is no file of them.
struct TestDraw {
  double share = 0.2;
  std::uint64_t seed = 1;
};

/// Base of the readers of texts: numbers the words by the training texts alone and writes rows of token numbers, of
/// shape {length, 1, 1}. A derived reader keeps the texts in memory and hands them over once.
class TextReader : public DatasetReader {
 public:
  DatasetShape shape(Split split) override;
  void read(Split split, RowRange rows, const DatasetBuffers& out) override;
  std::vector<std::string> warnings() const override { return warnings_; }

 protected:
  explicit TextReader(const scenario::Text& config);
  /// Classes are the labels of `train`. Throws InputError for a label of `test` that is none of them.
  void take(const LabelledTexts& train, const LabelledTexts& test);
  /// The same with test texts drawn from those of `all`.
  void take(const LabelledTexts& all, const TestDraw& draw);

 private:
  struct Numbered {
    std::vector<std::string_view> texts;
    std::vector<std::int32_t> labels;
  };
  const Numbered& of(Split split) const { return splits_[split == Split::train ? 0 : 1]; }
  void find_classes(const LabelledTexts& train);
  std::int32_t class_of(const LabelledTexts& texts, std::size_t i) const;

  std::size_t length_;
  VocabularyLimits limits_;
  std::array<Numbered, 2> splits_;
  ClassLabels classes_;
  Vocabulary vocabulary_;
  std::vector<std::string> warnings_;
};

}  // namespace souk
