#include "sim/app/rule_properties.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/comm/thread_team.hpp"

namespace souk {
namespace {

using TriedRows = std::vector<std::vector<float>>;

constexpr std::uint64_t seed_of_trials = 5;
constexpr std::size_t small = 300, wide = 5000;  ///< values of an update: in one panel, and in several

/// About normal, by row, column and round alone.
TriedRows drawn_rows(std::size_t n, std::size_t d, std::uint32_t round, double scale = 1.0) {
  TriedRows rows(n, std::vector<float>(d));
  for (std::uint32_t i = 0; i < n; ++i) {
    for (std::uint32_t c = 0; c < d; ++c) {
      const std::array<std::uint32_t, 4> words = philox4x32_10({c, i, round, 0}, {seed_of_trials, 0});
      double sum = -2.0;
      for (const std::uint32_t word : words) sum += word * 0x1p-32;
      rows[i][c] = static_cast<float>(scale * std::sqrt(3.0) * sum);
    }
  }
  return rows;
}

/// Half the squared distance to a target, and nothing that a rule over arrays cannot ask for.
class DistanceLosses final : public LossOracle {
 public:
  DistanceLosses(const Comm& comm, const ColumnVector& target) : comm_(comm), target_(target) {}
  std::vector<Judgement> on_root(const ColumnMatrix& steps) override {
    std::vector<Judgement> judgements;
    for (const double square : squared_distances_to(comm_, steps, target_))
      judgements.push_back({.loss = 0.5 * square});
    return judgements;
  }
  ColumnVector root_gradient(const ColumnVector&) override { return unasked<ColumnVector>(); }
  std::vector<double> validator_reports(const ColumnMatrix&) override { return unasked<std::vector<double>>(); }
  std::span<const AgentId> validators() const override { return {}; }
  std::vector<double> noise_ratios(const ColumnMatrix&, std::size_t, std::uint16_t) override {
    return unasked<std::vector<double>>();
  }
  int classes() const override { return 0; }

 private:
  template <class T>
  static T unasked() {
    end_fatally("a rule that asks for more than root losses cannot be tried here", exit_our_fault);
  }
  Comm comm_;
  const ColumnVector& target_;
};

struct Decision {
  std::vector<float> step;
  std::vector<double> weights, scores;
  bool operator==(const Decision&) const = default;
};

/// Collective.
Decision decide(Aggregator& rule, const Comm& comm, const TriedRows& rows, std::uint32_t round = 1) {
  const std::size_t n = rows.size(), d = rows.front().size();
  ColumnMatrixBuilder builder(comm, n, d);
  const std::size_t first = PanelPlan(d).columns_of(comm.rank(), comm.size()).begin;
  for (std::size_t i = 0; i < n; ++i) {
    std::copy_n(rows[i].begin() + static_cast<std::ptrdiff_t>(first), builder.row(i).size(), builder.row(i).begin());
  }
  const ColumnMatrix updates = std::move(builder).finish();
  std::vector<Submission> submissions;
  for (std::uint32_t i = 0; i < n; ++i) submissions.push_back({{i}, 10});
  const ColumnVector root = combine(updates, std::vector<double>(n, 1.0 / static_cast<double>(n)));
  const ColumnVector global(updates);
  DistanceLosses losses(comm, root);
  Stream random(seed_of_trials, streams::rule(0, {round}));
  RuleOutput output = rule.aggregate({.comm = comm,
                                      .round = {round},
                                      .submissions = submissions,
                                      .updates = updates,
                                      .random = random,
                                      .tolerated_f = n >= 3 ? 1U : 0U,
                                      .global = &global,
                                      .root_update = &root,
                                      .losses = &losses});
  Decision decision{std::vector<float>(d), std::move(output.weights), std::move(output.scores)};
  replicate(comm, updates.plan(), output.step, decision.step);
  return decision;
}

TriedRows mapped(TriedRows rows, float factor, float shift) {
  for (auto& row : rows) {
    for (float& value : row) value = value * factor + shift;
  }
  return rows;
}

/// Where two steps differ by more than rounding; empty: nowhere.
std::string difference_of(const std::vector<float>& is, const std::vector<float>& should) {
  double most = 0.0;
  std::size_t where = 0;
  for (std::size_t c = 0; c < is.size(); ++c) {
    const double apart = std::abs(static_cast<double>(is[c]) - static_cast<double>(should[c]));
    if (apart > most) where = c;
    most = std::max(most, apart);
  }
  if (most <= 2e-5) return "";
  return fmt::format("value {} of the step is {} and should be {}", where, is[where], should[where]);
}

using Trial = std::function<std::string()>;

class Trials {
 public:
  explicit Trials(std::function<std::unique_ptr<Aggregator>()> make) : make_(std::move(make)) {}

  std::vector<PropertyResult> all() {
    const RulePreserves preserves = make_()->preserves();
    require("answers the same when asked again", [&] { return again(); });
    for (const int ranks : {2, 3}) {
      require(fmt::format("gives the same bits on 1 and {} ranks", ranks), [&] { return on_ranks(ranks); });
    }
    require("saving, loading and going on on 2 ranks changes nothing", [&] { return continued(); });
    require("withstands zeros, single updates and pairs", [&] { return few(); });
    for (const double scale : {1e-20, 1e15}) {
      require(fmt::format("stays finite for updates of magnitude {:g}", scale), [&] { return at_scale(scale); });
    }
    require("stays finite beside an update of magnitude 1e15", [&] { return beside_huge(); });
    declared("permutation", "permuting clients permutes weights and keeps the step", preserves.permutation,
             [&] { return permuted(preserves.noise); });
    declared("scale", "scaling all updates scales the step", preserves.scale, [&] { return moved(2.0F, 0.0F); });
    declared("translation", "shifting all updates shifts the step", preserves.translation,
             [&] { return moved(1.0F, 0.5F); });
    declared("unanimity", "equal updates give that update", preserves.unanimity, [&] { return unanimous(); });
    return std::move(results_);
  }

 private:
  Decision fresh(const TriedRows& rows) { return decide(*make_(), Comm::self(), rows); }

  void require(const std::string& property, const Trial& trial) {
    std::string why;
    try {
      why = trial();
    } catch (const std::exception& error) {
      why = error.what();
    }
    results_.push_back(
        {property, why.empty() ? PropertyResult::Verdict::kept : PropertyResult::Verdict::broken, std::move(why)});
  }

  void declared(const char* word, const std::string& property, bool preserved, const Trial& trial) {
    if (preserved) return require(property, trial);
    results_.push_back(
        {property, PropertyResult::Verdict::declared, fmt::format("the file's does_not_preserve names {}", word)});
  }

  std::string again() {
    const TriedRows rows = drawn_rows(9, wide, 1);
    return fresh(rows) == fresh(rows) ? "" : "two runs on the same updates differ";
  }

  std::string on_ranks(int ranks) {
    const TriedRows rows = drawn_rows(9, wide, 1);
    const Decision expected = fresh(rows);
    bool same = true;
    run_team(ranks, [&](const Comm& comm) {
      const auto rule = make_();
      const Decision found = decide(*rule, comm, rows);
      if (comm.rank() == 0) same = found == expected;
    });
    return same ? "" : "the step, weights or scores have other bits";
  }

  std::string continued() {
    const auto unbroken = make_();
    const Comm self = Comm::self();
    for (const std::uint32_t round : {1U, 2U, 3U}) decide(*unbroken, self, drawn_rows(6, wide, round), round);
    SaveArchive save;
    unbroken->serialize(save, self);
    const Decision expected = decide(*unbroken, self, drawn_rows(6, wide, 4), 4);
    bool same = true;
    run_team(2, [&](const Comm& comm) {
      const auto resumed = make_();
      LoadArchive load(save.bytes());
      resumed->serialize(load, comm);
      const Decision found = decide(*resumed, comm, drawn_rows(6, wide, 4), 4);
      if (comm.rank() == 0) same = found == expected;
    });
    return same ? "" : "the round after the load has other bits: what must last belongs in 'state'";
  }

  std::string few() {
    for (const TriedRows& rows :
         {TriedRows(5, std::vector<float>(small, 0.0F)), drawn_rows(1, small, 1), drawn_rows(2, small, 1)}) {
      fresh(rows);
    }
    return "";
  }

  std::string at_scale(double scale) {
    fresh(drawn_rows(6, small, 1, scale));
    return "";
  }

  std::string beside_huge() {
    TriedRows rows = drawn_rows(6, small, 1);
    rows[2] = drawn_rows(1, small, 2, 1e15).front();
    fresh(rows);
    return "";
  }

  std::string permuted(bool noise) {
    const TriedRows rows = drawn_rows(7, small, 1);
    const Decision forward = fresh(rows), backward = fresh(TriedRows(rows.rbegin(), rows.rend()));
    for (std::size_t i = 0; i < 7; ++i) {
      if (std::abs(forward.weights[i] - backward.weights[6 - i]) > 1e-6) {
        return fmt::format("client {} has the weight {}, and {} where the clients come in reverse", i,
                           forward.weights[i], backward.weights[6 - i]);
      }
    }
    return noise ? "" : difference_of(backward.step, forward.step);
  }

  std::string moved(float factor, float shift) {
    const TriedRows rows = drawn_rows(7, small, 1);
    return difference_of(fresh(mapped(rows, factor, shift)).step, mapped({fresh(rows).step}, factor, shift).front());
  }

  std::string unanimous() {
    const TriedRows rows(5, drawn_rows(1, small, 1).front());
    return difference_of(fresh(rows).step, rows.front());
  }

  std::function<std::unique_ptr<Aggregator>()> make_;
  std::vector<PropertyResult> results_;
};

}  // namespace

std::vector<PropertyResult> properties_of(const std::function<std::unique_ptr<Aggregator>()>& make) {
  return Trials(make).all();
}

}  // namespace souk
