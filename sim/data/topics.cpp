#include <algorithm>
#include <numeric>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/vocabulary.hpp"

namespace souk {
namespace {

// Ranks 0 … ranks - 1, drawn in proportion to 1 / (rank + 1): Zipf's law.
class ZipfRanks {
 public:
  explicit ZipfRanks(std::size_t ranks) : reach_(ranks) {
    double sum = 0.0;
    for (std::size_t rank = 0; rank < ranks; ++rank) reach_[rank] = sum += 1.0 / static_cast<double>(rank + 1);
  }
  std::size_t draw(Stream& random) const {
    const auto above = std::upper_bound(reach_.begin(), reach_.end(), random.uniform() * reach_.back());
    return std::min(static_cast<std::size_t>(above - reach_.begin()), reach_.size() - 1);  // rounding may reach the end
  }

 private:
  std::vector<double> reach_;  // running sums of the weights
};

// Text i of a split is about topic i mod classes and is drawn from a stream of its own. The first half of the words are
// shared, the others dealt out evenly to the classes (what does not divide is shared, too); which number a word has is
// drawn by the seed, so that it says nothing.
class TopicsReader final : public DatasetReader {
 public:
  TopicsReader(const scenario::Topics& config, const ReaderContext& context)
      : config_(config),
        seed_(context.seed),
        own_(checked(config).vocabulary() / 2 / config.classes()),
        shared_(config.vocabulary() - own_ * config.classes()),
        own_ranks_(own_),
        shared_ranks_(shared_),
        numbers_(config.vocabulary()) {
    std::iota(numbers_.begin(), numbers_.end(), static_cast<std::uint32_t>(first_word_token));
    Stream(seed_, streams::topic_words()).shuffle(numbers_);
  }

  DatasetShape shape(Split split) override {
    DatasetShape shape;
    shape.samples = split == Split::train ? config_.train_samples() : config_.test_samples();
    shape.sample_shape = {config_.length(), 1, 1};
    shape.element = Element::f32;
    for (std::uint32_t c = 0; c < config_.classes(); ++c) shape.class_names.push_back("topic " + std::to_string(c));
    shape.vocabulary = first_word_token + config_.vocabulary();
    return shape;
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    const std::size_t length = config_.length(), count = rows.end - rows.begin;
    SOUK_EXPECT(rows.begin <= rows.end && out.labels.size() == count && out.f32.size() == count * length);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = rows.begin + i, topic = row % config_.classes();
      Stream random(seed_, streams::topic_text(row, split == Split::test));
      write_text(topic, random, out.f32.subspan(i * length, length));
      out.labels[i] = static_cast<std::int32_t>(topic);
    }
  }

  bool rows_are_independent() const override { return true; }

 private:
  static const scenario::Topics& checked(const scenario::Topics& config) {
    SOUK_REQUIRE(config.vocabulary() / 2 >= config.classes(),
                 "task.data.topics.vocabulary = {}: must be at least {}, for half of it is dealt out to {} classes",
                 config.vocabulary(), 2 * config.classes(), config.classes());
    return config;
  }

  void write_text(std::size_t topic, Stream& random, std::span<float> row) const {
    const auto longest = static_cast<std::uint32_t>(row.size());
    const std::size_t words = (longest + 1) / 2 + random.below(longest / 2 + 1);
    std::fill(row.begin(), row.end(), static_cast<float>(padding_token));
    for (std::size_t i = 0; i < words; ++i) {
      const bool says_nothing = random.uniform() < config_.noise();
      const std::size_t word =
          says_nothing ? shared_ranks_.draw(random) : shared_ + topic * own_ + own_ranks_.draw(random);
      row[i] = static_cast<float>(numbers_[word]);
    }
  }

  scenario::Topics config_;
  std::uint64_t seed_;
  std::size_t own_, shared_;  // words of a class, and of all
  ZipfRanks own_ranks_, shared_ranks_;
  std::vector<std::uint32_t> numbers_;  // token numbers of the words: shared ones, then class by class
};

const RegisterReader<TopicsReader, scenario::Topics> register_topics_reader;

}  // namespace
}  // namespace souk
