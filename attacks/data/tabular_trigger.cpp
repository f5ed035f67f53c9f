#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "attacks/data/backdoor.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// A feature and what it is set to.
struct Setting {
  std::size_t feature = 0;
  float value = 0.0F;  ///< as stored
};

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 12;
  const auto shown = std::span(names).first(std::min(names.size(), most));
  return fmt::format("{}{}", fmt::join(shown, ", "), names.size() > most ? ", …" : "");
}

/// Columns set to values, as Xie et al. (ICLR 2020) attack the LOAN data set.
class TabularTrigger final : public Backdoor {
 public:
  explicit TabularTrigger(const scenario::TabularTrigger& config)
      : Backdoor("tabular_trigger", config.target()), conditions_(config.set().begin(), config.set().end()) {}

  std::vector<std::string> remarks(const DataFacts& facts) const override {
    std::vector<std::string> remarks;
    for (std::size_t s = 0; s < conditions_.size(); ++s) {
      for (const auto& [feature, value] : settings_of(s, facts)) {
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
      const std::size_t first = settings_of(s, facts).front().feature;
      SOUK_REQUIRE(std::ranges::find(first_features, first) == first_features.end(), "{}.{}: is set twice", place(s),
                   named(s));
      first_features.push_back(first);
    }
  }

  /// How the condition names its column.
  std::string named(std::size_t s) const {
    const auto& condition = conditions_[s];
    return condition.name().empty() ? fmt::format("column = {}", condition.column())
                                    : fmt::format("name = \"{}\"", condition.name());
  }

  /// What condition `s` sets: one feature, or all those of a column of categories.
  std::vector<Setting> settings_of(std::size_t s, const DataFacts& facts) const {
    const scenario::TabularCondition& condition = conditions_[s];
    SOUK_REQUIRE(condition.name().empty() || condition.column() == 0, "{}: names a column by name and by number",
                 place(s));
    const auto value = static_cast<float>(condition.value());
    SOUK_REQUIRE(std::isfinite(value), "{}.value: is not a finite float32 number", place(s));
    if (facts.columns.empty()) {
      SOUK_REQUIRE(condition.name().empty() && condition.category().empty(),
                   "{}: the columns of the data set have no names: give a number", place(s));
      SOUK_REQUIRE(condition.column() < facts.shape[0], "{}.column = {}: the data set has {} columns", place(s),
                   condition.column(), facts.shape[0]);
      return {{condition.column(), value}};
    }
    std::size_t first = 0;
    for (const TableColumn& column : facts.columns) {
      const bool meant =
          condition.name().empty() ? column.number == condition.column() : column.name == condition.name();
      if (meant) return column.categories.empty() ? numeric(s, first) : categorical(s, column, first);
      first += column.width();
    }
    std::vector<std::string> names;
    for (const TableColumn& column : facts.columns) names.push_back(fmt::format("{} ({})", column.number, column.name));
    throw_input_error("{}.{}: is no feature of the table; features are the columns {}", place(s), named(s),
                      listed(names));
  }

  std::vector<Setting> numeric(std::size_t s, std::size_t feature) const {
    SOUK_REQUIRE(conditions_[s].category().empty(), "{}.category = \"{}\": the column holds numbers: give a value",
                 place(s), conditions_[s].category());
    return {{feature, static_cast<float>(conditions_[s].value())}};
  }

  std::vector<Setting> categorical(std::size_t s, const TableColumn& column, std::size_t first) const {
    const std::string& wanted = conditions_[s].category();
    const auto found = std::ranges::find(column.categories, wanted);
    SOUK_REQUIRE(found != column.categories.end(), "{}.category = \"{}\": column \"{}\" holds the categories {}",
                 place(s), wanted, column.name, listed(column.categories));
    SOUK_REQUIRE(conditions_[s].value() == 0.0, "{}.value = {}: column \"{}\" holds categories and no numbers",
                 place(s), conditions_[s].value(), column.name);
    std::vector<Setting> settings;
    for (std::size_t c = 0; c < column.categories.size(); ++c) {
      settings.push_back({first + c, column.categories[c] == wanted ? 1.0F : 0.0F});
    }
    return settings;
  }

  void stamp(const Marked& samples) const override {
    std::vector<Setting> settings;
    for (std::size_t s = 0; s < conditions_.size(); ++s) {
      const std::vector<Setting> more = settings_of(s, samples.facts);
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
