#include <algorithm>
#include <cmath>

#include "attacks/imitated_rules.hpp"
#include "attacks/ray.hpp"
#include "attacks/uniform_values.hpp"
#include "attacks/update_attack.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

/// Fang, Cao, Jia, Gong, "Local Model Poisoning Attacks to Byzantine-Robust Federated Learning", USENIX Security 2020,
/// section 3.2. On updates instead of models, so the model that all start from is 0. Krum may pick a supporter, which
/// is as good: it is within epsilon.
class FangKrum final : public CraftWith<Pool> {
 public:
  explicit FangKrum(const scenario::FangKrum& config)
      : epsilon_(config.epsilon()), threshold_(config.threshold()), partial_(config.partial()) {}

  Knowledge usual() const override { return partial_ ? Knowledge::colluders : Knowledge::all; }

  Crafted craft(const View<Pool>& view) override {
    const ColumnMatrix& known = partial_ ? view.own : view.known;
    const Ray ray = against_mean(view.comm, known);
    const Choice choice = choose(view, known, ray);
    return {around(view, ray, choice.lambda), {{"lambda", choice.lambda}, {"picked", choice.picked ? 1.0 : 0.0}}};
  }

 private:
  struct Choice {
    double lambda = 0.0;
    bool picked = false;
  };

  static Ray against_mean(const Comm& comm, const ColumnMatrix& known) {
    Ray ray = perturbed_mean(comm, known, Perturbation::sign);
    std::ranges::fill(ray.origin.values(), 0.0F);
    return ray;
  }

  /// With all known, everybody supports the crafted update; with some, as many as it takes.
  Choice choose(const View<Pool>& view, const ColumnMatrix& known, const Ray& ray) const {
    const double square = squared_norm(view.comm, known.plan(), ray.direction);
    if (square == 0.0) return {};
    const SymmetricMatrix distances = squared_distances(view.comm, known);
    const auto [along, squares] = dots_and_norms(view.comm, known, ray.direction);
    const std::vector<Quadratic> border = distances_from_zero(squares, along, square);
    const double first = bound(distances, squares, view.malicious, square);
    Choice choice;
    for (std::size_t crafted = partial_ ? 1 : view.malicious; crafted <= view.malicious && !choice.picked; ++crafted) {
      BorderedMatrix matrix(distances, border, {.constant = epsilon_ * epsilon_}, crafted);
      choice = halve(matrix, first, known.rows(), view.malicious);
    }
    return choice;
  }

  /// Theorem 1, |s|^2 being the number of coordinates with a direction: a larger lambda is never picked.
  static double bound(const SymmetricMatrix& distances, const std::vector<double>& squares, std::size_t m,
                      double square) {
    const std::size_t k = distances.order;
    const std::vector<double> scores = krum_scores(distances, all_rows(k), 0);
    const double others = k > m + 1 ? static_cast<double>(k - m - 1) : 1.0;
    return std::sqrt(*std::ranges::min_element(scores) / (others * square)) +
           std::sqrt(*std::ranges::max_element(squares) / square);
  }

  Choice halve(BorderedMatrix& matrix, double first, std::size_t known, std::size_t f) const {
    Choice choice{first, false};
    while (true) {
      choice.picked = krum_selection(matrix.at(choice.lambda), f).front() >= known;
      if (choice.picked || choice.lambda < threshold_) return choice;
      choice.lambda *= 0.5;
    }
  }

  /// The crafted update, and supporters within epsilon of it.
  ColumnMatrix around(const View<Pool>& view, const Ray& ray, double lambda) const {
    ColumnMatrixBuilder rows(view.comm, view.members.size(), view.own.dimension());
    const auto radius = static_cast<float>(epsilon_ / std::sqrt(static_cast<double>(view.own.dimension())));
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      const std::span<float> row = rows.row(i);
      if (i > 0) fill_uniform(view, view.members[i], 0, view.own, row);
      for (std::size_t c = 0; c < row.size(); ++c) {
        const float noise = i > 0 ? radius * (2.0F * row[c] - 1.0F) : 0.0F;
        row[c] = static_cast<float>(lambda) * ray.direction.values()[c] + noise;
      }
    }
    return std::move(rows).finish();
  }

  double epsilon_, threshold_;
  bool partial_;
};

const Register<UpdateAttack, FangKrum, scenario::FangKrum> register_fang_krum;

}  // namespace
}  // namespace souk
