#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace souk {

/// log p_y - log(1 - p_y) of the softmax of logits, without cancellation: z_y - log of the sum over the other classes
/// of e^z. Carlini et al., "Membership Inference Attacks From First Principles", S&P 2022.
double confidence_logit(std::span<const float> logits, std::int32_t label);

/// Mean and standard deviation of a normal distribution; a deviation of 0 counts as 1e-30.
struct NormalFit {
  double mean = 0.0, deviation = 1.0;
  double log_density(double x) const;
};

/// Of one sample: what is seen of it at the model that is looked at, and at shadows that have it and that do not.
struct ShadowSignals {
  double target = 0.0;
  std::vector<double> in, out;
};

/// How shadows' signals are taken for normal ones.
struct NormalFitting {
  bool means = false;         ///< the middle of a sample's signals is their mean; otherwise their median
  bool own_variance = false;  ///< each sample has its own; otherwise all share that of the differences to their middles
};

/// [samples] log N(phi; in) - log N(phi; out).
std::vector<double> likelihood_ratios(std::span<const ShadowSignals> samples, const NormalFitting& fitting);
/// [samples] (phi - mu_out) / s_out, by which samples rank as by log Phi of it: the likelihood that no shadow without
/// the sample says as much.
std::vector<double> offline_likelihoods(std::span<const ShadowSignals> samples, const NormalFitting& fitting);
/// [samples] phi less its mean for the shadows without the sample. Watson et al., ICLR 2022.
std::vector<double> calibrated_difficulties(std::span<const ShadowSignals> samples);

/// How RMIA compares confidences: Zarifzadeh, Liu, Shokri, ICML 2024.
struct RelativeSettings {
  bool offline = false;
  double gamma = 1.0, a = 0.3;
};
/// p / mean over shadows of p: of all; offline of those without the sample, their mean m taken for ((1 + a) m + 1 - a)
/// / 2. Signals are probabilities.
double relative_confidence(const ShadowSignals& sample, const RelativeSettings& settings);
/// [samples] Share of the others than which a sample's relative confidence is more than gamma times as large.
std::vector<double> shares_below(std::span<const ShadowSignals> samples, std::span<const ShadowSignals> others,
                                 const RelativeSettings& settings);

/// Coefficients of a logistic regression with an intercept, the last one: those that make the sum of the losses and
/// half of `penalty` times the squared coefficients, that of the intercept among them, least; by Newton's method.
std::vector<double> logistic_regression(std::span<const std::vector<double>> rows, std::span<const std::uint8_t> truth,
                                        double penalty);
/// The logarithm of the odds that it gives a row.
double log_odds(std::span<const double> coefficients, std::span<const double> row);

}  // namespace souk
