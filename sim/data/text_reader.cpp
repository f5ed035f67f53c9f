#include "sim/data/text_reader.hpp"

#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"

namespace souk {

TextReader::TextReader(const scenario::Text& config)
    : length_(config.length()), limits_{.words = config.vocabulary(), .occurrences = config.min_count()} {}

void TextReader::number_words(LabelledTexts train, LabelledTexts test, std::vector<std::string> class_names) {
  splits_ = {std::move(train), std::move(test)};
  class_names_ = std::move(class_names);
  vocabulary_ = Vocabulary(splits_[0].texts, limits_);
}

DatasetShape TextReader::shape(Split split) {
  DatasetShape shape;
  shape.samples = of(split).texts.size();
  shape.sample_shape = {length_, 1, 1};
  shape.element = Element::f32;
  shape.class_names = class_names_;
  shape.vocabulary = vocabulary_.tokens();
  return shape;
}

void TextReader::read(Split split, RowRange rows, const DatasetBuffers& out) {
  const LabelledTexts& all = of(split);
  const std::size_t count = rows.end - rows.begin;
  SOUK_EXPECT(rows.begin <= rows.end && rows.end <= all.texts.size());
  SOUK_EXPECT(out.labels.size() == count && out.f32.size() == count * length_);
  for (std::size_t i = 0; i < count; ++i) {
    vocabulary_.write(all.texts[rows.begin + i], out.f32.subspan(i * length_, length_));
    out.labels[i] = all.labels[rows.begin + i];
  }
}

}  // namespace souk
