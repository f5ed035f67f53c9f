#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "agents/inference/claim_records.hpp"
#include "agents/inference/inference_campaign.hpp"
#include "agents/inference/model_inconsistency.hpp"
#include "agents/inference/sample_images.hpp"
#include "agents/inference/sample_property.hpp"
#include "agents/inference/victim_cases.hpp"
#include "agents/stage.hpp"
#include "agents/training/model_server.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/learn/schedule.hpp"
#include "sim/learn/tasks/row_task.hpp"

namespace souk {
namespace {

/// Rows of features with classes, of which clients train on all that they have, as they are.
void check_inference(const scenario::Scenario& scenario, const Federation& federation) {
  const scenario::Training& training = scenario.task().training();
  SOUK_REQUIRE(federation.task().rows() != nullptr && federation.task().classes() > 0,
               "inference: reads updates of rows with classes, and the data set has none");
  SOUK_REQUIRE(federation.train().shape().vocabulary == 0,
               "inference: compares what is claimed value by value, and the data set holds texts");
  SOUK_REQUIRE(!training.has_local_steps(),
               "inference: clients train on a part of their samples, task.training.local_steps; set local_epochs");
  SOUK_REQUIRE(!training.augmentation().flip() && training.augmentation().crop_padding() == 0,
               "inference: clients train on other images than they have, task.training.augmentation");
  SOUK_REQUIRE(scenario.inference().attacks_size() > 0, "inference.attacks: there is none");
  SOUK_REQUIRE(scenario.inference().from_round() <= scenario.rounds(),
               "inference.from_round = {}: the run ends with round {}", scenario.inference().from_round(),
               scenario.rounds());
}

LocalTraining training_of_round(const scenario::Scenario& scenario, RoundIndex round) {
  const scenario::Training& training = scenario.task().training();
  const bool one_gradient = training.algorithm() == scenario::Training::FED_SGD;
  return {.rate = scheduled_learning_rate(training, round, scenario.rounds()),
          .weight_decay = training.sgd().weight_decay(),
          .passes = one_gradient ? 1 : training.local_epochs(),
          .batch_size = one_gradient ? 0 : training.batch_size()};
}

/// Shows attackers what arrives of victims, lets them work, and compares what they claim with the truth. What they see
/// is taken when all others have had their say about it, and they work when the round's model is known.
class Inference final : public Stage, public ServerHooks {
 public:
  explicit Inference(const World& world)
      : comm_(world.comm),
        scenario_(world.scenario),
        config_(world.scenario.inference()),
        federation_(world.federation),
        images_((check_inference(world.scenario, world.federation), world.federation.train())),
        property_(config_.has_property() ? std::make_unique<SampleProperty>(world.federation) : nullptr),
        records_(world.federation, images_, property_.get()),
        auxiliary_(images_.features(world.federation.auxiliary())) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < static_cast<std::size_t>(config_.attacks_size()); ++i) {
      campaigns_.emplace_back(scenario_, i, federation_);
      SOUK_REQUIRE(names.insert(campaigns_.back().name()).second,
                   "inference.attacks[{}].name = \"{}\": another attack is called so", i, campaigns_.back().name());
      take_control(i);
    }
    for (const SampleIndex sample : federation_.auxiliary()) {
      auxiliary_labels_.push_back(federation_.train().labels()[sample]);
    }
    if (property_ != nullptr) known_property_ = property_->known_of(auxiliary_, auxiliary_labels_);
  }

  ServerHooks* hooks(std::size_t owner) override { return owner == 0 ? this : nullptr; }
  bool shapes_models() const override { return controller_ != nullptr || inconsistency_; }

  std::vector<Forecast> forecasts() override {
    std::uint64_t attempts = 0, models = 0;
    for (const InferenceCampaign& campaign : campaigns_) {
      attempts += campaign.attack().attempts();
      models += campaign.attack().attempts() * campaign.attack().trained_models();
    }
    const std::uint64_t rounds =
        config_.every() == 0 ? 1 : (scenario_.rounds() - config_.from_round()) / config_.every() + 1;
    return {{"inference", fmt::format("{} attempts on each of {} victims in {}{}", attempts, config_.victims(),
                                      rounds == 1 ? "one round" : fmt::format("{} rounds", rounds),
                                      models == 0 ? "" : fmt::format("; {} shadows trained for each", models))}};
  }

  std::vector<PartFootprint> footprints(int) const override {
    PartFootprint part{"inference", {}};
    Network& network = federation_.task().rows()->network();
    const std::size_t held = federation_.dealt().deal.samples.size() / federation_.population().clients() + 1;
    const LocalTraining training = training_of_round(scenario_, {1});
    for (const InferenceCampaign& campaign : campaigns_) {
      const std::size_t behind = campaign.config().has_update() || campaign.config().has_isolated() ? 1
                                 : campaign.config().has_cluster() ? campaign.config().cluster().size()
                                                                   : federation_.selector().most();
      part.footprint.at(Moment::attacking) =
          std::max(part.footprint.at(Moment::attacking),
                   campaign.attack().bytes(network, held * behind, training.steps(held) * behind));
    }
    part.footprint.held = static_cast<double>(auxiliary_.size() + campaigns_.size() * config_.victims() *
                                                                      federation_.task().layout().trainable()) *
                          sizeof(float);
    return {part};
  }

 private:
  void attach(ModelServer& server) override { server_ = &server; }

  /// Of the last campaign, where it sends other models than the server's.
  void take_control(std::size_t index) {
    const InferenceCampaign& campaign = campaigns_.back();
    if (!campaign.controls_model() && !campaign.config().has_isolated()) return;
    SOUK_REQUIRE(controller_ == nullptr && !inconsistency_,
                 "inference.attacks[{}]: of the attacks that send another model there can be one", index);
    controller_index_ = index;
    if (campaign.config().has_isolated()) {
      inconsistency_.emplace(federation_, index);
    } else {
      controller_ = &campaign.attack();
    }
  }

  bool is_due(RoundIndex round) const {
    const std::uint32_t first = config_.from_round();
    if (round.value < first) return false;
    return config_.every() == 0 ? round.value == first : (round.value - first) % config_.every() == 0;
  }

  std::vector<float> offer(RoundIndex round) override {
    is_offered_ = controller_ != nullptr && is_due(round);
    if (!is_offered_) return {};
    std::vector<float> model(server_->trainable().begin(), server_->trainable().end());
    controller_->craft_model(federation_.task().rows()->network(), auxiliary_table(),
                             campaigns_[controller_index_].seed(round), model);
    return model;
  }

  OtherModel divide(RoundIndex round, std::span<const AgentId> clients) override {
    if (!inconsistency_ || !is_due(round)) return {};
    is_offered_ = true;
    return inconsistency_->divide(round, clients, server_->parameters());
  }

  void invite(RoundIndex, std::size_t, Invitation&, RoundRecord&) override { cases_.clear(); }

  void receive(ServerRound& round, RoundRecord& record) override {
    if (!is_due(round.round)) return;
    model_.assign(server_->parameters().begin(), server_->parameters().end());
    const std::vector<std::size_t> honest = honest_rows(round, federation_.population());
    const std::vector<std::size_t> victims = drawn_victims(honest, config_.victims(), scenario_.seed(), round.round);
    for (const InferenceCampaign& campaign : campaigns_) {
      cases_.push_back(
          victim_cases(campaign.config(), round, victims_of(campaign, round, victims), honest, federation_));
      const bool by_sum = campaign.config().has_sum() || campaign.config().has_isolated();
      if (by_sum && round.groups && round.groups->means.rows() == 0) cases_.back().clear();  // lost
      ask_about_samples(campaign, round.round, cases_.back());
      const bool smaller = campaign.config().has_cluster() && honest.size() < campaign.config().cluster().size();
      if (!smaller || victims.empty()) continue;
      record.events.push_back({"inference", -1,
                               fmt::format("{}: clusters of {}, for no more honest clients sent "
                                           "something",
                                           campaign.name(), honest.size())});
    }
    take_what_is_seen(round, record);
  }

  /// Rows of those drawn, or of whom alone this attack shows anything.
  std::vector<std::size_t> victims_of(const InferenceCampaign& campaign, const ServerRound& round,
                                      const std::vector<std::size_t>& drawn) const {
    if (!campaign.config().has_isolated()) return drawn;
    const auto found = std::ranges::find(round.clients, inconsistency_->victim());
    if (found == round.clients.end()) return {};
    return {static_cast<std::size_t>(found - round.clients.begin())};
  }

  void ask_about_samples(const InferenceCampaign& campaign, RoundIndex round, std::vector<VictimCase>& cases) const {
    if (!campaign.attack().needs().has(InferenceGrant::candidates)) return;
    for (VictimCase& one : cases) {
      const auto mine = std::span(one.hidden.samples).first(one.hidden.of_victim);
      const AgentId victim = one.members.front().client;
      one.asked =
          asked_samples(federation_, victim, mine, config_.candidates(), !campaign.config().has_source(), round);
    }
  }

  /// The attempts of the round in their order.
  struct Unit {
    std::size_t campaign, victim;
    std::uint32_t attempt;
    std::size_t seen;  ///< row of what is shown
  };
  std::vector<Unit> units() const {
    std::vector<Unit> units;
    std::size_t seen = 0;
    for (std::size_t c = 0; c < cases_.size(); ++c) {
      for (std::size_t v = 0; v < cases_[c].size(); ++v, ++seen) {
        for (std::uint32_t a = 0; a < campaigns_[c].attack().attempts(); ++a) units.push_back({c, v, a, seen});
      }
    }
    return units;
  }
  static std::size_t cut(std::size_t total, int ranks, int rank) {
    return total * static_cast<std::size_t>(rank) / static_cast<std::size_t>(ranks);
  }

  /// In this rank's columns.
  static void mean_of_updates(const ColumnMatrix& updates, const VictimCase& victim, std::span<float> mean) {
    for (std::size_t v = 0; v < mean.size(); ++v) {
      double sum = 0.0;
      for (std::size_t m = 0; m < victim.rows.size(); ++m) {
        sum += victim.shares[m] * static_cast<double>(updates.row(victim.rows[m])[v]);
      }
      mean[v] = static_cast<float>(sum);
    }
  }

  /// Means of updates, computed column by column, of which every rank gets those that it works on.
  void take_what_is_seen(const ServerRound& round, RoundRecord& record) {
    std::size_t rows = 0;
    for (const auto& victims : cases_) rows += victims.size();
    ColumnMatrixBuilder builder(comm_, rows, round.updates.dimension());
    ColumnMatrixBuilder statistics(comm_, rows, round.buffers.dimension());
    std::size_t row = 0;
    for (std::size_t c = 0; c < cases_.size(); ++c) {
      for (const VictimCase& victim : cases_[c]) {
        mean_of_updates(round.buffers, victim, statistics.row(row));
        const std::span<float> mean = builder.row(row++);
        if (campaigns_[c].config().has_isolated()) {
          inconsistency_->isolate(round, victim.place, mean);
          record.add("inference." + campaigns_[c].name() + ".isolation_error",
                     inconsistency_->error(comm_, round, victim.place, mean));
        } else if (round.groups && campaigns_[c].config().has_sum()) {  // what secure aggregation decodes
          std::ranges::copy(round.groups->means.row(0), mean.begin());
        } else {
          mean_of_updates(round.updates, victim, mean);
        }
      }
    }
    const ColumnMatrix shown = std::move(builder).finish();
    const std::vector<Unit> all = units();
    std::vector<RowRange> wanted;
    for (int rank = 0; rank < comm_.size(); ++rank) {
      const std::size_t first = cut(all.size(), comm_.size(), rank), last = cut(all.size(), comm_.size(), rank + 1);
      const RowRange range = first == last ? RowRange{0, 0} : RowRange{all[first].seen, all[last - 1].seen + 1};
      wanted.push_back(range);
      if (rank == comm_.rank()) first_seen_ = range.begin;
    }
    seen_ = gather_rows(comm_, shown, wanted);
    if (round.buffers.dimension() > 0) seen_statistics_ = gather_rows(comm_, std::move(statistics).finish(), wanted);
    clients_ = round.clients;
    take_all_updates(round);
  }

  /// Whole, on every rank, where some attack compares them.
  void take_all_updates(const ServerRound& round) {
    updates_.clear();
    const bool wanted = std::ranges::any_of(campaigns_, [](const InferenceCampaign& campaign) {
      return campaign.attack().needs().has(InferenceGrant::others);
    });
    if (!wanted) return;
    const std::vector<RowRange> everything(static_cast<std::size_t>(comm_.size()), {0, round.updates.rows()});
    all_updates_ = gather_rows(comm_, round.updates, everything);
    const std::size_t d = round.updates.dimension();
    for (std::size_t k = 0; k < round.updates.rows(); ++k)
      updates_.push_back(std::span(all_updates_).subspan(k * d, d));
  }

  /// The server does not learn from a model that it has made to be read.
  void change_step(const ServerRound&, ColumnVector& step) override {
    if (is_offered_) std::ranges::fill(step.values(), 0.0F);
  }

  void settle(ServerRound& round, Phases& phases, RoundRecord& record) override {
    if (cases_.empty()) return;
    const std::vector<Unit> all = units();
    const std::size_t first = cut(all.size(), comm_.size(), comm_.rank());
    const std::size_t last = cut(all.size(), comm_.size(), comm_.rank() + 1);
    std::vector<Attempt> attempts;
    phases.local("infer", [&] {
      for (std::size_t u = first; u < last; ++u) attempts.push_back(work_on(all[u], round.round));
    });
    phases.collective("claims", [&] { judge(all, first, attempts, record); });
    cases_.clear();
    seen_.clear();
  }

  SampleTable auxiliary_table() const { return {.features = auxiliary_, .labels = auxiliary_labels_}; }

  Attempt work_on(const Unit& unit, RoundIndex round) const {
    const std::size_t dimension = server_->trainable().size(), others = model_.size() - dimension;
    const std::size_t row = unit.seen - first_seen_;
    const InferenceCampaign& campaign = campaigns_[unit.campaign];
    Shown shown{.change = std::span(seen_).subspan(row * dimension, dimension), .statistics = {}};
    std::vector<float> published;  // running statistics
    if (campaign.config().has_published()) shown.change = server_->change();
    if (campaign.config().knows_statistics()) {
      shown.statistics = std::span(seen_statistics_).subspan(row * others, others);
      if (campaign.config().has_published()) {
        for (std::size_t v = dimension; v < model_.size(); ++v) {
          published.push_back(server_->parameters()[v] - model_[v]);
        }
        shown.statistics = published;
      }
    }
    return campaign.attempt({.round = round,
                             .network = federation_.task().rows()->network(),
                             .model = model_,
                             .training = training_of_round(scenario_, round),
                             .pixels = images_.pixels(),
                             .auxiliary = auxiliary_table(),
                             .updates = updates_,
                             .property = property_ == nullptr ? nullptr : &known_property_},
                            cases_[unit.campaign][unit.victim], shown, unit.attempt);
  }

  /// Of every victim the attempt that costs least, the first of equals; what is no number costs most.
  std::vector<std::size_t> cheapest(const std::vector<Unit>& all, std::span<const double> costs) const {
    std::vector<std::size_t> best;
    for (std::size_t u = 0; u < all.size(); ++u) {
      if (all[u].attempt == 0) {
        best.push_back(u);
      } else if (costs[u] < costs[best.back()] || (std::isnan(costs[best.back()]) && !std::isnan(costs[u]))) {
        best.back() = u;
      }
    }
    return best;
  }

  void judge(const std::vector<Unit>& all, std::size_t first, const std::vector<Attempt>& attempts,
             RoundRecord& record) {
    std::vector<double> own_costs, own_claims;
    for (const Attempt& attempt : attempts) own_costs.push_back(attempt.cost);
    const std::vector<double> costs = comm_.all_gather(std::span<const double>(own_costs));
    const std::vector<std::size_t> best = cheapest(all, costs);
    for (const std::size_t u : best) {
      if (u < first || u >= first + attempts.size()) continue;
      const std::vector<double> packed = packed_claim(attempts[u - first].claim);
      own_claims.insert(own_claims.end(), packed.begin(), packed.end());
    }
    const std::vector<double> claims = comm_.all_gather(std::span<const double>(own_claims));
    std::span<const double> rest = claims;
    std::vector<std::vector<VictimScore>> scores(campaigns_.size());
    for (const std::size_t u : best) {
      const VictimCase& victim = cases_[all[u].campaign][all[u].victim];
      scores[all[u].campaign].push_back(records_.score(unpacked_claim(rest), victim, clients_));
    }
    for (std::size_t c = 0; c < campaigns_.size(); ++c) {
      if (!scores[c].empty()) records_.record(campaigns_[c], scores[c], record);
    }
  }

  const Comm& comm_;
  const scenario::Scenario& scenario_;
  const scenario::Inference& config_;
  const Federation& federation_;
  SampleImages images_;
  std::unique_ptr<SampleProperty> property_;  ///< null: there is none
  KnownProperty known_property_;
  ClaimRecords records_;
  std::vector<float> auxiliary_;  ///< [samples, features]
  std::vector<std::int32_t> auxiliary_labels_;
  std::vector<InferenceCampaign> campaigns_;
  const InferenceAttack* controller_ = nullptr;  ///< the attack that sends another model; null: none does
  std::size_t controller_index_ = 0;
  std::optional<ModelInconsistency> inconsistency_;  ///< none: all clients of a round are sent one model
  ModelServer* server_ = nullptr;
  // Of a round with victims.
  bool is_offered_ = false;                     ///< another model, from which the server does not learn
  std::vector<float> model_;                    ///< [dimension] that clients were sent
  std::vector<std::vector<VictimCase>> cases_;  ///< [campaigns] [victims]
  std::vector<float> seen_;                     ///< [rows, trainable] shown to those who work here
  std::vector<float> seen_statistics_;          ///< [rows, dimension - trainable], likewise
  std::size_t first_seen_ = 0;                  ///< number of its first row
  std::vector<AgentId> clients_;                ///< whose the round's updates are
  std::vector<float> all_updates_;              ///< [updates, trainable] where some attack compares them
  std::vector<std::span<const float>> updates_;
};

const RegisterStage register_inference(
    {.name = "inference",
     .place = Place::serving,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.has_inference(); },
     .make = [](const World& world) -> std::unique_ptr<Stage> { return std::make_unique<Inference>(world); }});

}  // namespace
}  // namespace souk
