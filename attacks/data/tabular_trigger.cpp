#include <algorithm>
#include <cmath>

#include "attacks/data/backdoor.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

struct Setting {
  std::size_t column = 0;
  float value = 0.0F;  ///< as stored
};

/// Columns set to values, as Xie et al. (ICLR 2020) attack the LOAN data set.
class TabularTrigger final : public Backdoor {
 public:
  explicit TabularTrigger(const scenario::TabularTrigger& config) : Backdoor("tabular_trigger", config.target()) {
    for (const auto& condition : config.set()) {
      settings_.push_back({condition.column(), static_cast<float>(condition.value())});
    }
  }

 private:
  void check_trigger(const DataFacts& facts) const override {
    check_rows(field(), facts);
    SOUK_REQUIRE(facts.vocabulary == 0, "tabular_trigger: changes tables, and the samples of the data set are texts");
    SOUK_REQUIRE(!settings_.empty(), "tabular_trigger.set: is empty, must name a column and its value");
    for (std::size_t s = 0; s < settings_.size(); ++s) {
      const auto [column, value] = settings_[s];
      SOUK_REQUIRE(column < facts.shape[0], "tabular_trigger.set[{}].column = {}: the data set has {} columns", s,
                   column, facts.shape[0]);
      SOUK_REQUIRE(std::isfinite(value), "tabular_trigger.set[{}].value: is not a finite float32 number", s);
      const auto earlier = std::span(settings_).first(s);
      SOUK_REQUIRE(std::ranges::find(earlier, column, &Setting::column) == earlier.end(),
                   "tabular_trigger.set[{}].column = {}: is set twice", s, column);
    }
  }

  void stamp(const Marked& samples) const override {
    for (const std::size_t i : samples.which) {
      const std::span<float> row = samples.features_of(i);
      for (const auto& [column, value] : settings_) row[column] = scaled(samples.facts, column, value);
    }
  }

  std::vector<Setting> settings_;
};

const Register<DataAttack, TabularTrigger, scenario::TabularTrigger> registered;

}  // namespace
}  // namespace souk
