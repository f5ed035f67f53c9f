// Membership and source from updates, on a network whose gradients are known by hand: two features, two classes, all
// weights 0, so that both classes have one half: the gradient of a sample (x, y) is (x, -x, 1, -1) / 2 of class 0's and
// class 1's weights and biases if y = 1, and its opposite if y = 0.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include "attacks/inference_attack.hpp"
#include "scenarios/inference.pb.h"
#include "scenarios/learning.pb.h"
#include "sim/stats/normal_distribution.hpp"

namespace souk::membership_test {
namespace {

using Update = std::vector<float>;

/// Asked about three samples: (3, 4) of class 1, (1, 0) of class 0 and (0, 1) of class 1.
class Membership : public testing::Test {
 protected:
  Membership() {
    scenario::Model model;
    model.mutable_logreg();
    network_ = make_network(model, {.input = {1, 1, 2}, .classes = 2}, "cpu");
    model_.assign(network_->layout().dimension(), 0.0F);
    member_.samples = 4;
    training_ = {.rate = 0.5, .passes = 3, .batch_size = 2};
  }

  /// The gradient of one of them at the model that was sent.
  static Update gradient(std::size_t which) {
    const std::vector<Update> features{{3, 4}, {1, 0}, {0, 1}};
    const float sign = which == 1 ? -0.5F : 0.5F;
    const float x = sign * features[which][0], y = sign * features[which][1];
    return {x, y, -x, -y, sign, -sign};
  }
  static Update scaled(Update update, double factor) {
    for (float& value : update) value = static_cast<float>(factor * static_cast<double>(value));
    return update;
  }

  Claim claim(const std::string& text, const Update& change, const std::vector<Update>& all = {}) {
    scenario::InferenceAttack config;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
    std::vector<std::span<const float>> updates(all.begin(), all.end());
    return make_inference_attack(config)
        ->infer_from({.network = *network_,
                      .model = model_,
                      .pixels = {},
                      .change = change,
                      .members = std::span(&member_, 1),
                      .training = &training_,
                      .candidates = {.features = features_, .labels = labels_},
                      .updates = updates,
                      .victim = 1})
        .claim;
  }
  std::vector<double> scores(const std::string& text, const Update& change, const std::vector<Update>& all = {}) {
    return std::get<ClaimedScores>(claim(text, change, all)).scores;
  }

  std::vector<float> features_{3, 4, 1, 0, 0, 1};
  std::vector<std::int32_t> labels_{1, 0, 1};
  std::unique_ptr<Network> network_;
  std::vector<float> model_;
  Member member_;
  LocalTraining training_;
};

double cosine(const Update& a, const Update& b) {
  double ab = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t v = 0; v < a.size(); ++v) {
    ab += static_cast<double>(a[v]) * static_cast<double>(b[v]);
    aa += static_cast<double>(a[v]) * static_cast<double>(a[v]);
    bb += static_cast<double>(b[v]) * static_cast<double>(b[v]);
  }
  return ab / std::sqrt(aa * bb);
}

TEST_F(Membership, the_sample_that_made_the_update_has_cosine_1) {
  const std::vector<double> found = scores("membership {}", scaled(gradient(0), -0.1));
  EXPECT_NEAR(found[0], 1.0, 1e-6);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_NEAR(found[i], cosine(gradient(0), gradient(i)), 1e-6);
  EXPECT_THAT(scores("membership {}", Update(6, 0.0F)), testing::Each(0.0));
}

/// U = -update / (rate steps), with 3 passes of 2 steps at rate .5.
TEST_F(Membership, the_difference_is_in_units_of_gradients) {
  const std::vector<double> found = scores("membership { signal: DIFFERENCE }", scaled(gradient(0), -0.5 * 6.0));
  for (std::size_t i = 0; i < 3; ++i) {
    const Update g = gradient(i), u = gradient(0);
    double uu = 0.0, rest = 0.0;
    for (std::size_t v = 0; v < 6; ++v) {
      uu += std::pow(static_cast<double>(u[v]), 2);
      rest += std::pow(static_cast<double>(u[v]) - static_cast<double>(g[v]), 2);
    }
    EXPECT_NEAR(found[i], uu - rest, 1e-5);
  }
}

TEST_F(Membership, losses_are_those_of_the_returned_model) {
  const Update update{0, 0, 1, 0, 0, 0.5};  // class 1 answers x_0 + .5 more
  const std::vector<double> loss = scores("membership { signal: LOSS }", update);
  const std::vector<double> drop = scores("membership { signal: LOSS_DROP }", update);
  const std::vector<double> norm = scores("membership { signal: GRADIENT_NORM }", update);
  const std::vector<double> answer{3.5, 1.5, 0.5};
  for (std::size_t i = 0; i < 3; ++i) {
    const double p = 1.0 / (1.0 + std::exp(-answer[i])), right = labels_[i] == 1 ? p : 1.0 - p;
    EXPECT_NEAR(loss[i], std::log(right), 1e-6);
    EXPECT_NEAR(drop[i], std::log(2.0) + std::log(right), 1e-6);
    const double x = features_[2 * i], y = features_[2 * i + 1];
    EXPECT_NEAR(norm[i], -(1.0 - right) * std::sqrt(2.0 * (x * x + y * y + 1.0)), 1e-5);
  }
}

/// The victim's update is the second of four.
TEST_F(Membership, others_are_those_of_whom_it_is_none) {
  const std::vector<Update> all{scaled(gradient(1), -1.0), scaled(gradient(0), -0.1), scaled(gradient(2), -1.0),
                                scaled(gradient(2), 1.0)};
  const std::vector<double> found = scores("membership { against_others: true }", all[1], all);
  for (std::size_t i = 0; i < 3; ++i) {
    std::vector<double> others;
    for (const std::size_t k : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
      others.push_back(-cosine(all[k], gradient(i)));
    }
    const double mean = (others[0] + others[1] + others[2]) / 3.0;
    double variance = 0.0;
    for (const double value : others) variance += (value - mean) * (value - mean) / 3.0;
    EXPECT_NEAR(found[i], normal_cdf((-cosine(all[1], gradient(i)) - mean) / std::sqrt(variance)), 1e-5);
  }
}

TEST_F(Membership, a_source_is_who_fits_best_and_of_equal_ones_the_first) {
  const std::vector<Update> all{scaled(gradient(1), -1.0), scaled(gradient(0), -1.0), scaled(gradient(0), -1.0)};
  EXPECT_THAT(std::get<ClaimedSources>(claim("source {}", all[1], all)).sources, testing::ElementsAre(1, 0, 1));
  const std::vector<Update> alike(3, Update(6, 0.1F));
  EXPECT_THAT(std::get<ClaimedSources>(claim("source {}", alike[1], alike)).sources, testing::Each(0U));
}

}  // namespace
}  // namespace souk::membership_test
