#include <algorithm>
#include <array>
#include <cmath>

#include "aggregators/affine.hpp"
#include "aggregators/rule_tools.hpp"
#include "aggregators/signs.hpp"
#include "aggregators/stats/gaussian_mixture.hpp"
#include "aggregators/stats/pca.hpp"
#include "aggregators/stats/similarity.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

constexpr std::size_t block = 2048;       // columns at a time: their sums stay in the first cache
constexpr double strong_evidence = 10;    // of BIC: "very strong" (Kass, Raftery, JASA 1995)
constexpr std::size_t steps_a_test = 10;  // the loss is looked at every so many steps

float sigmoid(float value) { return 1.0F / (1.0F + std::exp(-value)); }

/// A mask per model, [n + 1, d], the root model's last, and what they do to the models. The masked model is the global
/// one plus sum of s(m_i) u_i / sum of s(m_i), because every model is the global one plus its update.
class Masks {
 public:
  Masks(const Comm& comm, const ColumnMatrix& models)
      : models_(models), masks_(comm, models.rows(), models.dimension()) {
    for (std::size_t i = 0; i < models.rows(); ++i) std::fill(masks_.row(i).begin(), masks_.row(i).end(), 1.0F);
  }

  /// Step from the global to the masked model.
  ColumnVector step() {
    ColumnVector step(models_);
    const std::span<float> out = step.values();
    for (std::size_t begin = 0; begin < out.size(); begin += block) {
      heartbeat::beat();
      const std::size_t width = std::min(block, out.size() - begin);
      std::array<double, block> weights{}, sums{};
      for (std::size_t i = 0; i < models_.rows(); ++i) {
        const float* mask = masks_.row(i).data() + begin;
        const float* update = models_.row(i).data() + begin;
        for (std::size_t c = 0; c < width; ++c) {
          const auto weight = static_cast<double>(sigmoid(mask[c]));
          weights[c] += weight;
          sums[c] += weight * static_cast<double>(update[c]);
        }
      }
      for (std::size_t c = 0; c < width; ++c) out[begin + c] = static_cast<float>(sums[c] / weights[c]);
    }
    return step;
  }

  /// Against the gradient: d loss / d m_i = g (u_i - step) s'(m_i) / sum of s(m_j). Its sign needs neither factor
  /// behind the bracket, both are positive.
  void move_by_sign(const ColumnVector& gradient, const ColumnVector& step, float rate) {
    for (std::size_t i = 0; i < models_.rows(); ++i) {
      heartbeat::beat();
      const std::span<float> mask = masks_.row(i);
      const std::span<const float> update = models_.row(i);
      for (std::size_t c = 0; c < mask.size(); ++c) {
        mask[c] -= rate * sign_of(gradient.values()[c]) * sign_of(update[c] - step.values()[c]);
      }
    }
  }

  /// The repository's step: gradient clamped to 1e-7, times 1e7.
  void move_by_clamp(const ColumnVector& gradient, const ColumnVector& step, float rate) {
    std::vector<float> totals(step.values().size(), 0.0F);
    for (std::size_t i = 0; i < models_.rows(); ++i) {
      for (std::size_t c = 0; c < totals.size(); ++c) totals[c] += sigmoid(masks_.row(i)[c]);
    }
    for (std::size_t i = 0; i < models_.rows(); ++i) {
      heartbeat::beat();
      const std::span<float> mask = masks_.row(i);
      for (std::size_t c = 0; c < mask.size(); ++c) {
        const float slope = sigmoid(mask[c]) * (1.0F - sigmoid(mask[c])) / totals[c];
        const float derivative = gradient.values()[c] * (models_.row(i)[c] - step.values()[c]) * slope;
        mask[c] -= rate * std::clamp(derivative * 1e7F, -1.0F, 1.0F);
      }
    }
  }

  /// 1 where the sigmoid exceeds the threshold, else 0. Ends the masks.
  ColumnMatrix binary(double threshold) && {
    const auto bound = static_cast<float>(std::log(threshold / (1.0 - threshold)));
    for (std::size_t i = 0; i < models_.rows(); ++i) {
      for (float& value : masks_.row(i)) value = value > bound ? 1.0F : 0.0F;
    }
    return std::move(masks_).finish();
  }

 private:
  const ColumnMatrix& models_;
  ColumnMatrixBuilder masks_;
};

/// Yan et al., "SkyMask: Attack-agnostic Robust Federated Learning with Fine-grained Learnable Masks", ECCV 2024.
class SkyMask final : public Aggregator {
 public:
  explicit SkyMask(const scenario::SkyMask& config)
      : as_code_(config.variant() == scenario::SkyMask::CODE),
        one_cluster_test_(config.one_cluster_test()),
        steps_(config.steps()),
        rate_(static_cast<float>(config.rate())),
        min_decrease_(config.min_decrease()),
        threshold_(config.threshold()) {}

  RuleNeeds needs() const override { return {.root_update = true, .root_data = true}; }
  RulePreserves preserves() const override { return {.scale = false, .translation = false, .unanimity = false}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = static_cast<double>(scale.updates + 3) * scale.vector() + scale.distances(),
            .candidates = scale.updates,
            .gradients = true};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    const std::vector<std::size_t> sane = sane_rows(input);
    const ColumnMatrix models = input.updates.select(input.comm, sane).with_row(input.comm, *input.root_update);
    Masks masks(input.comm, models);
    const std::size_t steps = learn(input, masks);
    const ColumnMatrix binary = std::move(masks).binary(threshold_);
    std::vector<std::size_t> accepted;
    for (const std::size_t k : with_root(gram(input.comm, binary), input.random)) {
      if (k < sane.size()) accepted.push_back(sane[k]);
    }
    RuleOutput output = mean_of(input, accepted);
    output.diagnostics = {{"mask_steps", static_cast<double>(steps)},
                          {"ruined", static_cast<double>(n - sane.size())},
                          {"accepted", static_cast<double>(accepted.size())}};
    return output;
  }

 private:
  /// Updates whose models have a loss at all, and are not so much longer than the server's own (1,000 times) that the
  /// masked model would follow them alone: those are no candidates, and masks learned beside them would say nothing.
  static std::vector<std::size_t> sane_rows(const RuleInput& input) {
    const std::vector<double> norms = norms_of(input);
    const double root = std::sqrt(squared_norm(input.comm, input.updates.plan(), *input.root_update));
    const std::vector<Judgement> judged = input.losses->on_root(input.updates);
    std::vector<std::size_t> sane;
    for (std::size_t i = 0; i < norms.size(); ++i) {
      if (std::isfinite(judged[i].loss) && (root == 0.0 || norms[i] <= 1000.0 * root)) sane.push_back(i);
    }
    return sane;
  }

  /// Steps taken. The repository tests the loss after the step, so that the step of the last test counts.
  std::size_t learn(const RuleInput& input, Masks& masks) const {
    double last_loss = std::numeric_limits<double>::infinity();
    for (std::size_t s = 0; s < steps_; ++s) {
      const ColumnVector step = masks.step();
      bool last = false;
      if (s % steps_a_test == 0) {
        const ColumnMatrix candidate = input.updates.select(input.comm, {}).with_row(input.comm, step);
        const double loss = input.losses->on_root(candidate).front().loss;
        last = s > 0 && !(last_loss - loss >= min_decrease_);
        last_loss = loss;
      }
      if (last && !as_code_) return s;
      const ColumnVector gradient = input.losses->root_gradient(step);
      as_code_ ? masks.move_by_clamp(gradient, step, rate_) : masks.move_by_sign(gradient, step, rate_);
      if (last) return s + 1;
    }
    return steps_;
  }

  /// The models whose masks stay together with the root model's, the last one: masks in the plane of their first two
  /// principal components, split in two by a mixture of Gaussians, again and again until one Gaussian explains those
  /// with the root about as well. Attackers unlike each other are outliers one by one; a single split lets all but one
  /// stay.
  std::vector<std::size_t> with_root(const SymmetricMatrix& products, Stream& random) const {
    const std::size_t root = products.order - 1;
    std::vector<std::size_t> together = all_rows(products.order);
    while (together.size() > 2) {
      std::vector<std::size_t> kept = part_with(products, together, root, random);
      if (kept.size() ==
          1) {  // the root's mask is like nobody's: it has seen the root data. Which clients' are nearest?
        std::vector<std::size_t> clients = together;
        clients.pop_back();
        kept = part_with(products, clients, root, random);
        kept.push_back(root);
      }
      const bool unchanged = kept.size() == together.size();
      together = std::move(kept);
      if (unchanged || !one_cluster_test_) break;
    }
    return together;
  }

  /// The part of `rows` that has the root in it, or whose mean is nearest to the root's mask; all of them where two
  /// parts do not explain them much better than one.
  std::vector<std::size_t> part_with(const SymmetricMatrix& products, const std::vector<std::size_t>& rows,
                                     std::size_t root, Stream& random) const {
    const DenseMatrix points = plane(among(products, rows));
    const GaussianMixture two = gaussian_mixture(points, 2, random);
    const bool one = one_cluster_test_ && gaussian_mixture(points, 1, random).bic <= two.bic + strong_evidence;
    if (one || two.means.rows < 2) return rows;
    std::array<std::vector<std::size_t>, 2> parts;
    for (std::size_t k = 0; k < rows.size(); ++k) parts[two.labels[k]].push_back(rows[k]);
    if (parts[0].empty() || parts[1].empty()) return rows;
    if (rows.back() == root) return parts[two.labels.back()];
    const SymmetricMatrix squares = squared_distances(products);
    const auto distance = [&](const std::vector<std::size_t>& part) {
      return squared_distances_to_mean(squares, weights_of(part, products.order))[root];
    };
    return distance(parts[1]) < distance(parts[0]) ? parts[1] : parts[0];
  }

  /// Coordinates scaled to a fixed total variance, so that the mixture's absolute regularisation means the same for
  /// all: one hundredth of it. Otherwise a component around a single mask explains the data best of all.
  static DenseMatrix plane(const SymmetricMatrix& products) {
    PrincipalComponents found = principal_components(products, std::min<std::size_t>(2, products.order));
    double variance = 0.0;
    for (const double value : found.variances) variance += value;
    const double scale = variance > 0.0 ? std::sqrt(1e-4 / variance) : 0.0;
    for (double& value : found.coordinates.values) value *= scale;
    return std::move(found.coordinates);
  }

  bool as_code_, one_cluster_test_;
  std::size_t steps_;
  float rate_;
  double min_decrease_, threshold_;
};

const Register<Aggregator, SkyMask, scenario::SkyMask> register_sky_mask;

}  // namespace
}  // namespace souk
