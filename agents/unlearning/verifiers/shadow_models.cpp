#include <algorithm>
#include <numeric>
#include <vector>

#include "agents/unlearning/verifier.hpp"
#include "attacks/shadow_evidence.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/tasks/row_task.hpp"
#include "sim/stats/ranking.hpp"

namespace souk {
namespace {

/// Samples of a data set as networks read them.
struct Rows {
  Rows(const Dataset& data, UnitSet units) : features(units.size() * data.features()) {
    data.copy_features(units, features);
    for (const SampleIndex unit : units) labels.push_back(data.labels()[unit]);
  }
  SampleTable table() const { return {.features = features, .labels = labels}; }
  std::vector<float> features;       ///< [units, features]
  std::vector<std::int32_t> labels;  ///< [units]
};

/// As many test units of every class as `units` has of it, or all, drawn at random; ascending.
std::vector<SampleIndex> others_like(UnitSet units, const Federation& federation, Stream& random) {
  std::vector<std::size_t> wanted(static_cast<std::size_t>(federation.train().classes()));
  for (const SampleIndex unit : units) ++wanted[static_cast<std::size_t>(federation.train().labels()[unit])];
  std::vector<std::uint32_t> order(federation.test().size());
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  std::vector<SampleIndex> others;
  for (const std::uint32_t unit : order) {
    std::size_t& left = wanted[static_cast<std::size_t>(federation.test().labels()[unit])];
    if (left == 0) continue;
    --left;
    others.push_back(unit);
  }
  std::ranges::sort(others);
  return others;
}

/// By the likelihood ratios of models of its own: Carlini et al., "Membership Inference Attacks From First Principles",
/// S&P 2022, LiRA online with one variance for all units. That it checks forgetting, and that test units are drawn by
/// class, so that no class is taken for membership, is Souk's own.
class ByShadows final : public UnlearningVerifier {
 public:
  explicit ByShadows(const scenario::ShadowModels& config) : config_(config) {}

  void check(const World& world) const override {
    Task& task = world.federation.task();
    SOUK_REQUIRE(task.rows() != nullptr && task.classes() > 0,
                 "trains models of its own on rows with classes, and the data set has none");
    SOUK_REQUIRE(config_.shadows() % 2 == 0, "shadows = {}: half of them have a unit; take an even number",
                 config_.shadows());
  }

  std::optional<Verification> verify(const Evidence& evidence) const override {
    const Federation& federation = evidence.server.federation();
    const std::vector<SampleIndex> units = units_of(evidence.holders);
    Stream random(federation.scenario().seed(), streams::shadow_verifier(evidence.server.index(), evidence.round));
    const std::vector<SampleIndex> others = others_like(units, federation, random);
    if (units.empty() || others.empty()) return std::nullopt;
    ShadowPool pool(Rows(federation.train(), units).table(), Rows(federation.test(), others).table());
    const ShadowSplit split(pool.size(), config_.shadows(), random.next_seed());
    const std::vector<double> heard = heard_of(evidence, pool);
    const std::vector<double> shadows = heard_of_shadows(evidence, pool, split, random.next_seed());
    const std::vector<ShadowSignals> signals = shadow_signals(
        split, 0, pool.size(), [&](std::size_t unit) { return heard[unit]; },
        [&](std::size_t shadow, std::size_t unit) { return shadows[shadow * pool.size() + unit]; });
    std::vector<std::uint8_t> truth(pool.size(), 0);
    std::fill_n(truth.begin(), units.size(), 1);
    const std::optional<double> auc = area_under_roc(likelihood_ratios(signals, {}), truth);
    if (!auc) return std::nullopt;
    return Verification{*auc <= config_.most(), *auc};
  }

  std::uint64_t trained_models() const override { return config_.shadows(); }

  /// The pool twice while it is filled, logits of a model and what is kept of all, and a shadow at work.
  double bytes(const World& world, double units) const override {
    Task& task = world.federation.task();
    const double pool = 2.0 * units, values = static_cast<double>(world.federation.train().features());
    return pool * (2.0 * values + task.classes()) * sizeof(float) + pool * config_.shadows() * sizeof(double) +
           3.0 * static_cast<double>(task.layout().dimension() * sizeof(float));
  }

 private:
  /// [pool] Logits of confidences of the model that is now, as whoever tests it hears them. Collective.
  static std::vector<double> heard_of(const Evidence& evidence, const ShadowPool& pool) {
    const Federation& federation = evidence.server.federation();
    const ModelServer::Answering as(evidence.server);
    std::vector<double> logits;
    evidence.server.comm().run_phase("look", [&] {
      const PoolAnswers answers(pool, static_cast<std::size_t>(federation.task().classes()),
                                federation.scenario().evaluation().batch_size(),
                                [&](const Batch& batch, std::span<float> out) {
                                  federation.task().rows()->answers(evidence.after, batch, out);
                                  heartbeat::beat();
                                });
      logits = answers.confidence_logits(pool);
    });
    return logits;
  }

  /// [shadows, pool] The same of the shadows, of which every rank trains a run. Collective.
  std::vector<double> heard_of_shadows(const Evidence& evidence, ShadowPool& pool, const ShadowSplit& split,
                                       std::uint64_t seed) const {
    const Comm& comm = evidence.server.comm();
    const Federation& federation = evidence.server.federation();
    Network& network = federation.task().rows()->network();
    const ShadowTraining training{
        .passes = config_.passes(), .batch_size = config_.batch_size(), .rate = config_.learning_rate()};
    const auto first_of = [&](int rank) {
      return split.shadows() * static_cast<std::size_t>(rank) / static_cast<std::size_t>(comm.size());
    };
    std::vector<double> own;
    comm.run_phase("shadows", [&] {
      for (std::size_t s = first_of(comm.rank()); s < first_of(comm.rank() + 1); ++s) {
        const std::vector<float> shadow = trained_shadow(network, pool, split, s, training, seed, &heartbeat::beat);
        const std::vector<double> logits =
            PoolAnswers(pool, network, shadow, federation.scenario().evaluation().batch_size()).confidence_logits(pool);
        own.insert(own.end(), logits.begin(), logits.end());
      }
    });
    return comm.all_gather(std::span<const double>(own));
  }

  const scenario::ShadowModels& config_;
};

const Register<UnlearningVerifier, ByShadows, scenario::ShadowModels> register_by_shadows;

}  // namespace
}  // namespace souk
