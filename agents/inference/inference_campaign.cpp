#include "agents/inference/inference_campaign.hpp"

#include <type_traits>

#include <fmt/format.h>

#include "agents/cast/metric_name.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/tasks/row_task.hpp"

namespace souk {
namespace {

using Config = scenario::InferenceAttack;

std::string attack_path(std::size_t index) { return fmt::format("inference.attacks[{}]", index); }

std::string campaign_name(const Config& config, std::size_t index) {
  std::string name = config.name();
  if (name.empty()) name = plugin_name(chosen(config, "attack")->GetDescriptor());
  SOUK_REQUIRE(is_metric_name(name),
               "{}.name = \"{}\": takes lower-case letters, digits and underscores, 64 of them at most",
               attack_path(index), name);
  return name;
}

/// Who can be shown what.
void check_principal(const Config& config, std::size_t index, bool market) {
  const std::string path = attack_path(index);
  SOUK_REQUIRE(config.principal() != Config::BUYER || market,
               "{}.principal = BUYER: nobody buys anything without a market", path);
  SOUK_REQUIRE(config.principal() != Config::VALIDATOR || config.has_cluster(),
               "{}.principal = VALIDATOR: validators are shown cluster means alone: set cluster {{ }}", path);
  SOUK_REQUIRE(config.principal() == Config::SERVER || !config.has_isolated(),
               "{}.isolated: sends the clients their models, which only the SERVER can", path);
  SOUK_REQUIRE(config.principal() != Config::OUTSIDER || config.has_published(),
               "{}.principal = OUTSIDER: outsiders see published models alone: set published {{ }}", path);
}

/// Under secure aggregation nobody sees a single update, nor a mean of some.
void check_secure(const Config& config, const scenario::Communication& communication, const std::string& path) {
  if (!communication.has_secure_aggregation()) return;
  const bool one_sum = communication.secure_aggregation().group() == 0;
  SOUK_REQUIRE(config.has_published() || ((config.has_sum() || config.has_isolated()) && one_sum),
               "{}: communication.secure_aggregation shows nobody {}; set {}", path,
               config.has_sum() || config.has_isolated() ? "the sum of a round, but sums of groups"
                                                         : "single updates or clusters of them",
               one_sum ? "sum { }" : "published { }");
}

/// What local training must be for an attack to know it as plain steps.
void check_plain_steps(const scenario::Training& training, const std::string& path) {
  const bool sgd = training.optimizer_case() == scenario::Training::OPTIMIZER_NOT_SET || training.has_sgd();
  const char* field = !sgd                               ? "optimizer other than sgd"
                      : training.sgd().momentum() > 0.0  ? "sgd.momentum"
                      : training.proximal_mu() > 0.0     ? "proximal_mu"
                      : training.clip_norm() > 0.0       ? "clip_norm"
                      : training.objective_noise() > 0.0 ? "objective_noise"
                      : training.has_sample_privacy()    ? "sample_privacy"
                                                         : nullptr;
  SOUK_REQUIRE(field == nullptr, "{}: the attack imitates plain steps, and task.training has {}", path, field);
}

template <class Work>
void with_attack_path(std::size_t index, Work work) {
  try {
    work();
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}.{}", attack_path(index), error.what()));
  }
}

}  // namespace

InferenceCampaign::InferenceCampaign(const scenario::Scenario& scenario, std::size_t index,
                                     const Federation& federation)
    : config_(scenario.inference().attacks(static_cast<int>(index))),
      index_(index),
      seed_(scenario.seed()),
      name_(campaign_name(config_, index)),
      attack_(make_inference_attack(config_)) {
  check_principal(config_, index, scenario.has_market());
  check(scenario, federation);
}

void InferenceCampaign::check(const scenario::Scenario& scenario, const Federation& federation) const {
  const std::string path = attack_path(index_);
  const InferenceGrants needs = attack_->needs();
  const scenario::Training& training = scenario.task().training();
  SOUK_REQUIRE(!needs.has(InferenceGrant::training) || config_.knows_training(),
               "{}.knows_training = false: the attack is computed from how clients train", path);
  SOUK_REQUIRE(!needs.has(InferenceGrant::auxiliary) || scenario.inference().auxiliary_per_class() > 0,
               "{}: the attack needs samples of its own, and inference.auxiliary_per_class is 0", path);
  SOUK_REQUIRE(!needs.has(InferenceGrant::control) || config_.principal() == Config::SERVER,
               "{}.principal: the attack sends the model that it attacks, which only the SERVER can", path);
  SOUK_REQUIRE(attack_->reads_facts() || !(config_.knows_labels() || config_.knows_counts() || config_.knows_order()),
               "{}.knows_labels, knows_counts, knows_order: the attack makes nothing of them", path);
  const ParameterLayout& layout = federation.task().layout();
  SOUK_REQUIRE(!config_.knows_statistics() || layout.trainable() < layout.dimension(),
               "{}.knows_statistics: the network has no running statistics", path);
  SOUK_REQUIRE(!config_.knows_statistics() || attack_->reads_statistics(),
               "{}.knows_statistics: the attack makes nothing of them", path);
  SOUK_REQUIRE(!needs.has(InferenceGrant::others) || (config_.has_update() && config_.principal() != Config::OUTSIDER),
               "{}: the attack compares single updates; set update {{ }}", path);
  SOUK_REQUIRE(!needs.has(InferenceGrant::property) || scenario.inference().has_property(),
               "{}: asks about a property, and the section has none; set inference.property {{ }}", path);
  SOUK_REQUIRE(!config_.has_isolated() || !attack_->reads_output_biases(),
               "{}.isolated: the attack reads the output layer's biases, and all clients have moved them", path);
  check_secure(config_, scenario.communication(), path);
  if (needs.has(InferenceGrant::training)) check_plain_steps(training, path);
  RowTask& rows = *federation.task().rows();
  const scenario::Model& model = scenario.task().model();
  with_attack_path(index_, [&] {
    attack_->check({.network = rows.network(),
                    .has_auxiliary = scenario.inference().auxiliary_per_class() > 0,
                    .knows_labels = config_.knows_labels(),
                    .knows_counts = config_.knows_counts(),
                    .knows_statistics = config_.knows_statistics(),
                    .cross_entropy = scenario.task().objective().loss_case() == scenario::Objective::LOSS_NOT_SET ||
                                     scenario.task().objective().has_cross_entropy(),
                    .relu_perceptron = model.has_mlp() && model.mlp().activation() == scenario::Mlp::RELU});
  });
}

std::uint64_t InferenceCampaign::seed(RoundIndex round) const {
  return Stream(seed_, streams::inference(index_, round)).next_seed();
}

Attempt InferenceCampaign::attempt(const InferenceRound& round, const VictimCase& victim, const Shown& shown,
                                   std::uint32_t which) const {
  return attack_->infer_from({.network = round.network,
                              .model = round.model,
                              .pixels = round.pixels,
                              .change = shown.change,
                              .statistics = shown.statistics,
                              .members = victim.members,
                              .training = config_.knows_training() ? &round.training : nullptr,
                              .auxiliary = round.auxiliary,
                              .candidates = victim.asked.table(),
                              .updates = attack_->needs().has(InferenceGrant::others)
                                             ? round.updates
                                             : std::span<const std::span<const float>>(),
                              .victim = victim.place,
                              .property = round.property,
                              .seed = seed(round.round),
                              .attempt = which});
}

std::vector<double> packed_claim(const Claim& claim) {
  std::vector<double> values{static_cast<double>(claim.index())};
  const auto put = [&](const auto& some) {
    values.push_back(static_cast<double>(some.size()));
    for (const auto value : some) values.push_back(static_cast<double>(value));
  };
  if (const auto* counts = std::get_if<ClaimedCounts>(&claim)) put(counts->counts);
  if (const auto* samples = std::get_if<ClaimedSamples>(&claim)) {
    put(samples->features);
    put(samples->labels);
    values.push_back(samples->of_all ? 1.0 : 0.0);
  }
  if (const auto* scores = std::get_if<ClaimedScores>(&claim)) put(scores->scores);
  if (const auto* sources = std::get_if<ClaimedSources>(&claim)) put(sources->sources);
  if (const auto* property = std::get_if<ClaimedProperty>(&claim)) values.push_back(property->log_odds);
  return values;
}

Claim unpacked_claim(std::span<const double>& values) {
  const auto next = [&] {
    const double value = values.front();
    values = values.subspan(1);
    return value;
  };
  const auto get = [&](auto& some) {
    some.resize(static_cast<std::size_t>(next()));
    for (auto& value : some) value = static_cast<std::remove_reference_t<decltype(value)>>(next());
  };
  const auto kind = static_cast<std::size_t>(next());
  if (kind == 0) {
    ClaimedCounts counts;
    get(counts.counts);
    return counts;
  }
  if (kind == 1) {
    ClaimedSamples samples;
    get(samples.features);
    get(samples.labels);
    samples.of_all = next() == 1.0;
    return samples;
  }
  if (kind == 2) {
    ClaimedScores scores;
    get(scores.scores);
    return scores;
  }
  if (kind == 3) {
    ClaimedSources sources;
    get(sources.sources);
    return sources;
  }
  return ClaimedProperty{next()};
}

}  // namespace souk
