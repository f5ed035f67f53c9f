#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/training/evaluator.hpp"
#include "agents/training/model_server.hpp"
#include "agents/unlearning/holders.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

/// A model as those see it who ask what it has forgotten.
struct Look {
  TestResult test;                         ///< on the test set
  std::optional<Scores> forgotten{};       ///< on the units forgotten; none: there were none
  double loss_as_trained = 0.0;            ///< on them as their holders' attacks on data leave them
  std::vector<float> answers{};            ///< [test units, outputs] probabilities of classes, or predictions
  std::vector<double> losses_of_units{};   ///< [units forgotten] of each; empty where there are no classes
  std::vector<double> losses_of_others{};  ///< [test units] likewise
  std::vector<float> parameters{};         ///< [trainable]
  std::vector<float> posteriors{};         ///< [nodes, classes] of all nodes, where edges are forgotten
  double residual = 0.0;  ///< length of the gradient of the mean loss on what stays, weight decay included
};

/// Looks at a model, [dimension], and at what is forgotten; `edges`: whether edges are, too. Collective.
Look look_at(ModelServer& server, std::span<const float> model, std::span<const DealtUnits> forgotten,
             bool edges = false);

/// Answers to units, [units, outputs]: logits of classes, or predictions. Collective.
std::vector<float> answers_to(const Comm& comm, Task& task, std::span<const float> model, Split split, UnitSet units,
                              std::size_t batch);

/// How alike the answers of two models are.
struct Agreement {
  double share = 0.0;       ///< of the test units, those for which the most probable class is the same; NaN: no classes
  double divergence = 0.0;  ///< mean Jensen-Shannon divergence of the probabilities, in nats; of predictions of numbers
                            ///< the root mean squared difference
};
Agreement agreement_of(const Look& a, const Look& b, std::size_t outputs, bool classes);

/// Area under the ROC curve of telling the forgotten from test units by the loss: low losses are members. Yeom et al.,
/// "Privacy Risk in Machine Learning", 2018. Null where there is nothing to tell.
std::optional<double> membership_auc(const Look& look);

/// The same of who also has models that were trained without the forgotten, and sets every unit against what they make
/// of it: by phi, the logit of the probability of its class, less the mean of theirs. Carlini et al., "Membership
/// Inference Attacks From First Principles", S&P 2022, section VI: LiRA offline, with one variance for all units, which
/// ranks them so. Null where there is nothing to tell, or nobody to set it against.
std::optional<double> calibrated_membership_auc(const Look& look, std::span<const Look> without);

/// The same as membership_auc of who sees both models: units whose loss has grown were forgotten. Chen et al., "When
/// Machine Unlearning Jeopardizes Privacy", CCS 2021, compare answers before and after; that the score is the
/// difference of losses is Souk's.
std::optional<double> difference_auc(const Look& before, const Look& after);

/// Length of the difference of parameters.
double distance_of(const Look& a, const Look& b);

}  // namespace souk
