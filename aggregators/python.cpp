#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/python/python_function.hpp"
#include "sim/python/settings.hpp"
#include "sim/python/shared_answer.hpp"

namespace souk {
namespace {

/// What a rule in Python may ask for, by the names of its arguments; docs/own-rules.md says what each is.
const std::vector<std::string> offered_to_rules{"updates",   "weights",     "round",       "state",      "random",
                                                "clients",   "tolerated_f", "root_update", "parameters", "gram",
                                                "distances", "norms",       "root_losses", "root_loss"};

/// What a round holds for the function: what it asks for is filled in.
struct AskedOfRound {
  std::vector<double> weights, norms, gram, distances, root_losses;
  std::vector<std::int64_t> clients;
  std::vector<float> root_update, parameters;  ///< [d] on every rank
  double root_loss = 0.0;
  PythonArray updates;
};

std::vector<double> square_of(const SymmetricMatrix& matrix) {
  std::vector<double> square(matrix.order * matrix.order);
  for (std::size_t i = 0; i < matrix.order; ++i) {
    for (std::size_t j = 0; j < matrix.order; ++j) square[i * matrix.order + j] = matrix(i, j);
  }
  return square;
}

std::vector<float> whole_of(const RuleInput& input, const ColumnVector* vector) {
  std::vector<float> whole(input.updates.dimension(), 0.0F);
  if (vector != nullptr) replicate(input.comm, input.updates.plan(), *vector, whole);
  return whole;
}

/// A function of the user's own. Rank 0 runs it and tells the others, or, where the file says that it works column by
/// column, every rank runs it on its own panels, which are the same for any number of ranks.
class PythonAggregator final : public Aggregator {
 public:
  explicit PythonAggregator(const scenario::PythonRule& config) {
    if (config.file().empty()) return;
    const std::string field = "aggregator.python";
    function_ = load_python({.field = field,
                             .path = config.file(),
                             .name = "aggregate",
                             .offers = offered_to_rules,
                             .settings = python_settings(field, config.settings())});
    for (const char* name : {"state", "random"}) {
      SOUK_REQUIRE(!function_->columnwise() || !asks(name),
                   "{}: columnwise is True, but aggregate asks for '{}': a part of the columns has none of its own",
                   function_->path(), name);
    }
  }

  RuleNeeds needs() const override {
    return {.tolerated_f = asks("tolerated_f"),
            .root_update = asks("root_update"),
            .root_data = asks("root_losses") || asks("root_loss"),
            .memory = asks("state"),
            .history = asks("state") && asks("clients")};
  }

  /// All that the file does not deny; without one, nothing is known.
  RulePreserves preserves() const override {
    return {.scale = keeps("scale"),
            .translation = keeps("translation"),
            .unanimity = keeps("unanimity"),
            .permutation = keeps("permutation"),
            .noise = asks("random")};
  }

  void check(const RoundSize&) const override { require_file(); }

  /// What is gathered on the rank that runs the function. What that allocates nobody knows.
  RuleFootprint footprint(const RuleScale& scale) const override {
    const double whole = static_cast<double>(scale.dimension * sizeof(float));
    const auto n = static_cast<double>(scale.updates);
    double working = scale.vector() + 2.0 * whole;
    if (asks("updates") && !columnwise()) working += n * whole;
    if (asks("root_update")) working += whole;
    if (asks("parameters")) working += whole;
    for (const char* name : {"gram", "distances"}) {
      if (asks(name)) working += scale.distances() + n * n * sizeof(double);
    }
    return {.working = working, .candidates = needs().root_data ? scale.updates : 0};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    input.comm.run_phase("python", [&] { require_file(); });
    const AskedOfRound asked = ask_for(input);
    return columnwise() ? panel_by_panel(input, asked) : at_once(input, asked);
  }

  void serialize(Archive& archive, const Comm& comm) override {
    if (asks("state")) serialize_states(archive, comm, *function_);
  }

 private:
  bool asks(const char* name) const { return function_ != nullptr && function_->asks(name); }
  bool columnwise() const { return function_ != nullptr && function_->columnwise(); }
  bool keeps(const char* what) const {
    return function_ != nullptr &&
           std::ranges::find(function_->not_preserved(), what) == function_->not_preserved().end();
  }
  void require_file() const {
    SOUK_REQUIRE(function_ != nullptr, "aggregator.python.file: is empty, must name a Python file with the rule");
  }

  /// Collective.
  AskedOfRound ask_for(const RuleInput& input) {
    AskedOfRound asked;
    if (asks("weights")) asked.weights = sample_shares(input.submissions);
    if (asks("norms")) asked.norms = norms_of(input);
    if (asks("gram")) asked.gram = square_of(gram(input.comm, input.updates));
    if (asks("distances")) asked.distances = square_of(squared_distances(input.comm, input.updates));
    if (asks("root_losses")) {
      for (const Judgement& judgement : input.losses->on_root(input.updates))
        asked.root_losses.push_back(judgement.loss);
    }
    if (asks("root_loss")) {
      asked.root_loss = input.losses->on_root(zero_step(input.comm, input.updates.dimension())).front().loss;
    }
    for (const Submission& submission : input.submissions) asked.clients.push_back(submission.agent.value);
    if (columnwise()) return asked;
    if (asks("root_update")) asked.root_update = whole_of(input, input.root_update);
    if (asks("parameters")) asked.parameters = whole_of(input, input.global);
    if (asks("updates")) asked.updates = place_.gather(input.comm, input.updates);
    return asked;
  }

  /// Without what goes by columns.
  PythonCall call_of(const RuleInput& input, const AskedOfRound& asked) const {
    const std::size_t n = input.updates.rows();
    PythonCall call;
    const auto hand = [&](const char* name, PythonValue value) {
      if (asks(name)) call.arguments.emplace_back(name, std::move(value));
    };
    const auto square = [n](const std::vector<double>& values) {
      return PythonArray{values.data(), PythonNumber::float64, {n, n}, {}};
    };
    hand("weights", python_array(asked.weights));
    hand("norms", python_array(asked.norms));
    hand("gram", square(asked.gram));
    hand("distances", square(asked.distances));
    hand("root_losses", python_array(asked.root_losses));
    hand("root_loss", asked.root_loss);
    hand("clients", python_array(asked.clients));
    hand("round", static_cast<std::int64_t>(input.round.value));
    hand("tolerated_f", static_cast<std::int64_t>(input.tolerated_f));
    return call;
  }

  RuleOutput at_once(const RuleInput& input, const AskedOfRound& asked) {
    const std::size_t n = input.updates.rows(), d = input.updates.dimension();
    PythonCall call = call_of(input, asked);
    if (asks("root_update")) call.arguments.emplace_back("root_update", python_array(asked.root_update));
    if (asks("parameters")) call.arguments.emplace_back("parameters", python_array(asked.parameters));
    if (asks("updates")) call.arguments.emplace_back("updates", asked.updates);
    if (asks("state")) call.state = "";
    if (asks("random")) std::ranges::generate(call.random, [&] { return input.random.next(); });
    call.wanted = {{"step", PythonNumber::float32, {{d}}},
                   {"weights", PythonNumber::float64, {{n}}},
                   {"coefficients", PythonNumber::float64, {{n}}},
                   {"scores", PythonNumber::float64, {{n}}}};
    return output_of(input, call_on_first_rank(input.comm, *function_, call,
                                               [&](const PythonAnswer& answer) { require_answer(answer); }));
  }

  void require_answer(const PythonAnswer& answer) const {
    const std::string& path = function_->path();
    SOUK_REQUIRE(!answer.none, "{}: aggregate answers None, must be a step or a dict", path);
    const bool step = answer.vectors.contains("step"), coefficients = answer.numbers.contains("coefficients");
    SOUK_REQUIRE(step != coefficients || (!step && answer.numbers.contains("weights")),
                 "{}: aggregate must answer a step, or coefficients or weights of the updates to make it of, {}", path,
                 step ? "and not both a step and coefficients" : "and answers none of them");
    if (!answer.numbers.contains("weights")) {
      const bool negative = coefficients && std::ranges::min(answer.numbers.at("coefficients")) < 0.0;
      SOUK_REQUIRE(!negative, "{}: aggregate answers negative coefficients, and so must answer weights, too", path);
      return;
    }
    const std::vector<double>& weights = answer.numbers.at("weights");
    const double sum = std::reduce(weights.begin(), weights.end());
    SOUK_REQUIRE(std::ranges::min(weights) >= 0.0, "{}: aggregate answers a negative weight, {}", path,
                 std::ranges::min(weights));
    SOUK_REQUIRE(sum == 0.0 || std::abs(sum - 1.0) < 1e-5,
                 "{}: aggregate answers weights that add up to {}, must be shares: 1, or 0 where nobody is accepted",
                 path, sum);
  }

  static RuleOutput output_of(const RuleInput& input, PythonAnswer answer) {
    const auto weights = answer.numbers.find("weights");
    const bool weighted = weights != answer.numbers.end();
    std::vector<double> shares;
    if (weighted) shares = shares_of(weights->second);
    RuleOutput output;
    if (const auto step = answer.vectors.find("step"); step != answer.vectors.end()) {
      output = coordinate_wise(ColumnVector(input.comm, step->second), input.updates.rows());
      output.by_coordinate = !weighted;
    } else {
      const auto coefficients = answer.numbers.find("coefficients");
      output = weighted_sum(input, coefficients != answer.numbers.end() ? coefficients->second : shares);
    }
    if (weighted) output.weights = std::move(shares);
    output.scores = std::move(answer.numbers["scores"]);
    output.diagnostics = std::move(answer.diagnostics);
    return output;
  }

  RuleOutput panel_by_panel(const RuleInput& input, const AskedOfRound& asked) {
    ColumnVector step(input.updates);
    const ColumnVector unknown(input.updates);
    input.comm.run_phase("python", [&] {
      for (const Panel& panel : input.updates.panels()) {
        PythonCall call = call_of(input, asked);
        std::vector<float> copied;
        if (asks("updates")) call.arguments.emplace_back("updates", columns_of_panel(panel, copied));
        const auto hand = [&](const char* name, const ColumnVector& vector) {
          call.arguments.emplace_back(
              name, PythonArray{vector.panel(panel).data(), PythonNumber::float32, {panel.columns.size()}, {}});
        };
        if (asks("root_update")) hand("root_update", *input.root_update);
        if (asks("parameters")) hand("parameters", input.global != nullptr ? *input.global : unknown);
        call.wanted = {{"step", PythonNumber::float32, {{panel.columns.size()}}}};
        const PythonAnswer answer = function_->call(call);
        SOUK_REQUIRE(!answer.none && answer.diagnostics.empty() && answer.vectors.contains("step"),
                     "{}: columnwise is True, so aggregate must answer the step and nothing else", function_->path());
        std::ranges::copy(answer.vectors.at("step"), step.panel(panel).begin());
      }
    });
    return coordinate_wise(std::move(step), input.updates.rows());
  }

  /// A view where rows lie at equal distances; otherwise a copy.
  static PythonArray columns_of_panel(const Panel& panel, std::vector<float>& copied) {
    const std::size_t n = panel.row_starts.size(), width = panel.columns.size();
    if (auto view = view_of_rows(panel.row_starts, panel.offset, width)) return *view;
    for (std::size_t i = 0; i < n; ++i) copied.insert(copied.end(), panel.row(i).begin(), panel.row(i).end());
    return {copied.data(), PythonNumber::float32, {n, width}, {}};
  }

  std::unique_ptr<PythonFunction> function_;
  GatheringPlace place_;
};

const Register<Aggregator, PythonAggregator, scenario::PythonRule> register_python_rule;

}  // namespace
}  // namespace souk
