#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "attacks/inference_attack.hpp"
#include "sim/learn/model.hpp"

namespace souk {

/// A client whose training is imitated with dummy samples: plain steps on mini-batches.
struct ImitatedClient {
  double share = 1.0;  ///< of its update in what is seen
  double rate = 1.0;   ///< of its steps
  double weight_decay = 0.0;
  std::size_t samples = 0;
  std::vector<BatchPlaces> batches{};  ///< of all its steps, places among its samples
};

/// How an update is compared with the one seen.
enum class MatchCost : std::uint8_t {
  euclidean,  ///< |u - U|^2 / |U|^2
  cosine,     ///< 1 - cosine of the angle
};

/// What dummy samples are to explain.
struct MatchProblem {
  Network& network;                     ///< trained on cross-entropy
  std::span<const float> model;         ///< [dimension] that training starts from
  std::span<const float> change;        ///< [trainable] U, what is seen
  std::vector<ImitatedClient> clients;  ///< whose samples follow each other
  std::span<const PixelScale> pixels;   ///< [channels]
  std::vector<std::int32_t> labels{};   ///< [samples] of all clients; empty: soft labels are variables, too
  MatchCost cost = MatchCost::euclidean;
  double total_variation = 0.0;  ///< weight of the images' mean change from pixel to pixel
  /// [dimension - trainable] By how much running statistics moved; empty: not known. Otherwise the network follows
  /// them.
  std::span<const float> statistics{};
  double of_statistics = 0.0;  ///< weight of |b - B|^2 / |B|^2, B what they moved by, and b so for the dummies
};

/// How far updates computed from dummy samples are from the one seen, as a function of the samples [samples, features],
/// in pixels, and behind them the logits of their soft labels [samples, classes], where labels are not given. Its
/// gradient is that of the whole of local training: an adjoint of the parameters goes back through the steps, and at
/// each one directional derivative gives both its own next value and what the samples of the mini-batch contribute.
/// A call costs two passes forwards and backwards and a half of every step.
class UpdateMatch {
 public:
  explicit UpdateMatch(MatchProblem problem);
  std::size_t samples() const { return samples_; }
  std::size_t variables() const;
  std::size_t pixels() const { return samples_ * features_; }
  /// Writes the gradient and returns the value.
  double evaluate(std::span<const double> at, std::span<double> gradient);
  /// [samples, features] as the network reads them.
  std::vector<float> features_of(std::span<const double> at) const;
  /// [samples] given, or the largest of the soft ones.
  std::vector<std::int32_t> labels_of(std::span<const double> at) const;

 private:
  /// Models before every step but the first.
  struct Steps {
    std::vector<std::vector<float>> models;  ///< [dimension] each
    std::vector<float>& before(std::size_t step, std::vector<float>& first) {
      return step == 0 ? first : models[step - 1];
    }
    const std::vector<float>& before(std::size_t step, const std::vector<float>& first) const {
      return step == 0 ? first : models[step - 1];
    }
  };
  /// The cost's gradient in the update: so much of the update, and of what is seen.
  struct Slope {
    double of_update = 0.0, of_seen = 0.0;
  };
  void read(std::span<const double> at);
  Batch load(std::size_t first, const BatchPlaces& places);
  Steps imitate(const ImitatedClient& client, std::size_t first);
  void go_back(const ImitatedClient& client, const Steps& steps, std::size_t first);
  void gather(const ImitatedClient& client, const BatchPlaces& places, std::size_t first);
  double compare();
  double compare_statistics();
  bool knows_statistics() const { return !problem_.statistics.empty(); }
  double add_variation(std::span<const double> at, std::span<double> gradient) const;
  void write_gradient(std::span<double> gradient) const;
  const PixelScale& scale_of(std::size_t feature) const;

  MatchProblem problem_;
  std::size_t samples_ = 0, features_, classes_, trainable_;
  double seen_square_ = 0.0, statistics_square_ = 0.0;
  std::vector<float> x_, y_;        ///< [samples, features], [samples, classes]
  std::vector<double> d_x_, d_y_;   ///< gradients in them
  std::vector<float> model_;        ///< [dimension] before the first step
  std::vector<double> update_;      ///< [trainable] of all clients
  std::vector<double> moves_;       ///< [dimension - trainable] of running statistics, likewise
  std::vector<double> move_slope_;  ///< the cost's gradient in these, where they are compared
  Slope slope_;
  std::vector<float> batch_x_, batch_y_, batch_d_x_, batch_d_y_, step_gradient_, direction_, curvature_;
};

}  // namespace souk
