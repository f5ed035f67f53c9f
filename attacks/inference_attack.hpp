#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/learn/model.hpp"

namespace souk::scenario {
class InferenceAttack;
}  // namespace souk::scenario

namespace souk {

/// What an attacker may know or do beside what everybody knows.
enum class InferenceGrant : std::uint8_t { training, auxiliary, control, candidates, others, property };
inline constexpr std::size_t inference_grants = 6;

/// Some of them.
class InferenceGrants {
 public:
  constexpr InferenceGrants() = default;
  constexpr InferenceGrants(std::initializer_list<InferenceGrant> grants) {
    for (const InferenceGrant grant : grants) has_[static_cast<std::size_t>(grant)] = true;
  }
  constexpr bool has(InferenceGrant grant) const { return has_[static_cast<std::size_t>(grant)]; }
  constexpr InferenceGrants operator|(const InferenceGrants& others) const {
    InferenceGrants all = *this;
    for (std::size_t g = 0; g < inference_grants; ++g) all.has_[g] = all.has_[g] || others.has_[g];
    return all;
  }

 private:
  std::array<bool, inference_grants> has_{};
};

/// Values of an input channel at 0 and 1 of what images are compared in.
struct PixelScale {
  float zero = 0.0F, one = 1.0F;
};

/// What a mini-batch consists of: samples of a client by their places among all that it has.
using BatchPlaces = std::vector<std::uint32_t>;

/// One of those whose updates are behind what is seen; what is not granted is empty.
struct Member {
  AgentId client;
  double share = 0.0;                   ///< of its update in what is seen; not known where the mean is FLShield's
  std::size_t samples = 0;              ///< with the training
  std::vector<std::int32_t> labels{};   ///< [samples]
  std::vector<std::uint32_t> counts{};  ///< [classes]
  std::vector<BatchPlaces> batches{};   ///< of all steps
};

/// How clients train: plain steps, with a rate that holds for the round.
struct LocalTraining {
  double rate = 0.0, weight_decay = 0.0;
  std::uint32_t passes = 1;
  std::size_t batch_size = 0;  ///< 0: all samples
  /// Steps of a client with so many samples.
  std::size_t steps(std::size_t samples) const;
};

/// Samples that an attacker has for itself.
struct SampleTable {
  std::span<const float> features{};       ///< [samples, features] as the network reads them
  std::span<const std::int32_t> labels{};  ///< [samples]
  std::size_t size() const { return labels.size(); }
};

/// A property that the samples of some clients have, as an attacker knows it.
struct KnownProperty {
  SampleTable with{}, without{};      ///< of its own samples those that have it, and those that have not
  double clients = 0.0, share = 0.0;  ///< of the clients those who have it, and of the samples of one of them
};

/// A victim, as the engine hands it out: an attack sees of it what it is granted.
struct InferenceAccess {
  Network& network;
  std::span<const float> model;             ///< [dimension] that clients trained from
  std::span<const PixelScale> pixels;       ///< [channels]
  std::span<const float> change;            ///< [trainable] what is seen: a mean of updates
  std::span<const float> statistics{};      ///< [dimension - trainable] of running statistics; empty: not granted
  std::span<const Member> members;          ///< whose they are, the victim first
  const LocalTraining* training = nullptr;  ///< null: not granted
  SampleTable auxiliary{};
  SampleTable candidates{};                           ///< samples that are asked about
  std::span<const std::span<const float>> updates{};  ///< all of the round, ascending identities; empty: not granted
  std::size_t victim = 0;                             ///< which of them is the victim's
  const KnownProperty* property = nullptr;            ///< null: not granted
  std::uint64_t seed = 1;                             ///< of the attack's own draws in the round
  std::uint32_t attempt = 0;
};

// The grants. An attack names those it works with, and is handed these and nothing else.

/// What everybody in the federation knows, and what is looked at.
class PublicCase {
 public:
  explicit PublicCase(const InferenceAccess& access) : access_(access) {}
  /// One at a time may use it.
  Network& network() const { return access_.network; }
  std::size_t classes() const { return access_.network.shape().outputs(); }
  std::size_t features() const { return access_.network.shape().inputs(); }
  /// [channels]
  std::span<const PixelScale> pixels() const { return access_.pixels; }
  /// [dimension] Sent to all before they trained.
  std::span<const float> model() const { return access_.model; }
  /// [trainable] An update, or a mean of several.
  std::span<const float> change() const { return access_.change; }
  /// Updates behind it.
  std::size_t behind() const { return access_.members.size(); }
  /// Draws of this attempt alone.
  Stream draws() const;
  /// Of draws that are the same for all victims of the round.
  std::uint64_t seed() const { return access_.seed; }
  std::uint32_t attempt() const { return access_.attempt; }

 private:
  InferenceAccess access_;
};

/// How clients train, and how many samples each has.
class KnowsTraining {
 public:
  static constexpr InferenceGrants grants{InferenceGrant::training};
  explicit KnowsTraining(const InferenceAccess& access) : access_(access) {}
  const LocalTraining& training() const { return *access_.training; }
  /// Of a client behind what is seen.
  std::size_t samples(std::size_t member) const { return access_.members[member].samples; }
  std::size_t samples_of_all() const;
  /// Share of its update in what is seen; equal ones where that is not known.
  double share(std::size_t member) const { return access_.members[member].share; }
  /// The order of mini-batches that attempt so-and-so of this seed takes for the one that was used.
  std::vector<BatchPlaces> guessed_batches(std::size_t member) const;

 private:
  InferenceAccess access_;
};

/// Samples of the attacker's own.
class Auxiliary {
 public:
  static constexpr InferenceGrants grants{InferenceGrant::auxiliary};
  explicit Auxiliary(const InferenceAccess& access) : auxiliary_(access.auxiliary) {}
  const SampleTable& auxiliary() const { return auxiliary_; }

 private:
  SampleTable auxiliary_;
};

/// Samples about which something is asked: whether the victim trained on them, or who did.
class SeesCandidates {
 public:
  static constexpr InferenceGrants grants{InferenceGrant::candidates};
  explicit SeesCandidates(const InferenceAccess& access) : candidates_(access.candidates) {}
  const SampleTable& candidates() const { return candidates_; }

 private:
  SampleTable candidates_;
};

/// What is asked: whether the victim's samples have a property.
class KnowsProperty {
 public:
  static constexpr InferenceGrants grants{InferenceGrant::property};
  explicit KnowsProperty(const InferenceAccess& access) : property_(*access.property) {}
  const KnownProperty& property() const { return property_; }

 private:
  const KnownProperty& property_;
};

/// All updates of the round, and not which of them is the victim's.
class SeesAllUpdates {
 public:
  static constexpr InferenceGrants grants{InferenceGrant::others};
  explicit SeesAllUpdates(const InferenceAccess& access) : updates_(access.updates) {}
  /// [updates] of [trainable]
  std::span<const std::span<const float>> updates() const { return updates_; }

 private:
  std::span<const std::span<const float>> updates_;
};

/// Those that are not the victim's; for attacks that can do without, none where it is not granted.
class OthersIfThere {
 public:
  static constexpr InferenceGrants grants{};
  explicit OthersIfThere(const InferenceAccess& access) : others_(access.updates.begin(), access.updates.end()) {
    if (!others_.empty()) others_.erase(others_.begin() + static_cast<std::ptrdiff_t>(access.victim));
  }
  std::span<const std::span<const float>> others() const { return others_; }

 private:
  std::vector<std::span<const float>> others_;
};

/// Rate times steps of the victim's training. Contract: what is known of training is granted.
class StepsIfKnown {
 public:
  static constexpr InferenceGrants grants{};
  explicit StepsIfKnown(const InferenceAccess& access) : access_(access) {}
  double rate_times_steps() const {
    return access_.training->rate * static_cast<double>(access_.training->steps(access_.members.front().samples));
  }

 private:
  InferenceAccess access_;
};

/// For attacks that can do without: none where it is not granted.
class AuxiliaryIfThere {
 public:
  static constexpr InferenceGrants grants{};
  explicit AuxiliaryIfThere(const InferenceAccess& access) : auxiliary_(access.auxiliary) {}
  const SampleTable& auxiliary() const { return auxiliary_; }

 private:
  SampleTable auxiliary_;
};

/// Likewise: classes of a client's samples, how many of each, and the order of mini-batches; empty: not known.
class FactsIfKnown {
 public:
  static constexpr InferenceGrants grants{};
  explicit FactsIfKnown(const InferenceAccess& access) : members_(access.members) {}
  std::span<const std::int32_t> known_labels(std::size_t member) const { return members_[member].labels; }
  std::span<const std::uint32_t> known_counts(std::size_t member) const { return members_[member].counts; }
  std::span<const BatchPlaces> known_batches(std::size_t member) const { return members_[member].batches; }

 private:
  std::span<const Member> members_;
};

/// Likewise by how much running statistics moved.
class StatisticsIfKnown {
 public:
  static constexpr InferenceGrants grants{};
  explicit StatisticsIfKnown(const InferenceAccess& access) : statistics_(access.statistics) {}
  /// [dimension - trainable]
  std::span<const float> known_statistics() const { return statistics_; }

 private:
  std::span<const float> statistics_;
};

/// The attacker sends the model: what craft_model makes of it.
class ControlsModel {
 public:
  static constexpr InferenceGrants grants{InferenceGrant::control};
  explicit ControlsModel(const InferenceAccess&) {}
};

// Claims.

/// How many samples of every class are behind what is seen.
struct ClaimedCounts {
  std::vector<double> counts;  ///< [classes]
};

/// Samples behind it.
struct ClaimedSamples {
  std::vector<float> features;       ///< [samples, features] as the network reads them
  std::vector<std::int32_t> labels;  ///< [samples]; empty: nothing is claimed of them
  bool of_all = true;                ///< of all updates behind what is seen; otherwise of the victim's
};

/// How likely each candidate is to be what was asked about; higher is likelier.
struct ClaimedScores {
  std::vector<double> scores;  ///< [candidates]
};

/// Whose each candidate is: by the places of the round's updates.
struct ClaimedSources {
  std::vector<std::uint32_t> sources;  ///< [candidates]
};

/// Whether the victim's samples have the property.
struct ClaimedProperty {
  double log_odds = 0.0;  ///< above 0: they have
};

using Claim = std::variant<ClaimedCounts, ClaimedSamples, ClaimedScores, ClaimedSources, ClaimedProperty>;

/// What an attempt came to. Of several the one that costs least is the attack's claim.
struct Attempt {
  Claim claim;
  double cost = 0.0;
};

/// What an attack is set on, as far as everybody knows it.
struct InferenceSetting {
  const Network& network;
  bool has_auxiliary = false, knows_labels = false, knows_counts = false, knows_statistics = false;
  bool cross_entropy = false;    ///< is what clients minimise
  bool relu_perceptron = false;  ///< affine layers with ReLU between them, and a hidden one at least
};

/// An attack on what updates were computed from.
class InferenceAttack {
 public:
  virtual ~InferenceAttack() = default;
  virtual InferenceGrants needs() const = 0;
  /// Throws InputError where it cannot do its work, starting with the setting: "label_counts.estimator = …".
  virtual void check(const InferenceSetting&) const {}
  /// How often it begins anew. Attempts may be made on different ranks.
  virtual std::uint32_t attempts() const { return 1; }
  /// Whether it makes something of the victims' classes, their counts or the order of mini-batches, where it knows
  /// them.
  virtual bool reads_facts() const { return false; }
  /// Whether it makes something of how running statistics moved.
  virtual bool reads_statistics() const { return false; }
  /// Whether the output layer's biases are part of what it goes by.
  virtual bool reads_output_biases() const { return true; }
  /// What it claims, in words: "counts of classes".
  virtual std::string claims() const = 0;
  /// What a malicious server sends instead of `model` [trainable], which is changed in place; of attacks that control
  /// it. The same on every rank.
  virtual void craft_model(const Network&, const SampleTable& /*auxiliary*/, std::uint64_t /*seed*/,
                           std::span<float> /*model*/) const {}
  /// Depends on nothing but what it is granted.
  virtual Attempt infer_from(const InferenceAccess& access) const = 0;
  /// Models of its own that it trains in an attempt.
  virtual std::uint64_t trained_models() const { return 0; }
  /// Bytes of a rank that it needs while it works on so many samples.
  virtual double bytes(const Network&, std::size_t /*samples*/, std::size_t /*steps*/) const { return 0.0; }
};

/// What an attack with these grants sees.
template <class... Grants>
struct CaseView : PublicCase, Grants... {
  explicit CaseView(const InferenceAccess& access) : PublicCase(access), Grants(access)... {}
};

/// Base of every attack: it sees the grants that it names and no more.
template <class... Grants>
class ReadWith : public InferenceAttack {
 public:
  using View = CaseView<Grants...>;
  InferenceGrants needs() const override { return (InferenceGrants{} | ... | Grants::grants); }
  bool reads_facts() const final { return (std::is_same_v<Grants, FactsIfKnown> || ...); }
  bool reads_statistics() const final { return (std::is_same_v<Grants, StatisticsIfKnown> || ...); }
  Attempt infer_from(const InferenceAccess& access) const final { return infer(View(access)); }
  virtual Attempt infer(const View& view) const = 0;
};

/// The attack chosen in the message.
std::unique_ptr<InferenceAttack> make_inference_attack(const scenario::InferenceAttack& config);

}  // namespace souk
