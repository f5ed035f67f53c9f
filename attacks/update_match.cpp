#include "attacks/update_match.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

double sign(double value) { return static_cast<double>(value > 0.0) - static_cast<double>(value < 0.0); }

}  // namespace

UpdateMatch::UpdateMatch(MatchProblem problem)
    : problem_(std::move(problem)),
      features_(problem_.network.shape().inputs()),
      classes_(problem_.network.shape().outputs()),
      trainable_(problem_.network.layout().trainable()) {
  SOUK_EXPECT(problem_.model.size() == trainable_ && problem_.change.size() == trainable_);
  for (const ImitatedClient& client : problem_.clients) samples_ += client.samples;
  SOUK_EXPECT(problem_.labels.empty() || problem_.labels.size() == samples_);
  for (const float value : problem_.change) seen_square_ += static_cast<double>(value) * static_cast<double>(value);
  x_.resize(samples_ * features_);
  y_.assign(samples_ * classes_, 0.0F);
  for (std::size_t i = 0; i < problem_.labels.size(); ++i) {
    y_[i * classes_ + static_cast<std::size_t>(problem_.labels[i])] = 1.0F;
  }
  step_gradient_.resize(trainable_);
  direction_.resize(trainable_);
  curvature_.resize(trainable_);
  adjoint_.resize(trainable_);
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
Batch UpdateMatch::load(std::size_t first, const Places& places) {
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
  std::vector<double> moved(trainable_, 0.0);
  for (const Places& places : client.batches) {
    std::vector<float>& model = steps.models.emplace_back(problem_.model.begin(), problem_.model.end());
    for (std::size_t v = 0; v < trainable_; ++v) {
      model[v] = static_cast<float>(static_cast<double>(model[v]) + moved[v]);
    }
    problem_.network.gradient(model, load(first, places), step_gradient_);
    for (std::size_t v = 0; v < trainable_; ++v) {
      moved[v] -=
          client.rate * (static_cast<double>(step_gradient_[v]) + client.weight_decay * static_cast<double>(model[v]));
    }
    heartbeat::beat();
  }
  for (std::size_t v = 0; v < trainable_; ++v) update_[v] += client.share * moved[v];
  return steps;
}

/// The value, and its gradient in the update.
double UpdateMatch::compare() {
  double difference = 0.0, square = 0.0, product = 0.0;
  for (std::size_t v = 0; v < trainable_; ++v) {
    const auto seen = static_cast<double>(problem_.change[v]);
    difference += (update_[v] - seen) * (update_[v] - seen);
    square += update_[v] * update_[v];
    product += update_[v] * seen;
  }
  if (problem_.cost == MatchCost::euclidean) {
    for (std::size_t v = 0; v < trainable_; ++v) {
      adjoint_[v] = 2.0 * (update_[v] - static_cast<double>(problem_.change[v])) / seen_square_;
    }
    return difference / seen_square_;
  }
  const double lengths = std::sqrt(square * seen_square_);
  if (!(lengths > 0.0)) {
    std::ranges::fill(adjoint_, 0.0);
    return 1.0;
  }
  for (std::size_t v = 0; v < trainable_; ++v) {
    adjoint_[v] = product / lengths * update_[v] / square - static_cast<double>(problem_.change[v]) / lengths;
  }
  return 1.0 - product / lengths;
}

void UpdateMatch::go_back(const ImitatedClient& client, const Steps& steps, std::size_t first) {
  std::vector<double> adjoint(adjoint_);
  for (double& value : adjoint) value *= client.share;
  for (std::size_t s = client.batches.size(); s-- > 0;) {
    const Places& places = client.batches[s];
    for (std::size_t v = 0; v < trainable_; ++v) direction_[v] = static_cast<float>(adjoint[v]);
    batch_d_x_.resize(places.size() * features_);
    batch_d_y_.resize(problem_.labels.empty() ? places.size() * classes_ : 0);
    problem_.network.directional(steps.models[s], load(first, places), direction_,
                                 {.trainable = s == 0 ? std::span<float>() : std::span<float>(curvature_),
                                  .features = batch_d_x_,
                                  .shares = batch_d_y_});
    for (std::size_t i = 0; i < places.size(); ++i) {
      for (std::size_t j = 0; j < features_; ++j) {
        d_x_[(first + places[i]) * features_ + j] -= client.rate * static_cast<double>(batch_d_x_[i * features_ + j]);
      }
      for (std::size_t c = 0; c < classes_ && !batch_d_y_.empty(); ++c) {
        d_y_[(first + places[i]) * classes_ + c] -= client.rate * static_cast<double>(batch_d_y_[i * classes_ + c]);
      }
    }
    for (std::size_t v = 0; v < trainable_ && s > 0; ++v) {
      adjoint[v] -= client.rate * (client.weight_decay * adjoint[v] + static_cast<double>(curvature_[v]));
    }
    heartbeat::beat();
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
  d_x_.assign(x_.size(), 0.0);
  d_y_.assign(y_.size(), 0.0);
  std::vector<Steps> steps;
  std::size_t first = 0;
  for (const ImitatedClient& client : problem_.clients) {
    steps.push_back(imitate(client, first));
    first += client.samples;
  }
  const double value = compare();
  first = 0;
  for (std::size_t c = 0; c < problem_.clients.size(); ++c) {
    go_back(problem_.clients[c], steps[c], first);
    first += problem_.clients[c].samples;
  }
  write_gradient(gradient);
  return problem_.total_variation > 0.0 ? value + add_variation(at, gradient) : value;
}

}  // namespace souk
