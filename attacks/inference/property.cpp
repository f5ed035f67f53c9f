#include <algorithm>
#include <cmath>
#include <compare>
#include <cstdint>
#include <map>
#include <numeric>
#include <span>
#include <vector>

#include "attacks/inference_attack.hpp"
#include "attacks/logistic_descent.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// So many rows of the table, in random order, again from the first where there are fewer.
void draw_rows(const SampleTable& table, std::size_t count, Stream& random, std::vector<float>& features,
               std::vector<std::int32_t>& labels) {
  const std::size_t width = table.features.size() / table.size();
  std::vector<std::uint32_t> order(table.size());
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t which = order[i % order.size()];
    const auto row = table.features.subspan(which * width, width);
    features.insert(features.end(), row.begin(), row.end());
    labels.push_back(table.labels[which]);
  }
}

/// Melis, Song, De Cristofaro, Shmatikov, S&P 2019, the passive attack, with a logistic regression for classifier.
class Property final : public ReadWith<KnowsTraining, KnowsProperty> {
 public:
  explicit Property(const scenario::PropertyInference& config) : config_(config) {}

  std::string claims() const override { return "whether the victim's samples have the property"; }

  Attempt infer(const View& view) const override {
    std::vector<float> seen(view.change().begin(), view.change().end());
    describe(seen);
    return {.claim = ClaimedProperty{lesson_for(view).log_odds(seen)}};
  }

  /// All that is imitated at once, and a training at work.
  double bytes(const Network& network, std::size_t samples, std::size_t) const override {
    const std::size_t rows = 2 * static_cast<std::size_t>(config_.updates()) + 4;
    return static_cast<double>(rows * network.layout().dimension() + samples * network.shape().inputs()) *
           sizeof(float);
  }

 private:
  /// What a classifier depends on: the round, of which `seed` is one, and what is behind what is seen.
  struct Behind {
    std::uint64_t seed = 0;
    std::size_t updates = 0, samples = 0;  ///< to an update, in the mean
    auto operator<=>(const Behind&) const = default;
  };

  static Behind behind(const View& view) {
    return {.seed = view.seed(),
            .updates = view.behind(),
            .samples = (view.samples_of_all() + view.behind() / 2) / view.behind()};
  }

  /// Learned once for all victims of a round who differ in nothing that it depends on.
  const LinearClassifier& lesson_for(const View& view) const {
    const Behind now = behind(view);
    if (!lessons_.empty() && lessons_.begin()->first.seed != now.seed) lessons_.clear();
    const auto known = lessons_.find(now);
    return known != lessons_.end() ? known->second : lessons_.emplace(now, learned(view)).first->second;
  }

  LinearClassifier learned(const View& view) const {
    const std::size_t rows = 2 * static_cast<std::size_t>(config_.updates()), width = view.change().size();
    std::vector<float> values(rows * width);
    std::vector<std::uint8_t> truth;
    for (std::size_t i = 0; i < rows; ++i) {
      truth.push_back(i % 2 == 0 ? 1 : 0);
      const std::span<float> row = std::span(values).subspan(i * width, width);
      imitate_what_is_seen(view, i, truth.back() != 0, row);
      describe(row);
    }
    return {{.values = values, .truth = truth}, config_.loss_weight()};
  }

  /// What the classifier reads of an update.
  void describe(std::span<float> update) const {
    if (!config_.magnitudes()) return;
    for (float& value : update) value = std::abs(value);
  }

  /// A mean of as many updates as are behind it: the victim's, and others of which as many have the property as
  /// clients.
  void imitate_what_is_seen(const View& view, std::size_t which, bool has, std::span<float> mean) const {
    const auto [seed, updates, samples] = behind(view);
    const float share = 1.0F / static_cast<float>(updates);
    for (std::size_t m = 0; m < updates; ++m) {
      Stream random(seed, streams::imitated_update(which, m));
      const bool member_has = m == 0 ? has : random.uniform() < view.property().clients;
      std::vector<float> update = imitated_update(view, samples, member_has, random);
      add_noise(update, random);
      for (std::size_t v = 0; v < mean.size(); ++v) mean[v] += share * update[v];
    }
  }

  /// As a client trains that has so many samples.
  static std::vector<float> imitated_update(const View& view, std::size_t samples, bool has, Stream& random) {
    heartbeat::beat();
    const KnownProperty& property = view.property();
    const std::size_t with =
        has ? static_cast<std::size_t>(std::llround(property.share * static_cast<double>(samples))) : 0;
    std::vector<float> features;
    std::vector<std::int32_t> labels;
    draw_rows(property.with, with, random, features, labels);
    draw_rows(property.without, samples - with, random, features, labels);
    return trained_change(view, features, labels, random);
  }

  static std::vector<float> trained_change(const View& view, std::span<const float> features,
                                           std::span<const std::int32_t> labels, Stream& random) {
    const LocalTraining& training = view.training();
    const std::size_t samples = labels.size(), width = features.size() / samples;
    const std::size_t batch = training.batch_size == 0 ? samples : std::min(training.batch_size, samples);
    std::vector<float> model(view.model().begin(), view.model().end()), gradient(view.change().size()), rows;
    std::vector<std::int32_t> classes;
    std::vector<std::uint32_t> order(samples);
    std::iota(order.begin(), order.end(), 0U);
    const auto rate = static_cast<float>(training.rate);
    const auto kept = static_cast<float>(1.0 - training.rate * training.weight_decay);
    for (std::uint32_t pass = 0; pass < training.passes; ++pass) {
      random.shuffle(order);
      for (std::size_t first = 0; first < samples; first += batch) {
        rows.clear();
        classes.clear();
        for (std::size_t i = first; i < std::min(first + batch, samples); ++i) {
          const auto row = features.subspan(order[i] * width, width);
          rows.insert(rows.end(), row.begin(), row.end());
          classes.push_back(labels[order[i]]);
        }
        view.network().gradient(model, {.features = rows, .labels = classes, .samples = classes.size()}, gradient);
        for (std::size_t v = 0; v < gradient.size(); ++v) model[v] = kept * model[v] - rate * gradient[v];
      }
    }
    for (std::size_t v = 0; v < gradient.size(); ++v) gradient[v] = model[v] - view.model()[v];
    return gradient;
  }

  void add_noise(std::span<float> update, Stream& random) const {
    if (config_.noise() == 0.0) return;
    double square = 0.0;
    for (const float value : update) square += static_cast<double>(value) * static_cast<double>(value);
    const double deviation = config_.noise() * std::sqrt(square / static_cast<double>(update.size()));
    for (float& value : update) value += static_cast<float>(deviation * random.normal());
  }

  scenario::PropertyInference config_;
  mutable std::map<Behind, LinearClassifier> lessons_;  ///< of the last round
};

const Register<InferenceAttack, Property, scenario::PropertyInference> register_property;

}  // namespace
}  // namespace souk
