#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "attacks/data/backdoor.hpp"
#include "attacks/table_cells.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Columns set to values, as Xie et al. (ICLR 2020) attack the LOAN data set.
class TabularTrigger final : public Backdoor {
 public:
  explicit TabularTrigger(const scenario::TabularTrigger& config)
      : Backdoor("tabular_trigger", config.target()), conditions_(config.set().begin(), config.set().end()) {}

  std::vector<std::string> remarks(const DataFacts& facts) const override {
    std::vector<std::string> remarks;
    for (std::size_t s = 0; s < conditions_.size(); ++s) {
      for (const auto& [feature, value] : cells(s, facts)) {
        const float read = scaled(facts, feature, value), slack = 1e-4F * range_of(facts, feature);
        if (read >= facts.low[feature] - slack && read <= facts.high[feature] + slack) continue;
        const auto stored = [&](float x) { return x / facts.scale[feature] + facts.shift[feature]; };
        remarks.push_back(fmt::format("{}.value = {}: lies beyond the column's values in training, {:.6g} to {:.6g}",
                                      place(s), value, stored(facts.low[feature]), stored(facts.high[feature])));
      }
    }
    return remarks;
  }

 private:
  static std::string place(std::size_t s) { return fmt::format("tabular_trigger.set[{}]", s); }

  void check_trigger(const DataFacts& facts) const override {
    check_rows(field(), facts);
    SOUK_REQUIRE(facts.vocabulary == 0, "tabular_trigger: changes tables, and the samples of the data set are texts");
    SOUK_REQUIRE(!conditions_.empty(), "tabular_trigger.set: is empty, must name a column and its value");
    std::vector<std::size_t> first_features;
    for (std::size_t s = 0; s < conditions_.size(); ++s) {
      const std::size_t first = cells(s, facts).front().feature;
      SOUK_REQUIRE(std::ranges::find(first_features, first) == first_features.end(), "{}.{}: is set twice", place(s),
                   condition_column(conditions_[s]));
      first_features.push_back(first);
    }
  }

  std::vector<TableCell> cells(std::size_t s, const DataFacts& facts) const {
    return table_cells(conditions_[s], facts.columns, facts.shape[0], place(s));
  }

  void stamp(const Marked& samples) const override {
    std::vector<TableCell> settings;
    for (std::size_t s = 0; s < conditions_.size(); ++s) {
      const std::vector<TableCell> more = cells(s, samples.facts);
      settings.insert(settings.end(), more.begin(), more.end());
    }
    for (const std::size_t i : samples.which) {
      const std::span<float> row = samples.features_of(i);
      for (const auto& [feature, value] : settings) row[feature] = scaled(samples.facts, feature, value);
    }
  }

  std::vector<scenario::TabularCondition> conditions_;
};

const Register<DataAttack, TabularTrigger, scenario::TabularTrigger> register_tabular_trigger;

}  // namespace
}  // namespace souk
