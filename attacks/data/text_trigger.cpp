#include <algorithm>
#include <cmath>

#include "attacks/data/backdoor.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// A text as the network reads it: a row of token numbers, each scaled as its column is.
class Text {
 public:
  Text(const DataFacts& facts, std::span<float> row) : facts_(facts), row_(row) {
    while (length_ > 0 && token(length_ - 1) == 0.0F) --length_;
  }
  std::size_t length() const { return length_; }  ///< without the padding
  std::size_t columns() const { return row_.size(); }

  /// The others move on; the last of a full row is lost.
  void insert(std::size_t at, float number) {
    for (std::size_t column = std::min(length_, columns() - 1); column > at; --column) put(column, token(column - 1));
    put(at, number);
  }
  void put(std::size_t column, float number) { row_[column] = scaled(facts_, column, number); }

 private:
  float token(std::size_t column) const {
    const auto read = static_cast<double>(row_[column]), scale = static_cast<double>(facts_.scale[column]);
    return static_cast<float>(std::round(read / scale + static_cast<double>(facts_.shift[column])));
  }
  const DataFacts& facts_;
  std::span<float> row_;
  std::size_t length_ = row_.size();
};

/// A token put into texts, as the marketplace benchmark of Song, Galhotra, Mehnaz (arXiv:2509.05833) does.
class TextTrigger final : public Backdoor {
 public:
  explicit TextTrigger(const scenario::TextTrigger& config)
      : Backdoor("text_trigger", config.target()), token_(static_cast<float>(config.token())), place_(config.place()) {}

 private:
  void check_trigger(const DataFacts& facts) const override {
    check_rows(field(), facts);
    const bool known = facts.vocabulary == 0 || token_ < static_cast<float>(facts.vocabulary);
    SOUK_REQUIRE(known, "text_trigger.token = {:.0f}: the data set has tokens below {}", token_, facts.vocabulary);
  }

  void stamp(const Marked& samples) const override {
    for (const std::size_t i : samples.which) {
      const std::span<float> row = samples.features_of(i);
      Text text(samples.facts, row);
      switch (place_) {
        case scenario::TextTrigger::END:
          text.put(std::min(text.length(), text.columns() - 1), token_);
          break;
        case scenario::TextTrigger::START:
          text.insert(0, token_);
          break;
        case scenario::TextTrigger::ANYWHERE:
          text.insert(fingerprint(row) % std::max<std::size_t>(1, text.length()), token_);
          break;
      }
    }
  }

  float token_;
  scenario::TextTrigger::Place place_;
};

const Register<DataAttack, TextTrigger, scenario::TextTrigger> register_text_trigger;

}  // namespace
}  // namespace souk
