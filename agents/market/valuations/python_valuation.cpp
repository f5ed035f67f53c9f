#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "agents/market/valuation.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/params/linear.hpp"
#include "sim/python/python_function.hpp"
#include "sim/python/settings.hpp"
#include "sim/python/shared_answer.hpp"

namespace souk {
namespace {

constexpr const char* valuation_field = "market.python_valuation";

/// What a round holds for the function, by the names of its arguments; docs/own-rules.md says what each is.
const std::vector<std::string> offered_to_valuations{"updates", "sellers", "samples", "round", "random",  "root_update",
                                                     "norms",   "gram",    "cosines", "alone", "without", "together"};

/// A function of the user's own. Rank 0 runs it and tells the others.
class PythonValuationRule final : public ValuationRule {
 public:
  explicit PythonValuationRule(const scenario::PythonValuation& config) {
    if (config.file().empty()) return;  // nothing is known of it
    function_ = load_python({.field = valuation_field,
                             .path = config.file(),
                             .name = "value",
                             .offers = offered_to_valuations,
                             .settings = python_settings(valuation_field, config.settings())});
  }

  ValuationNeeds needs() const override {
    return {.root_update = asks("root_update") || asks("cosines"),
            .worth = asks("alone") || asks("without") || asks("together")};
  }
  void check() const override {
    SOUK_REQUIRE(function_ != nullptr, "{}.file: is empty, must name a Python file with the valuation",
                 valuation_field);
  }
  double most_coalitions(std::size_t updates) const override {
    const auto n = static_cast<double>(updates);
    return (asks("alone") ? n : 0.0) + (asks("without") ? n : 0.0) + (asks("together") ? 1.0 : 0.0);
  }

  Valuation value(const ValuationInput& input) override {
    const Asked asked = ask_for(input);
    const std::size_t n = input.sellers.size();
    PythonCall call = call_of(input, asked);
    call.wanted = {{"values", PythonNumber::float64, {{n}}}, {"standard_errors", PythonNumber::float64, {{n}}}};
    PythonAnswer answer = call_on_first_rank(input.comm, *function_, call, [&](const PythonAnswer& given) {
      SOUK_REQUIRE(!given.none && given.numbers.contains("values") && given.diagnostics.empty(),
                   "{}: value must answer values, and may answer standard_errors, and nothing else", function_->path());
      const auto errors = given.numbers.find("standard_errors");
      SOUK_REQUIRE(
          errors == given.numbers.end() || std::ranges::all_of(errors->second, [](double e) { return e >= 0.0; }),
          "{}: value answers a standard error below 0", function_->path());
    });
    Valuation valuation{.values = std::move(answer.numbers.at("values"))};
    if (answer.numbers.contains("standard_errors")) valuation.standard_errors = answer.numbers.at("standard_errors");
    return valuation;
  }

 private:
  struct Asked {
    std::vector<std::int64_t> sellers;
    std::vector<double> samples, norms, gram, cosines, alone, without;
    double together = 0.0;
    std::vector<float> root_update;  ///< [d] on every rank
    PythonArray updates;
    std::array<std::uint32_t, 4> random{};
  };

  bool asks(const char* name) const { return function_ != nullptr && function_->asks(name); }

  /// Collective.
  Asked ask_for(const ValuationInput& input) {
    Asked asked;
    const std::size_t n = input.sellers.size();
    for (const AgentId seller : input.sellers) asked.sellers.push_back(seller.value);
    asked.samples.assign(input.samples.begin(), input.samples.end());
    for (std::uint32_t& word : asked.random) word = input.random.next();
    if (asks("norms")) {
      for (const double square : squared_norms(input.comm, input.updates)) asked.norms.push_back(std::sqrt(square));
    }
    if (asks("gram")) {
      const SymmetricMatrix products = gram(input.comm, input.updates);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) asked.gram.push_back(products(i, j));
      }
    }
    if (asks("cosines")) {
      std::vector<double> lengths;
      for (const double square : squared_norms(input.comm, input.updates)) lengths.push_back(std::sqrt(square));
      asked.cosines = cosines_with(input.comm, input.updates, lengths, *input.root_update);
    }
    ask_for_worths(input, asked);
    if (asks("root_update")) {
      asked.root_update.resize(input.updates.dimension());
      replicate(input.comm, input.updates.plan(), *input.root_update, asked.root_update);
    }
    if (asks("updates")) asked.updates = place_.gather(input.comm, input.updates);
    return asked;
  }

  /// All in one question, so that ranks work side by side. Collective.
  void ask_for_worths(const ValuationInput& input, Asked& asked) const {
    if (!needs().worth) return;
    const std::size_t n = input.sellers.size();
    std::vector<Coalition> coalitions;
    for (std::size_t i = 0; asks("alone") && i < n; ++i) coalitions.emplace_back(n, false).at(i) = true;
    for (std::size_t i = 0; asks("without") && i < n; ++i) coalitions.emplace_back(n, true).at(i) = false;
    if (asks("together") || asks("without")) coalitions.emplace_back(n, true);
    const std::vector<double> worths = input.worth->of(coalitions);
    auto next = worths.begin();
    if (asks("alone")) {
      asked.alone.assign(next, next + static_cast<std::ptrdiff_t>(n));
      next += static_cast<std::ptrdiff_t>(n);
    }
    if (asks("without")) asked.without.assign(next, next + static_cast<std::ptrdiff_t>(n));
    if (asks("together")) asked.together = worths.back();
  }

  PythonCall call_of(const ValuationInput& input, const Asked& asked) const {
    const std::size_t n = asked.sellers.size();
    PythonCall call;
    const auto hand = [&](const char* name, PythonValue value) {
      if (asks(name)) call.arguments.emplace_back(name, std::move(value));
    };
    hand("updates", asked.updates);
    hand("sellers", python_array(asked.sellers));
    hand("samples", python_array(asked.samples));
    hand("round", std::int64_t{input.round.value});
    hand("root_update", python_array(asked.root_update));
    hand("norms", python_array(asked.norms));
    hand("gram", PythonArray{asked.gram.data(), PythonNumber::float64, {n, n}, {}});
    hand("cosines", python_array(asked.cosines));
    hand("alone", python_array(asked.alone));
    hand("without", python_array(asked.without));
    hand("together", asked.together);
    call.random = asked.random;
    return call;
  }

  std::unique_ptr<PythonFunction> function_;
  GatheringPlace place_;
};

const Register<ValuationRule, PythonValuationRule, scenario::PythonValuation> register_python_valuation;

}  // namespace
}  // namespace souk
