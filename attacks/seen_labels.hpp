#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "attacks/inference_attack.hpp"

namespace souk::scenario {
enum LabelEstimator : int;
}

namespace souk {

/// Throws InputError where the estimator cannot work there; `field` is what set it.
void check_label_estimate(scenario::LabelEstimator estimator, const std::string& field,
                          const InferenceSetting& setting);

/// The gradient that what is seen amounts to, if all steps were one: -change / (rate steps), [trainable]. Steps: the
/// members' mean.
std::vector<float> gradient_seen(const PublicCase& seen, const KnowsTraining& training);

/// How many samples of every class are behind what is seen, whole numbers, [classes]. `both_models`: answers are
/// averaged over the model before and after the training.
std::vector<double> estimated_counts(scenario::LabelEstimator estimator, bool both_models, const PublicCase& seen,
                                     const KnowsTraining& training, const SampleTable& auxiliary);

}  // namespace souk
