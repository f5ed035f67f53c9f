#include "attacks/update_match.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/multiversion.hpp"

namespace souk {
namespace {

/// Sums over all values, in eight parts each.
struct Sums {
  double difference = 0.0, square = 0.0, product = 0.0;  ///< |u - U|^2, |u|^2, <u, U>
};
constexpr std::size_t parts = 8;

SOUK_MULTIVERSION void add_products(const double* update, const float* seen, std::size_t size, double* difference,
                                    double* square, double* product) {
  for (std::size_t i = 0; i + parts <= size; i += parts) {
    for (std::size_t k = 0; k < parts; ++k) {
      const double u = update[i + k], other = static_cast<double>(seen[i + k]);
      difference[k] += (u - other) * (u - other);
      square[k] += u * u;
      product[k] += u * other;
    }
  }
}

Sums sums_of(const double* update, const float* seen, std::size_t size) {
  std::array<double, parts> difference{}, square{}, product{};
  add_products(update, seen, size, difference.data(), square.data(), product.data());
  for (std::size_t i = size / parts * parts; i < size; ++i) {
    const double u = update[i], other = static_cast<double>(seen[i]);
    difference[0] += (u - other) * (u - other);
    square[0] += u * u;
    product[0] += u * other;
  }
  Sums sums;
  for (std::size_t k = 0; k < parts; ++k) {
    sums.difference += difference[k];
    sums.square += square[k];
    sums.product += product[k];
  }
  return sums;
}

struct Factors {
  double first, second;
};

/// sum += first gradient + second model.
SOUK_MULTIVERSION void add_step(Factors factors, const float* gradient, const float* model, std::size_t size,
                                double* sum) {
  for (std::size_t v = 0; v < size; ++v) {
    sum[v] += factors.first * static_cast<double>(gradient[v]) + factors.second * static_cast<double>(model[v]);
  }
}

/// out = first update + second seen.
SOUK_MULTIVERSION void blend_to_floats(Factors factors, const double* update, const float* seen, std::size_t size,
                                       float* out) {
  for (std::size_t v = 0; v < size; ++v) {
    out[v] = static_cast<float>(factors.first * update[v] + factors.second * static_cast<double>(seen[v]));
  }
}

double sign(double value) { return static_cast<double>(value > 0.0) - static_cast<double>(value < 0.0); }

}  // namespace

UpdateMatch::UpdateMatch(MatchProblem problem)
    : problem_(std::move(problem)),
      features_(problem_.network.shape().inputs()),
      classes_(problem_.network.shape().outputs()),
      trainable_(problem_.network.layout().trainable()),
      model_(problem_.model.begin(), problem_.model.end()) {
  SOUK_EXPECT(problem_.model.size() == problem_.network.layout().dimension() && problem_.change.size() == trainable_);
  SOUK_EXPECT(!knows_statistics() || (problem_.network.follows_statistics() &&
                                      trainable_ + problem_.statistics.size() == problem_.model.size()));
  for (const ImitatedClient& client : problem_.clients) samples_ += client.samples;
  SOUK_EXPECT(problem_.labels.empty() || problem_.labels.size() == samples_);
  for (const float value : problem_.change) seen_square_ += static_cast<double>(value) * static_cast<double>(value);
  for (const float value : problem_.statistics) {
    statistics_square_ += static_cast<double>(value) * static_cast<double>(value);
  }
  x_.resize(samples_ * features_);
  y_.assign(samples_ * classes_, 0.0F);
  for (std::size_t i = 0; i < problem_.labels.size(); ++i) {
    y_[i * classes_ + static_cast<std::size_t>(problem_.labels[i])] = 1.0F;
  }
  step_gradient_.resize(trainable_);
  direction_.resize(trainable_ + problem_.statistics.size());
  curvature_.resize(trainable_);
}

std::size_t UpdateMatch::variables() const { return pixels() + (problem_.labels.empty() ? samples_ * classes_ : 0); }

const PixelScale& UpdateMatch::scale_of(std::size_t feature) const {
  return problem_.pixels[feature / (features_ / problem_.pixels.size())];
}

std::vector<float> UpdateMatch::features_of(std::span<const double> at) const {
  std::vector<float> features(pixels());
  for (std::size_t i = 0; i < features.size(); ++i) {
    const PixelScale& scale = scale_of(i % features_);
    features[i] = static_cast<float>(static_cast<double>(scale.zero) +
                                     at[i] * (static_cast<double>(scale.one) - static_cast<double>(scale.zero)));
  }
  return features;
}

std::vector<std::int32_t> UpdateMatch::labels_of(std::span<const double> at) const {
  if (!problem_.labels.empty()) return problem_.labels;
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < samples_; ++i) {
    const auto logits = at.subspan(pixels() + i * classes_, classes_);
    labels.push_back(static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin()));
  }
  return labels;
}

void UpdateMatch::read(std::span<const double> at) {
  x_ = features_of(at);
  if (!problem_.labels.empty()) return;
  for (std::size_t i = 0; i < samples_; ++i) {
    const auto logits = at.subspan(pixels() + i * classes_, classes_);
    const double largest = *std::ranges::max_element(logits);
    double sum = 0.0;
    for (const double logit : logits) sum += std::exp(logit - largest);
    for (std::size_t c = 0; c < classes_; ++c) {
      y_[i * classes_ + c] = static_cast<float>(std::exp(logits[c] - largest) / sum);
    }
  }
}

/// Of a client whose samples begin at `first`.
Batch UpdateMatch::load(std::size_t first, const BatchPlaces& places) {
  batch_x_.resize(places.size() * features_);
  batch_y_.resize(places.size() * classes_);
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::copy_n(x_.data() + (first + places[i]) * features_, features_, batch_x_.data() + i * features_);
    std::copy_n(y_.data() + (first + places[i]) * classes_, classes_, batch_y_.data() + i * classes_);
  }
  return {.features = batch_x_, .samples = places.size(), .shares = batch_y_};
}

/// Adds what the client would send to update_, in double: the differences of single-precision models would lose what
/// the last steps change.
UpdateMatch::Steps UpdateMatch::imitate(const ImitatedClient& client, std::size_t first) {
  Steps steps;
  std::vector<double> moved;          // by all steps so far
  std::vector<float> after = model_;  // its running statistics move on from step to step
  for (std::size_t s = 0; s < client.batches.size(); ++s) {
    if (s > 0) {
      for (std::size_t v = 0; v < trainable_; ++v)
        after[v] = static_cast<float>(static_cast<double>(model_[v]) + moved[v]);
      steps.models.push_back(after);
    }
    problem_.network.gradient(after, load(first, client.batches[s]), step_gradient_);
    const std::vector<float>& model = steps.before(s, model_);
    std::vector<double>& sum = client.batches.size() == 1 ? update_ : moved;
    sum.resize(trainable_);
    const double factor = client.batches.size() == 1 ? -client.share * client.rate : -client.rate;
    add_step({factor, factor * client.weight_decay}, step_gradient_.data(), model.data(), trainable_, sum.data());
    heartbeat::beat();
  }
  for (std::size_t v = 0; v < moved.size(); ++v) update_[v] += client.share * moved[v];
  for (std::size_t b = 0; b < moves_.size(); ++b) {
    const std::size_t v = trainable_ + b;
    moves_[b] += client.share * (static_cast<double>(after[v]) - static_cast<double>(model_[v]));
  }
  return steps;
}

/// The value; its gradient in the update is slope_.of_update times it plus slope_.of_seen times what is seen.
double UpdateMatch::compare() {
  const Sums sums = sums_of(update_.data(), problem_.change.data(), trainable_);
  if (problem_.cost == MatchCost::euclidean) {
    slope_ = {2.0 / seen_square_, -2.0 / seen_square_};
    return sums.difference / seen_square_;
  }
  const double lengths = std::sqrt(sums.square * seen_square_);
  slope_ = {0.0, 0.0};
  if (!(lengths > 0.0)) return 1.0;
  slope_ = {sums.product / (lengths * sums.square), -1.0 / lengths};
  return 1.0 - sums.product / lengths;
}

/// The same of running statistics, and its gradient.
double UpdateMatch::compare_statistics() {
  if (!(statistics_square_ > 0.0)) return 0.0;  // they did not move: nothing to go by
  const double factor = problem_.of_statistics / statistics_square_;
  double sum = 0.0;
  for (std::size_t b = 0; b < moves_.size(); ++b) {
    const double difference = moves_[b] - static_cast<double>(problem_.statistics[b]);
    sum += difference * difference;
    move_slope_[b] = 2.0 * factor * difference;
  }
  return factor * sum;
}

void UpdateMatch::go_back(const ImitatedClient& client, const Steps& steps, std::size_t first) {
  std::vector<double> adjoint;  // of the model, once there is more than one step
  blend_to_floats({client.share * slope_.of_update, client.share * slope_.of_seen}, update_.data(),
                  problem_.change.data(), trainable_, direction_.data());
  if (client.batches.size() > 1)
    adjoint.assign(direction_.begin(), direction_.begin() + static_cast<std::ptrdiff_t>(trainable_));
  // What a step adds to the update is -rate times a gradient, and what it adds to statistics has no such factor.
  double of_moves = -client.share / client.rate;
  for (std::size_t s = client.batches.size(); s-- > 0;) {
    const BatchPlaces& places = client.batches[s];
    for (std::size_t v = 0; v < adjoint.size(); ++v) direction_[v] = static_cast<float>(adjoint[v]);
    for (std::size_t b = 0; b < move_slope_.size(); ++b) {
      direction_[trainable_ + b] = static_cast<float>(of_moves * move_slope_[b]);
    }
    of_moves *= 1.0 - statistics_momentum;
    batch_d_x_.resize(places.size() * features_);
    batch_d_y_.resize(problem_.labels.empty() ? places.size() * classes_ : 0);
    problem_.network.directional(steps.before(s, model_), load(first, places), direction_,
                                 {.trainable = s == 0 ? std::span<float>() : std::span<float>(curvature_),
                                  .features = batch_d_x_,
                                  .shares = batch_d_y_});
    gather(client, places, first);
    for (std::size_t v = 0; v < trainable_ && s > 0; ++v) {
      adjoint[v] -= client.rate * (client.weight_decay * adjoint[v] + static_cast<double>(curvature_[v]));
    }
    heartbeat::beat();
  }
}

/// Adds what a mini-batch contributes to the gradients of its samples.
void UpdateMatch::gather(const ImitatedClient& client, const BatchPlaces& places, std::size_t first) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (std::size_t j = 0; j < features_; ++j) {
      d_x_[(first + places[i]) * features_ + j] -= client.rate * static_cast<double>(batch_d_x_[i * features_ + j]);
    }
    for (std::size_t c = 0; c < classes_ && !batch_d_y_.empty(); ++c) {
      d_y_[(first + places[i]) * classes_ + c] -= client.rate * static_cast<double>(batch_d_y_[i * classes_ + c]);
    }
  }
}

/// Mean absolute change to the pixel on the right and to the one below, over all images.
double UpdateMatch::add_variation(std::span<const double> at, std::span<double> gradient) const {
  const auto& [channels, height, width] = problem_.network.shape().input;
  const auto planes = static_cast<double>(samples_ * channels);
  double sum = 0.0;
  const auto add = [&](std::size_t one, std::size_t other, std::size_t differences) {
    const double factor = problem_.total_variation / (planes * static_cast<double>(differences));
    const double change = at[other] - at[one];
    sum += factor * std::abs(change);
    gradient[other] += factor * sign(change);
    gradient[one] -= factor * sign(change);
  };
  for (std::size_t row = 0; row < samples_ * channels * height; ++row) {
    for (std::size_t j = 0; j < width; ++j) {
      const std::size_t i = row * width + j;
      if (j + 1 < width) add(i, i + 1, height * (width - 1));
      if (row % height + 1 < height) add(i, i + width, (height - 1) * width);
    }
  }
  return sum;
}

void UpdateMatch::write_gradient(std::span<double> gradient) const {
  for (std::size_t i = 0; i < pixels(); ++i) {
    const PixelScale& scale = scale_of(i % features_);
    gradient[i] = d_x_[i] * (static_cast<double>(scale.one) - static_cast<double>(scale.zero));
  }
  if (!problem_.labels.empty()) return;
  for (std::size_t i = 0; i < samples_; ++i) {
    double mean = 0.0;
    for (std::size_t c = i * classes_; c < (i + 1) * classes_; ++c) mean += static_cast<double>(y_[c]) * d_y_[c];
    for (std::size_t c = i * classes_; c < (i + 1) * classes_; ++c) {
      gradient[pixels() + c] = static_cast<double>(y_[c]) * (d_y_[c] - mean);
    }
  }
}

double UpdateMatch::evaluate(std::span<const double> at, std::span<double> gradient) {
  SOUK_EXPECT(at.size() == variables() && gradient.size() == variables());
  read(at);
  update_.assign(trainable_, 0.0);
  moves_.assign(problem_.statistics.size(), 0.0);
  move_slope_.assign(moves_.size(), 0.0);
  d_x_.assign(x_.size(), 0.0);
  d_y_.assign(y_.size(), 0.0);
  std::vector<Steps> steps;
  std::size_t first = 0;
  for (const ImitatedClient& client : problem_.clients) {
    steps.push_back(imitate(client, first));
    first += client.samples;
  }
  const double value = compare() + (knows_statistics() ? compare_statistics() : 0.0);
  first = 0;
  for (std::size_t c = 0; c < problem_.clients.size(); ++c) {
    go_back(problem_.clients[c], steps[c], first);
    first += problem_.clients[c].samples;
  }
  write_gradient(gradient);
  return problem_.total_variation > 0.0 ? value + add_variation(at, gradient) : value;
}

}  // namespace souk
