#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "aggregators/last_layer_updates.hpp"
#include "aggregators/rule_tools.hpp"
#include "aggregators/stats/hdbscan.hpp"
#include "aggregators/stats/similarity.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/stats/order_statistics.hpp"

namespace souk {
namespace {

/// Clusters of two or more. The paper leaves the sizes open; the smallest ones let two attackers be seen together.
std::vector<std::size_t> clusters_of(const SymmetricMatrix& distances) {
  return hdbscan(distances, {.min_cluster_size = 2, .min_samples = 1, .allow_single_cluster = false});
}

std::vector<std::size_t> clusters_of(const DenseMatrix& points) {
  SymmetricMatrix distances = squared_distances(points);
  for (double& distance : distances.lower) distance = std::sqrt(distance);
  return clusters_of(distances);
}

std::vector<std::size_t> clusters_by_angle(const SymmetricMatrix& gram) {
  SymmetricMatrix distances = cosines(gram);
  for (std::size_t i = 0; i < distances.order; ++i) {
    const std::span<double> row = distances.row(i);
    for (std::size_t j = 0; j < i; ++j) row[j] = 1.0 - row[j];
    row[i] = 0.0;
  }
  return clusters_of(distances);
}

/// Adds `distance` to all pairs that a clustering separates; noise is alone.
void add_separated(SymmetricMatrix& distances, const std::vector<std::size_t>& labels, double distance) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j < i; ++j) {
      if (labels[i] == noise || labels[i] != labels[j]) distances(i, j) += distance;
    }
  }
}

/// Shares of the classes in the squared energy of each update: NEUPs, equation 8.
DenseMatrix normalised(DenseMatrix energies) {
  for (std::size_t i = 0; i < energies.rows; ++i) {
    double total = 0.0;
    for (const double energy : energies.row(i)) total += energy * energy;
    for (double& energy : energies.row(i)) energy = total > 0.0 ? energy * energy / total : 0.0;
  }
  return energies;
}

/// Updates that move few classes, as of homogeneous data: equations 9 to 11.
std::vector<bool> suspects_of(const DenseMatrix& neups) {
  const double share = std::max(0.01, 1.0 / static_cast<double>(neups.columns));
  std::vector<double> exceedings;
  for (std::size_t i = 0; i < neups.rows; ++i) {
    const std::span<const double> neup = neups.row(i);
    const double threshold = share * *std::max_element(neup.begin(), neup.end());
    const auto exceeds = [threshold](double value) { return value > threshold; };
    exceedings.push_back(static_cast<double>(std::count_if(neup.begin(), neup.end(), exceeds)));
  }
  const double boundary = median(exceedings) / 2.0;
  std::vector<bool> suspects;
  for (const double count : exceedings) suspects.push_back(count <= boundary);
  return suspects;
}

/// Members of the clusters with less than a share tau of suspects; noise is judged alone.
std::vector<std::size_t> accepted_of(const std::vector<std::size_t>& labels, const std::vector<bool>& suspects,
                                     double tau) {
  std::vector<std::size_t> accepted;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    double members = 0.0, suspected = 0.0;
    for (std::size_t j = 0; j < labels.size(); ++j) {
      if (j != i && (labels[i] == noise || labels[j] != labels[i])) continue;
      members += 1.0;
      suspected += suspects[j] ? 1.0 : 0.0;
    }
    if (suspected / members < tau) accepted.push_back(i);
  }
  return accepted;
}

/// Rieger, Nguyen, Miettinen, Sadeghi, "DeepSight: Mitigating Backdoor Attacks in Federated Learning Through Deep Model
/// Inspection", NDSS 2022, Algorithms 1 and 2.
class DeepSight final : public Aggregator {
 public:
  explicit DeepSight(const scenario::DeepSight& config)
      : samples_(config.samples()), sets_(config.sets()), tau_(config.tau()) {}

  RuleNeeds needs() const override { return {.model = true, .classes = true, .noise = true}; }
  RulePreserves preserves() const override { return {.scale = false, .translation = false}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + 3.0 * scale.pairs() + scale.vector(), .candidates = scale.updates};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const LastLayer layer = last_layer(*input.layout);
    const auto classes = static_cast<std::size_t>(input.losses->classes());
    const DenseMatrix neups = normalised(magnitudes_by_class(input, layer, classes));
    const std::vector<bool> suspects = suspects_of(neups);
    const SymmetricMatrix distances = separations(input, neups, bias_gram(input, layer));
    const std::vector<std::size_t> accepted = accepted_of(clusters_of(distances), suspects, tau_);
    const std::vector<double> norms = norms_of(input);
    const double limit = median(norms);
    RuleOutput output = clipped_mean_of(input, accepted, norms, limit);
    output.diagnostics = {{"clipping_norm", limit},
                          {"suspects", static_cast<double>(std::count(suspects.begin(), suspects.end(), true))},
                          {"accepted", static_cast<double>(accepted.size())}};
    return output;
  }

 private:
  /// How many of the clusterings by angle, energies and answers separate two updates, a third each.
  SymmetricMatrix separations(const RuleInput& input, const DenseMatrix& neups, const SymmetricMatrix& biases) const {
    SymmetricMatrix distances = SymmetricMatrix::zeros(neups.rows);
    // In whole numbers, so that equal distances are equal: a third is as many as there are sets.
    add_separated(distances, clusters_by_angle(biases), static_cast<double>(sets_));
    add_separated(distances, clusters_of(neups), static_cast<double>(sets_));
    for (std::uint16_t set = 0; set < sets_; ++set) {
      add_separated(distances, clusters_of(division_differences(input, set)), 1.0);
    }
    for (double& distance : distances.lower) distance /= 3.0 * static_cast<double>(sets_);
    return distances;
  }

  /// DDifs, equation 6, [n, classes]. A model that answers with no number is far from all others.
  DenseMatrix division_differences(const RuleInput& input, std::uint16_t set) const {
    DenseMatrix ratios(input.updates.rows(), static_cast<std::size_t>(input.losses->classes()));
    ratios.values = input.losses->noise_ratios(input.updates, samples_, set);
    constexpr double far = std::numeric_limits<float>::max();
    for (double& ratio : ratios.values) ratio = std::isfinite(ratio) ? std::min(ratio, far) : far;
    return ratios;
  }

  std::size_t samples_, sets_;
  double tau_;
};

const Register<Aggregator, DeepSight, scenario::DeepSight> register_deep_sight;

}  // namespace
}  // namespace souk
