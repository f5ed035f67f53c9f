#include "sim/data/text_reader.hpp"

#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/class_limit.hpp"
#include "sim/data/table_columns.hpp"
#include "sim/data/test_rows.hpp"

namespace souk {
void LabelledTexts::add(std::string_view label, std::string_view text, std::size_t line) {
  labels.push_back(label);
  texts.push_back(text);
  lines.push_back(line);
}

TextReader::TextReader(const scenario::Text& config)
    : length_(config.length()), limits_{.words = config.vocabulary(), .occurrences = config.min_count()} {}

void TextReader::find_classes(const LabelledTexts& train) {
  classes_ = ClassLabels(train.labels);
  SOUK_REQUIRE(classes_.names().size() <= classes_max, "{}: {} different labels, must be at most {}", train.path,
               classes_.names().size(), classes_max);
  if (const std::string gaps = gaps_between(classes_.names()); !gaps.empty()) {
    warnings_.push_back(fmt::format("{}: {}", train.path, gaps));
  }
}

std::int32_t TextReader::class_of(const LabelledTexts& texts, std::size_t i) const {
  const auto found = classes_.find(texts.labels[i]);
  SOUK_REQUIRE(found.has_value(), "{}: line {}: label {} is in no line of the training file", texts.path,
               texts.lines[i], quote_cell(texts.labels[i]));
  return *found;
}

void TextReader::take(const LabelledTexts& train, const LabelledTexts& test) {
  find_classes(train);
  for (const auto& [split, from] : {std::pair(&splits_[0], &train), std::pair(&splits_[1], &test)}) {
    split->texts = from->texts;
    for (std::size_t i = 0; i < from->texts.size(); ++i) split->labels.push_back(class_of(*from, i));
  }
  vocabulary_ = Vocabulary(splits_[0].texts, limits_);
}

void TextReader::take(const LabelledTexts& all, const TestDraw& draw) {
  find_classes(all);
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < all.texts.size(); ++i) labels.push_back(class_of(all, i));
  const std::vector<bool> is_test = draw_test_rows(labels, draw.share, draw.seed, all.path);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    Numbered& split = splits_[is_test[i] ? 1 : 0];
    split.texts.push_back(all.texts[i]);
    split.labels.push_back(labels[i]);
  }
  vocabulary_ = Vocabulary(splits_[0].texts, limits_);
}

DatasetShape TextReader::shape(Split split) {
  DatasetShape shape;
  shape.samples = of(split).texts.size();
  shape.sample_shape = {length_, 1, 1};
  shape.element = Element::f32;
  shape.class_names = classes_.names();
  shape.vocabulary = vocabulary_.tokens();
  return shape;
}

void TextReader::read(Split split, RowRange rows, const DatasetBuffers& out) {
  const Numbered& all = of(split);
  const std::size_t count = rows.end - rows.begin;
  SOUK_EXPECT(rows.begin <= rows.end && rows.end <= all.texts.size());
  SOUK_EXPECT(out.labels.size() == count && out.f32.size() == count * length_);
  for (std::size_t i = 0; i < count; ++i) {
    vocabulary_.write(all.texts[rows.begin + i], out.f32.subspan(i * length_, length_));
    out.labels[i] = all.labels[rows.begin + i];
  }
}

}  // namespace souk
