#include <algorithm>
#include <cmath>
#include <functional>

#include "attacks/imitated_columns.hpp"
#include "attacks/imitated_rules.hpp"
#include "attacks/ray.hpp"
#include "attacks/update_attack.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

using TailoredConfig = scenario::AgrTailored;
using Selection = std::vector<std::size_t>;

constexpr int doublings_max = 20, halvings_max = 60;
constexpr double precision = 1e-5;  // of gamma, in the end

/// What is tried, and how it went.
struct Trial {
  double gamma = 0.0;
  std::size_t selected = 0;  ///< copies of it
};

/// Looks for the largest gamma at which the most copies, the rows from `known` on, are selected.
class SelectionSearch {
 public:
  SelectionSearch(std::size_t known, std::size_t copies, std::function<Selection(double)> select)
      : known_(known), copies_(copies), select_(std::move(select)) {}

  Trial run(double first) {
    succeeds(0.0);
    double low = first;
    if (succeeds(first)) {
      for (int i = 0; succeeds(2.0 * low); ++i) {
        low *= 2.0;
        if (i == doublings_max) return best_;  // whoever selects this selects anything
      }
    } else {
      int i = 0;
      do low /= 2.0;
      while (!succeeds(low) && ++i < halvings_max);
      if (i == halvings_max) return best_;
    }
    double high = 2.0 * low;
    while (high - low > precision * high) {
      const double middle = 0.5 * (low + high);
      (succeeds(middle) ? low : high) = middle;
    }
    return best_;
  }

 private:
  /// Whether no selection could hold more copies.
  bool succeeds(double gamma) {
    const Selection rows = select_(gamma);
    const auto first = std::ranges::lower_bound(rows, known_);
    const Trial trial{gamma, static_cast<std::size_t>(rows.end() - first)};
    if (trial.selected > best_.selected || (trial.selected == best_.selected && gamma > best_.gamma)) best_ = trial;
    return trial.selected == std::min(copies_, rows.size());
  }

  std::size_t known_, copies_;
  std::function<Selection(double)> select_;
  Trial best_;
};

/// Shejwalkar, Houmansadr, "Manipulating the Byzantine: Optimizing Model Poisoning Attacks and Defenses for Federated
/// Learning", NDSS 2021, section IV-B. The server's round is imitated as the updates known and m equal submissions,
/// with f = m.
class AgrTailored final : public CraftWith<Pool> {
 public:
  explicit AgrTailored(const TailoredConfig& config)
      : perturbation_(static_cast<Perturbation>(config.perturbation())), rule_(config.rule()), gamma_(config.gamma()) {}

  Knowledge usual() const override { return Knowledge::all; }
  std::size_t least_known(Knowledge) const override { return perturbation_ == Perturbation::deviation ? 2 : 1; }

  Crafted craft(const View<Pool>& view) override {
    const Ray ray = perturbed_mean(view.comm, view.known, perturbation_);
    const bool columnwise = rule_ == TailoredConfig::TRIMMED_MEAN || rule_ == TailoredConfig::MEDIAN;
    std::map<std::string, double> found = columnwise ? most_harmful(view, ray) : last_selected(view, ray);
    ColumnMatrix rows = copies_at(view.comm, view.known, ray, found.at("gamma"), view.members.size());
    return {std::move(rows), std::move(found)};
  }

 private:
  static std::size_t copies(const View<Pool>& view) {
    if (view.malicious >= view.updates) return view.malicious;
    const double per_known = static_cast<double>(view.malicious) / static_cast<double>(view.updates - view.malicious);
    const auto share = static_cast<std::size_t>(std::lround(static_cast<double>(view.known.rows()) * per_known));
    return std::clamp<std::size_t>(share, 1, view.malicious);
  }

  std::map<std::string, double> last_selected(const View<Pool>& view, const Ray& ray) const {
    const double square = squared_norm(view.comm, view.known.plan(), ray.direction);
    if (square == 0.0) return {{"gamma", 0.0}};
    BorderedMatrix matrix = matrix_of(view, ray, square);
    const std::size_t m = copies(view);
    SelectionSearch search(view.known.rows(), m, [&](double gamma) { return select(matrix.at(gamma), m); });
    const Trial found = search.run(gamma_);
    return {{"gamma", found.gamma}, {"selected", static_cast<double>(found.selected)}};
  }

  /// What the rule looks at: products for AFA, distances for the others.
  BorderedMatrix matrix_of(const View<Pool>& view, const Ray& ray, double square) const {
    const std::vector<double> along = dots(view.comm, view.known, ray.direction);
    if (rule_ == TailoredConfig::AFA) {
      const SymmetricMatrix products = gram(view.comm, view.known);
      return {products, products_from_mean(products, along), norm_from_mean(products, along, square), copies(view)};
    }
    const SymmetricMatrix distances = squared_distances(view.comm, view.known);
    return {distances, distances_from_mean(distances, along, square), {}, copies(view)};
  }

  Selection select(const SymmetricMatrix& matrix, std::size_t f) const {
    switch (rule_) {
      case TailoredConfig::KRUM:
        return krum_selection(matrix, f);
      case TailoredConfig::BULYAN:
        return bulyan_selection(matrix, f);
      case TailoredConfig::AFA:
        return afa_selection(matrix);
      case TailoredConfig::DNC:
        return dnc_selection(matrix, f);
      default:
        return multi_krum_selection(matrix, f);
    }
  }

  /// The smallest gamma of a ladder around the given one whose harm no other exceeds: from where all values lie beyond
  /// the order statistics that count, more of it does no more harm.
  std::map<std::string, double> most_harmful(const View<Pool>& view, const Ray& ray) const {
    constexpr int steps_down = 80, steps_up = 40, steps_per_octave = 4;
    std::vector<double> gammas;
    for (int step = -steps_down; step <= steps_up; ++step) {
      gammas.push_back(gamma_ * std::exp2(static_cast<double>(step) / steps_per_octave));
    }
    const std::size_t m = copies(view), n = view.known.rows() + m;
    const OrderRange range = rule_ == TailoredConfig::MEDIAN ? median_range(n) : trimmed_range(n, m);
    const std::vector<double> shifts = squared_shifts(view.comm, view.known, ray, m, range, gammas);
    const double most = *std::ranges::max_element(shifts) * (1.0 - 1e-9);
    const auto found = std::ranges::find_if(shifts, [&](double shift) { return shift >= most; });
    return {{"gamma", gammas[static_cast<std::size_t>(found - shifts.begin())]}, {"distance", std::sqrt(*found)}};
  }

  Perturbation perturbation_;
  TailoredConfig::Rule rule_;
  double gamma_;
};

const Register<UpdateAttack, AgrTailored, TailoredConfig> register_agr_tailored;

}  // namespace
}  // namespace souk
