// What requests to forget leave of what was to be forgotten, beside the model that never saw it, and what they cost.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

Metric number(std::string_view name, std::string_view title, std::string_view unit = "",
              Better better = Better::neither) {
  return {.name = name, .title = title, .unit = unit, .better = better, .of_named = true};
}

const RegisterMetrics register_unlearning{
    number("unlearning.before.accuracy", "test accuracy before forgetting", "share"),
    number("unlearning.before.r2", "test R² before forgetting"),
    number("unlearning.before.loss", "test loss before forgetting"),
    number("unlearning.before.forgotten_accuracy", "accuracy on what is forgotten, before", "share"),
    number("unlearning.before.forgotten_r2", "R² on what is forgotten, before"),
    number("unlearning.before.forgotten_loss", "loss on what is forgotten, before"),
    number("unlearning.before.asr", "attack success before forgetting", "share"),
    number("unlearning.before.calibrated_membership_auc", "AUC of telling members beside retrained models, before"),
    number("unlearning.before.membership_auc", "AUC of telling members by their loss, before"),
    number("unlearning.before.residual", "length of the gradient on what is held, before"),
    number("unlearning.before.agreement", "test units answered as after retraining, before", "share"),
    number("unlearning.before.divergence", "divergence of answers from retraining, before"),
    number("unlearning.before.distance", "distance of parameters from retraining, before"),
    number("unlearning.after.accuracy", "test accuracy after forgetting", "share", Better::larger),
    number("unlearning.after.r2", "test R² after forgetting", "", Better::larger),
    number("unlearning.after.loss", "test loss after forgetting", "", Better::smaller),
    number("unlearning.after.forgotten_accuracy", "accuracy on what is forgotten, after", "share"),
    number("unlearning.after.forgotten_r2", "R² on what is forgotten, after"),
    number("unlearning.after.forgotten_loss", "loss on what is forgotten, after"),
    number("unlearning.after.asr", "attack success after forgetting", "share", Better::smaller),
    number("unlearning.after.calibrated_membership_auc", "AUC of telling members beside retrained models, after"),
    number("unlearning.after.membership_auc", "AUC of telling members by their loss, after"),
    number("unlearning.after.residual", "length of the gradient on what stays, after", "", Better::smaller),
    number("unlearning.after.agreement", "test units answered as after retraining", "share", Better::larger),
    number("unlearning.after.divergence", "divergence of answers from retraining", "", Better::smaller),
    number("unlearning.after.distance", "distance of parameters from retraining", "", Better::smaller),
    number("unlearning.retrained.accuracy", "test accuracy retrained", "share"),
    number("unlearning.retrained.r2", "test R² retrained"),
    number("unlearning.retrained.loss", "test loss retrained"),
    number("unlearning.retrained.forgotten_accuracy", "accuracy on what is forgotten, retrained", "share"),
    number("unlearning.retrained.forgotten_r2", "R² on what is forgotten, retrained"),
    number("unlearning.retrained.forgotten_loss", "loss on what is forgotten, retrained"),
    number("unlearning.retrained.asr", "attack success retrained", "share"),
    number("unlearning.retrained.calibrated_membership_auc",
           "AUC of telling members beside retrained models, retrained"),
    number("unlearning.retrained.membership_auc", "AUC of telling members by their loss, retrained"),
    number("unlearning.retrained.residual", "length of the gradient on what stays, retrained"),
    number("unlearning.floor.agreement", "test units that retrained models answer alike", "share"),
    number("unlearning.floor.divergence", "divergence of answers among retrained models"),
    number("unlearning.floor.distance", "distance of parameters among retrained models"),
    number("unlearning.relative_distance", "distance from retraining, of that before", "", Better::smaller),
    number("unlearning.difference_auc", "AUC of telling the forgotten by both models", "", Better::smaller),
    number("unlearning.before.steal_link_auc", "AUC of stealing the forgotten edges, before"),
    number("unlearning.after.steal_link_auc", "AUC of stealing the forgotten edges, after"),
    number("unlearning.retrained.steal_link_auc", "AUC of stealing the forgotten edges, retrained"),
    number("unlearning.release_auc", "AUC of telling the forgotten edges by both models", "", Better::smaller),
    number("unlearning.clients", "clients forgotten", "count"),
    number("unlearning.units", "units forgotten", "count"),
    number("unlearning.edges", "edges forgotten", "count"),
    number("unlearning.gradients", "gradients of single units computed to forget", "count", Better::smaller),
    number("unlearning.gflops", "work of forgetting", "gflop", Better::smaller),
    number("unlearning.megabytes", "messages of forgetting", "MB", Better::smaller),
    number("unlearning.messages", "exchanges of messages to forget", "count", Better::smaller),
    number("unlearning.certificate.residual", "residuals that certified steps have left", "", Better::smaller),
    number("unlearning.certificate.budget", "residual that the noise in the objective hides"),
    number("unlearning.certificate.retrained", "whether training started anew", "", Better::smaller),
    {.name = "settlement.refunded", .title = "credits given back by those who left", .unit = "credits"},
    {.name = "settlement.clawed_back", .title = "credits given back by those thrown out", .unit = "credits"},
    {.name = "settlement.fees", .title = "credits paid for the work of forgetting", .unit = "credits"},
    {.name = "settlement.missing", .title = "credits owed that nobody had", .unit = "credits"},
};

}  // namespace
}  // namespace souk
