#pragma once

#include <memory>

#include "aggregators/rule_tools.hpp"

namespace souk {

/// A trimmed mean, f of the scenario.
std::unique_ptr<Aggregator> make_default_base();

/// The base rule of a rejection's message; the default where it names none.
template <class Config>
std::unique_ptr<Aggregator> make_base(const Config& config) {
  return config.has_base() ? make_aggregator(config.base()) : make_default_base();
}

/// What Fang's rejections have in common: the impact of each update on the root data, through a base rule.
class Rejection : public Aggregator {
 public:
  /// Which impacts count against an update.
  struct By {
    bool error = false;
    bool loss = false;
  };
  /// `base_f` < 0: the base is told the scenario's tolerated_f.
  Rejection(std::string_view name, std::int32_t f, By by, std::unique_ptr<Aggregator> base, std::int32_t base_f);

  RuleNeeds needs() const override;
  RulePreserves preserves() const override { return {.scale = false, .translation = false}; }
  void check(const RoundSize& round) const override;
  RuleFootprint footprint(const RuleScale& scale) const override;
  RuleOutput aggregate(const RuleInput& input) override;

 private:
  RuleOutput base_of(const RuleInput& input, std::span<const std::size_t> rows, Stream& random, RuleLog* log) const;
  std::size_t base_f(std::size_t scenarios) const {
    return base_f_ < 0 ? scenarios : static_cast<std::size_t>(base_f_);
  }
  ToleratedF f_;
  By by_;
  std::unique_ptr<Aggregator> base_;
  std::int32_t base_f_;
};

}  // namespace souk
