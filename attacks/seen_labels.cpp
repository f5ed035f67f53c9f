#include "attacks/seen_labels.hpp"

#include "attacks/affine_ends.hpp"
#include "attacks/label_estimate.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

bool asks_auxiliary(scenario::LabelEstimator estimator) {
  return estimator == scenario::AUXILIARY || estimator == scenario::PRIOR;
}

/// The mean of all rows.
std::vector<double> mean_row(std::span<const double> rows, std::size_t width) {
  std::vector<double> mean(width, 0.0);
  const auto count = static_cast<double>(rows.size() / width);
  for (std::size_t i = 0; i < rows.size(); ++i) mean[i % width] += rows[i] / count;
  return mean;
}

void average(std::span<const double> other, std::span<double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5 * (values[i] + other[i]);
}

/// The model moved as far as what is seen says.
std::vector<float> moved_model(const PublicCase& seen) {
  std::vector<float> model(seen.model().begin(), seen.model().end());
  for (std::size_t v = 0; v < seen.change().size(); ++v) model[v] += seen.change()[v];
  return model;
}

}  // namespace

void check_label_estimate(scenario::LabelEstimator estimator, const std::string& field,
                          const InferenceSetting& setting) {
  const std::size_t classes = setting.network.shape().outputs();
  SOUK_REQUIRE(setting.cross_entropy,
               "{}: counts are read from the gradient of cross-entropy, and task.objective is "
               "another",
               field);
  SOUK_REQUIRE(last_affine_layer(setting.network.layout(), classes),
               "{}: counts are read from the biases of a last affine layer, which this network has not", field);
  SOUK_REQUIRE(!asks_auxiliary(estimator) || setting.has_auxiliary,
               "{} = {}: needs samples of the attacker's own, and inference.auxiliary_per_class is 0", field,
               scenario::LabelEstimator_Name(estimator));
}

std::vector<float> gradient_seen(const PublicCase& seen, const KnowsTraining& training) {
  double steps = 0.0;
  for (std::size_t m = 0; m < seen.behind(); ++m) {
    steps += static_cast<double>(training.training().steps(training.samples(m))) / static_cast<double>(seen.behind());
  }
  const double factor = -1.0 / (training.training().rate * steps);
  std::vector<float> gradient;
  for (const float value : seen.change()) gradient.push_back(static_cast<float>(factor * static_cast<double>(value)));
  return gradient;
}

std::vector<double> estimated_counts(scenario::LabelEstimator estimator, bool both_models, const PublicCase& seen,
                                     const KnowsTraining& training, const SampleTable& auxiliary) {
  const std::vector<float> flat = gradient_seen(seen, training);
  const AffineSlots last = *last_affine_layer(seen.network().layout(), seen.classes());
  const LastLayerGradient gradient{
      .weights = last.weights(flat), .biases = last.biases(flat), .samples = training.samples_of_all()};
  if (estimator == scenario::NEGATIVE_SIGNS) return counts_by_signs(gradient);
  if (estimator == scenario::ROW_SUMS) return counts_by_row_sums(gradient);
  const auto answers_of = [&](std::span<const float> model) {
    return estimator == scenario::EMBEDDINGS
               ? answers_to_embeddings(gradient, last.weights(model), last.biases(model))
               : mean_answers(seen.network(), model, auxiliary.features, auxiliary.labels);
  };
  std::vector<double> answers = answers_of(seen.model());
  if (both_models) average(answers_of(moved_model(seen)), answers);
  const std::vector<double> counts = estimator == scenario::PRIOR
                                         ? counts_by_prior(gradient, mean_row(answers, seen.classes()))
                                         : counts_by_answers(gradient, answers);
  return whole_counts(counts, gradient.samples);
}

}  // namespace souk
