#include "aggregators/pipeline.hpp"

#include <algorithm>

#include "aggregators/rule_tools.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

/// [m, n] coefficients of n updates, row by row.
struct Combinations {
  std::size_t updates = 0;
  std::vector<double> coefficients;
  std::size_t rows() const { return updates == 0 ? 0 : coefficients.size() / updates; }
  const double* row(std::size_t k) const { return coefficients.data() + k * updates; }
};

Combinations identity(std::size_t n) {
  Combinations same{n, std::vector<double>(n * n, 0.0)};
  for (std::size_t i = 0; i < n; ++i) same.coefficients[i * n + i] = 1.0;
  return same;
}

/// `second` applied to the rows of `first`: their product.
Combinations compose(const Combinations& second, const Combinations& first) {
  Combinations product{first.updates, std::vector<double>(second.rows() * first.updates, 0.0)};
  for (std::size_t k = 0; k < second.rows(); ++k) {
    heartbeat::beat();
    double* out = product.coefficients.data() + k * first.updates;
    for (std::size_t j = 0; j < second.updates; ++j) {
      const double factor = second.row(k)[j];
      if (factor == 0.0) continue;
      for (std::size_t i = 0; i < first.updates; ++i) out[i] += factor * first.row(j)[i];
    }
  }
  return product;
}

/// [n + 1, n + 1] squared distances of the updates and the origin.
SymmetricMatrix distances_with_origin(const Comm& comm, const ColumnMatrix& updates) {
  SymmetricMatrix distances = squared_distances(comm, updates);
  const std::vector<double> norms = squared_norms(comm, updates);
  distances.lower.insert(distances.lower.end(), norms.begin(), norms.end());
  distances.lower.push_back(0.0);
  ++distances.order;
  return distances;
}

/// Whether some norm is so much longer than most that, once clipped, its rounding would hide the distances of the rest.
bool too_far_apart(const SymmetricMatrix& with_origin) {
  std::vector<double> norms(with_origin.lower.end() - static_cast<std::ptrdiff_t>(with_origin.order),
                            with_origin.lower.end() - 1);
  std::sort(norms.begin(), norms.end());
  return norms.back() > 1e16 * norms[norms.size() / 2];
}

/// The distances among combinations. With the origin as a further point every combination is affine (its coefficients
/// add up to 1), and for affine a and b: |X a - X b|^2 = a'Db - a'Da/2 - b'Db/2, D the squared distances.
SymmetricMatrix distances_among(const Combinations& combinations, const SymmetricMatrix& distances) {
  const std::size_t m = combinations.rows(), n = combinations.updates;
  std::vector<double> affine((m + 1) * (n + 1), 0.0);
  for (std::size_t k = 0; k < m; ++k) {
    double rest = 1.0;
    for (std::size_t i = 0; i < n; ++i) rest -= affine[k * (n + 1) + i] = combinations.row(k)[i];
    affine[k * (n + 1) + n] = rest;
  }
  affine[m * (n + 1) + n] = 1.0;
  std::vector<double> products((m + 1) * (n + 1), 0.0);  // affine times D
  for (std::size_t k = 0; k <= m; ++k) {
    heartbeat::beat();
    for (std::size_t i = 0; i <= n; ++i) {
      const double a = affine[k * (n + 1) + i];
      for (std::size_t j = 0; j <= n && a != 0.0; ++j) products[k * (n + 1) + j] += a * distances(i, j);
    }
  }
  const auto form = [&](std::size_t k, std::size_t l) {
    double sum = 0.0;
    for (std::size_t j = 0; j <= n; ++j) sum += products[k * (n + 1) + j] * affine[l * (n + 1) + j];
    return sum;
  };
  std::vector<double> own(m + 1);
  for (std::size_t k = 0; k <= m; ++k) own[k] = form(k, k);
  SymmetricMatrix among{m + 1, {}};
  for (std::size_t k = 0; k <= m; ++k) {
    heartbeat::beat();
    for (std::size_t l = 0; l <= k; ++l) {
      among.lower.push_back(k == l ? 0.0 : std::max(0.0, form(k, l) - 0.5 * own[k] - 0.5 * own[l]));
    }
  }
  return among;
}

class Pipeline final : public Aggregator {
 public:
  Pipeline(std::vector<std::unique_ptr<PreAggregator>> stages, std::unique_ptr<Aggregator> rule)
      : stages_(std::move(stages)), rule_(std::move(rule)) {}

  RuleNeeds needs() const override {
    RuleNeeds needs = rule_->needs();
    for (const auto& stage : stages_) needs.tolerated_f = needs.tolerated_f || stage->needs_tolerated_f();
    return needs;
  }

  RulePreserves preserves() const override {
    RulePreserves preserves = rule_->preserves();
    for (const auto& stage : stages_) {
      preserves.scale = preserves.scale && stage->preserves().scale;
      preserves.translation = preserves.translation && stage->preserves().translation;
      preserves.unanimity = preserves.unanimity && stage->preserves().unanimity;
      preserves.permutation = preserves.permutation && stage->preserves().permutation;
    }
    return preserves;
  }

  void check(const RoundSize& round) const override {
    SOUK_REQUIRE(keeps_agents() || !(rule_->needs().history || rule_->needs().everyone),
                 "aggregator.pre: makes groups of clients, but the rule needs every client by itself in every round");
    RoundSize size = round;
    for (const auto& stage : stages_) size = stage->check(size);
    rule_->check(size);
  }

  /// The rule and its updates, a matrix of their own, beside the coefficients that they were made with.
  RuleFootprint footprint(const RuleScale& scale) const override {
    const auto n = static_cast<double>(scale.updates);
    RuleFootprint footprint = rule_->footprint(scale);
    const double coefficients = 2.0 * n * n * sizeof(double);
    const double stages = scale.distances() + 2.0 * scale.pairs() + coefficients;
    footprint.working = std::max(stages, coefficients + n * scale.vector() + footprint.working);
    return footprint;
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const Mixed mixed = run_stages(input);
    const ColumnMatrix rows = mix(input.comm, input.updates, mixed.all.coefficients);
    const std::vector<Submission> submissions = submissions_of(mixed.groups, input.submissions);
    RuleOutput output = rule_->aggregate({.comm = input.comm,
                                          .round = input.round,
                                          .submissions = submissions,
                                          .updates = rows,
                                          .random = input.random,
                                          .tolerated_f = input.tolerated_f,
                                          .global = input.global,
                                          .root_update = input.root_update,
                                          .losses = input.losses,
                                          .layout = input.layout,
                                          .log = input.log});
    hand_back(mixed, output);
    return output;
  }

  void serialize(Archive& archive, const Comm& comm) override { rule_->serialize(archive, comm); }

 private:
  struct Mixed {
    Combinations all;     ///< what the rule sees
    Combinations groups;  ///< of them, what stages that make groups did: an agent is in one row
  };

  bool keeps_agents() const {
    return std::all_of(stages_.begin(), stages_.end(), [](const auto& stage) { return stage->keeps_agents(); });
  }

  Mixed run_stages(const RuleInput& input) const {
    const SymmetricMatrix original = distances_with_origin(input.comm, input.updates);
    SymmetricMatrix distances = original;
    Combinations mixed = identity(input.updates.rows()), groups = mixed;
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      if (s > 0) {
        distances = too_far_apart(original)
                        ? distances_with_origin(input.comm, mix(input.comm, input.updates, mixed.coefficients))
                        : distances_among(mixed, original);
      }
      const PreInput seen{
          .distances = distances, .tolerated_f = input.tolerated_f, .random = input.random, .log = input.log};
      const Combinations stage{mixed.rows(), stages_[s]->mix(seen)};
      mixed = compose(stage, mixed);
      if (!stages_[s]->keeps_agents()) groups = compose(stage, groups);
    }
    return {std::move(mixed), std::move(groups)};
  }

  /// A row keeps its agent, or stands for the group behind it under the smallest id. Stages make groups in the order of
  /// these, so rows ascend.
  std::vector<Submission> submissions_of(const Combinations& groups, std::span<const Submission> original) const {
    if (keeps_agents()) return {original.begin(), original.end()};
    std::vector<Submission> submissions;
    for (std::size_t k = 0; k < groups.rows(); ++k) {
      Submission group{original.back().agent, 0};
      for (std::size_t i = 0; i < groups.updates; ++i) {
        if (groups.row(k)[i] == 0.0) continue;
        group.agent = std::min(group.agent, original[i].agent);
        group.samples += original[i].samples;
      }
      submissions.push_back(group);
    }
    return submissions;
  }

  /// Shares and scores of rows become those of agents: a share by what the agent put in, a score from the agent's own
  /// row, or that of its group.
  static void hand_back(const Mixed& mixed, RuleOutput& output) {
    const std::size_t n = mixed.all.updates;
    std::vector<double> shares(n, 0.0);
    std::vector<double> scores(output.scores.empty() ? 0 : n);
    for (std::size_t i = 0; i < n; ++i) {
      std::size_t own = 0;
      for (std::size_t k = 0; k < mixed.all.rows(); ++k) {
        shares[i] += output.weights[k] * mixed.all.row(k)[i];
        if (mixed.groups.row(k)[i] > 0.0) own = k;
      }
      if (!scores.empty()) scores[i] = output.scores[own];
    }
    output.weights = shares_of(shares);
    output.scores = std::move(scores);
  }

  std::vector<std::unique_ptr<PreAggregator>> stages_;
  std::unique_ptr<Aggregator> rule_;
};

}  // namespace

std::unique_ptr<Aggregator> make_pipeline(std::vector<std::unique_ptr<PreAggregator>> stages,
                                          std::unique_ptr<Aggregator> rule) {
  return std::make_unique<Pipeline>(std::move(stages), std::move(rule));
}

}  // namespace souk
