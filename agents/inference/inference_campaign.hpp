#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agents/inference/victim_cases.hpp"
#include "attacks/inference_attack.hpp"
#include "sim/comm/comm.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// What all attacks of a round work with.
struct InferenceRound {
  RoundIndex round;
  Network& network;
  std::span<const float> model;  ///< [dimension] that clients were sent
  LocalTraining training;
  std::span<const PixelScale> pixels;
  SampleTable auxiliary;
  std::span<const std::span<const float>> updates;  ///< all of the round; empty: no attack is granted them
  const KnownProperty* property = nullptr;          ///< null: there is none
};

/// What is seen of a victim.
struct Shown {
  std::span<const float> change;      ///< [trainable]
  std::span<const float> statistics;  ///< [dimension - trainable] of running statistics; empty: not known
};

/// One attack through the rounds: what it is granted, its attempts, and which of them is its claim.
class InferenceCampaign {
 public:
  /// `index`: of the attack in the section. Throws InputError, with the path of the setting.
  InferenceCampaign(const scenario::Scenario& scenario, std::size_t index, const Federation& federation);
  const std::string& name() const { return name_; }
  const scenario::InferenceAttack& config() const { return config_; }
  const InferenceAttack& attack() const { return *attack_; }
  bool controls_model() const { return attack_->needs().has(InferenceGrant::control); }
  /// Of the attack's own draws in a round.
  std::uint64_t seed(RoundIndex round) const;
  /// One attempt on one victim. Depends on nothing else.
  Attempt attempt(const InferenceRound& round, const VictimCase& victim, const Shown& shown, std::uint32_t which) const;

 private:
  void check(const scenario::Scenario& scenario, const Federation& federation) const;
  const scenario::InferenceAttack& config_;
  std::size_t index_;
  std::uint64_t seed_;
  std::string name_;
  std::unique_ptr<InferenceAttack> attack_;
};

/// A claim as numbers, to be sent, and back.
std::vector<double> packed_claim(const Claim& claim);
Claim unpacked_claim(std::span<const double>& values);

}  // namespace souk
