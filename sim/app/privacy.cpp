// `souk privacy`: what so many rounds under noise give away, or how much noise they need.
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sim/app/subcommands.hpp"
#include "sim/base/contract.hpp"
#include "sim/privacy/accountant.hpp"
#include "sim/privacy/gaussian_dp.hpp"
#include "sim/privacy/loss_accountant.hpp"
#include "sim/privacy/renyi.hpp"

namespace souk {
namespace {

struct PrivacyArguments {
  double sampling = 1.0;
  std::optional<double> noise, epsilon;
  std::uint32_t rounds = 1;
  double delta = 1e-5;
};

void check(const PrivacyArguments& given) {
  SOUK_REQUIRE(given.sampling > 0.0 && given.sampling <= 1.0, "--sampling {}: a probability above 0, 1 at most",
               given.sampling);
  SOUK_REQUIRE(given.noise.has_value() != given.epsilon.has_value(),
               "give one of --noise, for an epsilon, and --epsilon, for the noise that it needs");
  SOUK_REQUIRE(!given.noise || (*given.noise >= 1e-2 && *given.noise <= 1e6),
               "--noise {}: a standard deviation from 0.01 to 1e6, in clipping bounds", *given.noise);
  SOUK_REQUIRE(!given.epsilon || (*given.epsilon > 0.0 && std::isfinite(*given.epsilon)),
               "--epsilon {}: a number above 0", *given.epsilon);
  SOUK_REQUIRE(given.rounds > 0, "--rounds 0: at least one");
  SOUK_REQUIRE(given.delta >= 1e-11 && given.delta < 1.0, "--delta {}: a probability from 1e-11 on, below 1",
               given.delta);
}

void print_line(const char* what, double value, const std::string& remark) {
  fmt::print("{:<28}{:.6g}{}{}\n", what, value, remark.empty() ? "" : "  ", remark);
}

int privacy_command(const PrivacyArguments& given) {
  check(given);
  std::vector<SubsampledGaussian> releases{{given.sampling, given.noise.value_or(1.0), given.rounds}};
  if (given.epsilon) {
    releases[0].noise = noise_for(*given.epsilon, Accountant::loss_distributions, releases, given.delta);
    print_line("noise multiplier", releases[0].noise, "");
  }
  const BothEpsilons losses = LossAccountant::fit_for(releases, given.delta).epsilons(releases, given.delta);
  SOUK_REQUIRE(std::isfinite(losses.larger()), "--delta {}: over {} rounds rounding errors alone are more", given.delta,
               given.rounds);
  const RenyiEpsilon renyi = renyi_epsilon(releases, given.delta);
  const bool exact = given.sampling == 1.0;
  print_line("epsilon", losses.larger(), "distributions of the privacy loss");
  print_line("  by Renyi divergences", renyi.epsilon,
             fmt::format("order {:g}{}", renyi.order, renyi.at_edge ? ", the last tried: another may give less" : ""));
  print_line("  by the Gaussian limit", gdp_epsilon(gdp_mu(releases), given.delta),
             exact ? "exact where nothing is sampled" : "an approximation, which may be too small");
  return exit_done;
}

}  // namespace

void add_privacy(CLI::App& app, ChosenCommand& chosen) {
  const auto given = std::make_shared<PrivacyArguments>();
  CLI::App* command =
      app.add_subcommand("privacy", "Account for noise: epsilon of so many rounds, or the noise for an epsilon");
  command
      ->add_option("--sampling", given->sampling,
                   "Probability with which a client takes part in a round, independently of the others")
      ->capture_default_str();
  command->add_option("--noise", given->noise,
                      "Noise multiplier: standard deviation of the noise on a round's sum, in clipping bounds");
  command->add_option("--epsilon", given->epsilon, "Epsilon to stay within, instead of --noise");
  command->add_option("--rounds", given->rounds, "Number of rounds")->capture_default_str();
  command->add_option("--delta", given->delta, "Probability with which epsilon need not hold")->capture_default_str();
  command->callback([&chosen, given] { chosen.command = [given] { return privacy_command(*given); }; });
}

}  // namespace souk
