#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "attacks/class_shares_estimate.hpp"
#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

using ProbeView = View<Pool, Laboratory>;

std::vector<double> lengths_of(const Comm& comm, const ColumnMatrix& rows) {
  std::vector<double> lengths = squared_norms(comm, rows);
  for (double& length : lengths) length = std::sqrt(length);
  return lengths;
}

/// What members submitted in a round.
struct Probes {
  std::vector<AgentId> members;  ///< [m] ascending
  ScoredRound round;             ///< without outcomes

  /// Those of these sellers, who stand as having submitted nothing where they are not among the members.
  ScoredRound of(std::span<const AgentId> sellers) const {
    const std::size_t classes = round.between.order;
    ScoredRound some{
        .products = std::vector<double>(sellers.size() * classes, 0.0), .between = round.between, .outcomes = {}};
    for (std::size_t j = 0; j < sellers.size(); ++j) {
      const auto at = std::ranges::lower_bound(members, sellers[j]);
      if (at == members.end() || *at != sellers[j]) continue;
      const auto row = static_cast<std::size_t>(at - members.begin()) * classes;
      std::copy_n(round.products.begin() + static_cast<std::ptrdiff_t>(row), classes,
                  some.products.begin() + static_cast<std::ptrdiff_t>(j * classes));
    }
    return some;
  }
};

/// In the round that is going on.
struct Submitted {
  Probes probes;
  ColumnMatrix classes;  ///< [classes, d] their gradients
};

/// Members who compare what their updates earned with the gradients of classes (docs/privacy.md, the buyer's baseline).
class BaselineProbe final : public CraftWith<Pool, Laboratory> {
 public:
  explicit BaselineProbe(const scenario::BaselineProbe& config) : config_(config) {}

  Knowledge least() const override { return Knowledge::colluders; }
  bool may_behave() const override { return config_.submits() == scenario::BaselineProbe::HONEST; }

  std::string unmet(const ServerTerms& terms) const override {
    if (terms.classes == 0) return "baseline_probe: tells shares of classes, and the task has none";
    if (!terms.has_baseline) {
      return "baseline_probe: the server has no root data, and asks no validators, that it could tell about";
    }
    if (config_.channel() == scenario::BaselineProbe::SHARES) {
      return terms.publishes_weights ? "" : "baseline_probe.channel = SHARES: the server does not publish weights";
    }
    const char* name = config_.channel() == scenario::BaselineProbe::SALES ? "SALES" : "PAYMENTS";
    if (terms.pays_every == 0)
      return fmt::format("baseline_probe.channel = {}: nobody buys updates without a market", name);
    if (terms.pays_every > 1 && config_.channel() == scenario::BaselineProbe::SALES) {
      return "baseline_probe.channel = SALES: where market.arrears pays rounds together, nobody learns of a single "
             "sale";
    }
    return "";
  }

  /// Gradients of the classes, while they are worked on twice over; those of the last round stay. A round is remembered
  /// by a few numbers.
  AttackFootprint footprint(const AttackScale& scale) const override {
    AttackFootprint own = UpdateAttack::footprint(scale);
    own.held += classes_guess * scale.vector;
    own.working += 2.0 * classes_guess * scale.vector;
    return own;
  }

  Crafted craft(const ProbeView& view) override {
    ClassGradients gradients = view.lab.class_gradients(view.members, config_.samples_per_class());
    const auto missing = std::ranges::count(gradients.samples, std::size_t{0});
    ColumnMatrix rows = probes(view, gradients.rows);
    submitted_.emplace(Submitted{.probes = {.members = {view.members.begin(), view.members.end()},
                                            .round = {.products = products(view.comm, rows, gradients.rows),
                                                      .between = gram(view.comm, gradients.rows),
                                                      .outcomes = {}}},
                                 .classes = std::move(gradients.rows)});
    return {std::move(rows), {{"classes_without_samples", static_cast<double>(missing)}}};
  }

  void learn(const OwnOutcomes& outcomes) override {
    if (config_.channel() == scenario::BaselineProbe::SHARES) return;
    hold(outcomes.members);
    if (outcomes.payees.empty()) return;
    turned_ = outcomes.turned;
    const bool sales = config_.channel() == scenario::BaselineProbe::SALES;
    std::vector<double> earned;
    for (const double paid : outcomes.paid) earned.push_back(sales ? (paid > 0.0 ? 1.0 : 0.0) : paid);
    remember(outcomes.payees, earned);
  }

  void observe(const Published& published) override {
    if (config_.channel() != scenario::BaselineProbe::SHARES || published.weights.empty()) return;
    hold(published.agents);
    remember(published.agents, published.weights);
  }

  std::optional<BaselineClaim> claim(const Comm& comm) override {
    if (!submitted_) return std::nullopt;
    const std::size_t classes = submitted_->classes.rows();
    std::vector<double> shares;
    if (config_.channel() == scenario::BaselineProbe::SALES) {
      shares = class_shares_from_sales(
          rounds_, classes,
          {.threshold = config_.has_threshold() ? std::optional(config_.threshold()) : std::nullopt,
           .turned = turned_});
    } else {
      Stream random(seed_, streams::starts_of_fit(round_));
      shares = class_shares_from_scores(rounds_, classes, random, before_);
      before_ = shares;
    }
    std::optional<BaselineClaim> claim;
    if (!shares.empty()) {
      claim.emplace(BaselineClaim{.class_shares = shares,
                                  .direction = mix(comm, submitted_->classes, shares),
                                  .evidence = rounds_,
                                  .sales = config_.channel() == scenario::BaselineProbe::SALES,
                                  .prices = config_.channel() == scenario::BaselineProbe::PAYMENTS});
    }
    submitted_.reset();
    return claim;
  }

  void serialize(Archive& archive, const Comm&) override {
    archive.field("last estimate", before_);
    auto count = static_cast<std::int64_t>(rounds_.size());
    archive.field("rounds seen", count);
    rounds_.resize(static_cast<std::size_t>(count));
    for (ScoredRound& round : rounds_) serialize(archive, round);
    count = static_cast<std::int64_t>(unpaid_.size());
    archive.field("rounds unpaid", count);
    unpaid_.resize(static_cast<std::size_t>(count));
    for (Probes& probes : unpaid_) {
      std::vector<std::int64_t> members;
      for (const AgentId member : probes.members) members.push_back(member.value);
      archive.field("members", members);
      probes.members.clear();
      for (const std::int64_t member : members) probes.members.push_back({static_cast<std::uint32_t>(member)});
      serialize(archive, probes.round);
    }
  }

 private:
  static void serialize(Archive& archive, ScoredRound& round) {
    archive.field("products", round.products);
    auto order = static_cast<std::int64_t>(round.between.order);
    archive.field("classes", order);
    round.between.order = static_cast<std::size_t>(order);
    archive.field("between classes", round.between.lower);
    archive.field("outcomes", round.outcomes);
  }

  ColumnMatrix probes(const ProbeView& view, const ColumnMatrix& classes) {
    seed_ = view.seed;
    round_ = view.round;
    const std::size_t members = view.members.size(), count = classes.rows();
    if (config_.submits() == scenario::BaselineProbe::HONEST) return copy_of(view.comm, view.own);
    std::vector<double> coefficients(members * count, 0.0);
    for (std::size_t i = 0; i < members; ++i) {
      const auto own = std::span(coefficients).subspan(i * count, count);
      switch (config_.submits()) {
        case scenario::BaselineProbe::CLASSES:
          own[i % count] = 1.0;
          break;
        case scenario::BaselineProbe::SIGNED_CLASSES:
          own[i % count] = i / count % 2 == 0 ? 1.0 : -1.0;
          break;
        default: {
          Stream random(view.seed, streams::update_values(view.members[i], view.round, 0, 0));
          std::ranges::generate(own, [&] { return random.normal(); });
        }
      }
    }
    const ColumnMatrix rows = mix(view.comm, classes, coefficients);
    const std::vector<double> honest = lengths_of(view.comm, view.own), lengths = lengths_of(view.comm, rows);
    std::vector<double> factors(members, 0.0);
    for (std::size_t i = 0; i < members; ++i) factors[i] = lengths[i] > 0.0 ? honest[i] / lengths[i] : 0.0;
    return scale_rows(view.comm, rows, factors);
  }

  /// [members, classes] <D_j, G_c> / |D_j|.
  static std::vector<double> products(const Comm& comm, const ColumnMatrix& rows, const ColumnMatrix& classes) {
    const std::vector<double> lengths = lengths_of(comm, rows);
    std::vector<double> all(rows.rows() * classes.rows(), 0.0);
    for (std::size_t c = 0; c < classes.rows(); ++c) {
      const std::vector<double> with_class = dots(comm, rows, copy_of_row(classes, c));
      for (std::size_t j = 0; j < rows.rows(); ++j) {
        all[j * classes.rows() + c] = lengths[j] > 0.0 ? with_class[j] / lengths[j] : 0.0;
      }
    }
    return all;
  }

  /// Keeps what the round has used of what was submitted until it is paid.
  void hold(std::span<const AgentId> used) {
    if (!submitted_) return;
    std::vector<AgentId> members;
    std::ranges::set_intersection(submitted_->probes.members, used, std::back_inserter(members));
    if (!members.empty()) unpaid_.push_back({members, submitted_->probes.of(members)});
  }

  /// What the members among these came to in all rounds that they had not been paid for.
  void remember(std::span<const AgentId> agents, std::span<const double> outcomes) {
    std::vector<AgentId> sellers;
    std::vector<double> earned;
    for (std::size_t i = 0; i < agents.size(); ++i) {
      const bool submitted = std::ranges::any_of(
          unpaid_, [&](const Probes& probes) { return std::ranges::binary_search(probes.members, agents[i]); });
      if (!submitted) continue;
      sellers.push_back(agents[i]);
      earned.push_back(outcomes[i]);
    }
    if (!sellers.empty()) {
      for (const Probes& probes : unpaid_) rounds_.push_back(probes.of(sellers));
      rounds_.back().outcomes = std::move(earned);
    }
    unpaid_.clear();
  }

  static constexpr double classes_guess = 10.0;  // of most data sets

  scenario::BaselineProbe config_;
  std::uint64_t seed_ = 0;
  RoundIndex round_{};
  double turned_ = 0.0;
  std::vector<double> before_;          ///< the last estimate from scores
  std::vector<ScoredRound> rounds_;     ///< all so far of which something is known
  std::vector<Probes> unpaid_;          ///< rounds that nobody has been told the outcomes of
  std::optional<Submitted> submitted_;  ///< between submission and claim
};

const Register<UpdateAttack, BaselineProbe, scenario::BaselineProbe> register_baseline_probe;

}  // namespace
}  // namespace souk
