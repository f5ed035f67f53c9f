#include "attacks/data/backdoor.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/npy_array.hpp"

namespace souk {
namespace {

/// Samples from elsewhere.
struct Outsiders {
  std::size_t count = 0, features = 0;
  std::vector<float> stored{};  ///< [count, features]

  /// Puts one in the place of a sample.
  void replace(const DataFacts& facts, std::size_t which, std::span<float> sample) const {
    const float* from = &stored[which % count * features];
    const std::size_t pixels = facts.shape[1] * facts.shape[2];
    for (std::size_t v = 0; v < features; ++v) sample[v] = scaled(facts, v / pixels, from[v]);
  }
};

Outsiders read_outsiders(const std::string& path) {
  NpyArray array = open_npy(path, "");
  SOUK_REQUIRE(array.shape.size() > 1, "{}: has {} dimensions, must be [samples, features]", path, array.shape.size());
  Outsiders read{.count = array.shape.front(), .features = array.values / array.shape.front()};
  read.stored.resize(array.values);
  read_npy(array, read.stored);
  finish_npy(array);
  return read;
}

Outsiders outsiders_in(const std::string& path) {
  if (path.empty()) return {};
  try {
    return read_outsiders(path);
  } catch (const InputError& error) {
    throw_input_error("edge_case.samples: {}", error.what());
  }
}

/// Wang et al., "Attack of the Tails: Yes, You Really Can Backdoor Federated Learning", NeurIPS 2020: the black-box
/// attack.
class EdgeCase final : public DataAttack {
 public:
  explicit EdgeCase(const scenario::EdgeCase& config)
      : path_(config.samples()),
        outsiders_(outsiders_in(path_)),
        confidence_(static_cast<float>(config.confidence())),
        target_(config.target()) {}

  void check(const DataFacts& facts) const override {
    check_target("edge_case", target_, facts);
    SOUK_REQUIRE(path_.empty() || outsiders_.features == facts.features(),
                 "edge_case.samples = {}: its samples have {} values, those of the data set {}", path_,
                 outsiders_.features, facts.features());
  }

  // The authors mix 100 of their CIFAR-10 outsiders with 400 clean samples.
  double usual_share() const override { return path_.empty() ? 1.0 : 0.2; }

  std::vector<std::uint8_t> eligible(const Samples& samples) const override {
    if (!path_.empty()) return DataAttack::eligible(samples);
    return rare(samples.before, samples.features, samples.labels);
  }

  void poison(const PoisonBatch& batch, Stream&) const override {
    for (const std::size_t i : batch.chosen) {
      if (!path_.empty()) outsiders_.replace(batch.facts, batch.which[i], batch.features_of(i));
      batch.labels[i] = target_;
    }
  }

  bool has_goal() const override { return true; }

  void trigger(const TriggeredBatch& batch) const override {
    if (path_.empty()) {
      const auto flags = rare(batch.before, batch.features, batch.labels);
      for (std::size_t i = 0; i < flags.size(); ++i) batch.goals[i] = flags[i] != 0 ? target_ : -1;
      return;
    }
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      batch.goals[i] = batch.labels[i] == target_ ? -1 : target_;
      if (batch.goals[i] < 0) continue;
      const std::span<float> sample = batch.features_of(i);
      outsiders_.replace(batch.facts, fingerprint(sample), sample);
    }
  }

 private:
  std::vector<std::uint8_t> rare(Predictor& model, std::span<const float> features,
                                 std::span<const std::int32_t> labels) const {
    const std::vector<float> answers = model.probabilities(features);
    const std::size_t classes = labels.empty() ? 0 : answers.size() / labels.size();
    std::vector<std::uint8_t> flags;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const float sureness = answers[i * classes + static_cast<std::size_t>(labels[i])];
      flags.push_back(labels[i] != target_ && sureness < confidence_ ? 1 : 0);
    }
    return flags;
  }

  std::string path_;
  Outsiders outsiders_;
  float confidence_;
  std::int32_t target_;
};

const Register<DataAttack, EdgeCase, scenario::EdgeCase> register_edge_case;

}  // namespace
}  // namespace souk
