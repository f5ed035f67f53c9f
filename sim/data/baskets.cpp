#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/dataset_format.hpp"

namespace souk {
namespace {

constexpr float rarest = 0.1F, most_frequent = 0.5F;

// Row i of a split is of class i mod classes and drawn from a stream of its own. The features typical of a class are
// drawn anew for every row from the stream of the class: a table of all classes may be far larger than a row.
class BasketsReader final : public DatasetReader {
 public:
  BasketsReader(const scenario::Baskets& config, const ReaderContext& context)
      : train_samples_(config.train_samples()),
        test_samples_(config.test_samples()),
        classes_(config.classes()),
        own_(static_cast<float>(1.0 - config.overlap())),
        seed_(context.seed),
        frequency_(config.features()) {
    Stream random(seed_, streams::basket_frequencies());
    for (float& frequency : frequency_) frequency = rarest + (most_frequent - rarest) * random.uniform_float();
  }

  DatasetShape shape(Split split) override {
    DatasetShape shape;
    shape.samples = split == Split::train ? train_samples_ : test_samples_;
    shape.sample_shape = {frequency_.size(), 1, 1};
    shape.element = Element::f32;
    for (std::size_t c = 0; c < classes_; ++c) shape.class_names.push_back(std::to_string(c));
    return shape;
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    SOUK_EXPECT(rows.begin <= rows.end && out.labels.size() == rows.end - rows.begin);
    SOUK_EXPECT(out.f32.size() == out.labels.size() * frequency_.size());
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      const std::size_t place = row - rows.begin;
      const auto label = static_cast<std::uint32_t>(row % classes_);
      Stream random(seed_, streams::basket(row, split == Split::test));
      draw(label, random, out.f32.subspan(place * frequency_.size(), frequency_.size()));
      out.labels[place] = static_cast<std::int32_t>(label);
    }
  }

  bool rows_are_independent() const override { return true; }

 private:
  // A feature is 1 with probability (1 - overlap) typical + overlap frequency.
  void draw(std::uint32_t label, Stream& random, std::span<float> out) const {
    Stream profile(seed_, streams::basket_class(label));
    for (std::size_t f = 0; f < out.size(); ++f) {
      const float typical = profile.uniform_float() < frequency_[f] ? 1.0F : 0.0F;
      const float probability = own_ * typical + (1.0F - own_) * frequency_[f];
      out[f] = random.uniform_float() < probability ? 1.0F : 0.0F;
    }
  }

  std::size_t train_samples_, test_samples_, classes_;
  float own_;
  std::uint64_t seed_;
  std::vector<float> frequency_;
};

const RegisterReader<BasketsReader, scenario::Baskets> register_baskets_reader;

}  // namespace
}  // namespace souk
