// What updates give away of the data that they were computed from.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

/// An attacker's success, which is the less welcome the larger it is.
Metric leak(std::string_view name, std::string_view title, std::string_view unit = "share") {
  return {.name = name, .title = title, .unit = unit, .better = Better::smaller, .of_named = true};
}

/// How far it is from the truth.
Metric far_off(std::string_view name, std::string_view title, std::string_view unit = "") {
  return {.name = name, .title = title, .unit = unit, .better = Better::larger, .of_named = true};
}

Metric setting(std::string_view name, std::string_view title, std::string_view unit = "") {
  return {.name = name, .title = title, .unit = unit, .of_named = true};
}

Metric planted(std::string_view name, std::string_view title) {
  return {.name = name, .title = title, .unit = "count"};
}

const RegisterMetrics register_inference_metrics{
    planted("inference.property_clients", "clients whose samples have the section's property"),
    planted("inference.property_samples_fewest", "samples with it of the client that has fewest"),
    setting("inference.victims", "clients whose updates were attacked", "count"),
    leak("inference.count_accuracy", "samples whose classes were counted right"),
    leak("inference.count_presence", "classes of which it was right whether there are any"),
    setting("inference.count_guess", "samples whose classes equal counts would have right", "share"),
    far_off("inference.mse", "mean squared error of reconstructions"),
    far_off("inference.mse_median", "median squared error of reconstructions"),
    setting("inference.mse_other", "mean squared error of another image of the class"),
    setting("inference.mse_class_mean", "mean squared error of the class's mean"),
    leak("inference.psnr", "peak signal to noise of reconstructions", "dB"),
    leak("inference.psnr_median", "median peak signal to noise of reconstructions", "dB"),
    leak("inference.ssim", "structural similarity of reconstructions", ""),
    leak("inference.recovered", "samples reconstructed with a squared error below 0.001"),
    leak("inference.near", "samples reconstructed with a squared error below 0.01"),
    leak("inference.identified", "samples that are nearest to their reconstructions of all in a pool"),
    leak("inference.label_accuracy", "reconstructions with the right class"),
    setting("inference.claimed", "samples of which anything was claimed", "share"),
    leak("inference.membership_auc", "area under the ROC curve of telling members", ""),
    setting("inference.membership_auc_low", "lower end of its interval"),
    setting("inference.membership_auc_high", "upper end of its interval"),
    leak("inference.membership_tpr_at_01", "members found at 1 % of the others taken for some"),
    leak("inference.membership_tpr_at_001", "members found at 0.1 % of the others taken for some"),
    leak("inference.membership_balanced_accuracy", "members and others told right, at the best threshold"),
    leak("inference.property_auc", "area under the ROC curve of telling victims with the property", ""),
    setting("inference.property_auc_low", "lower end of its interval"),
    setting("inference.property_auc_high", "upper end of its interval"),
    leak("inference.property_tpr_at_01", "victims with the property found at 1 % of the others taken for some"),
    leak("inference.property_tpr_at_001", "victims with the property found at 0.1 % of the others taken for some"),
    leak("inference.property_balanced_accuracy", "victims told right, at the best threshold"),
    leak("inference.property_accuracy", "victims told right at even odds"),
    setting("inference.property_share", "victims whose samples have the property", "share"),
    far_off("inference.isolation_error", "distance of what is seen from the victim's update, in its lengths"),
    leak("inference.source_accuracy", "samples whose owner was named"),
    setting("inference.source_by_size", "samples whose owner has most samples", "share"),
    setting("inference.source_by_class", "samples whose owner has most samples of their class", "share"),
    setting("inference.equations", "values that were seen for each unknown one"),
};

}  // namespace
}  // namespace souk
