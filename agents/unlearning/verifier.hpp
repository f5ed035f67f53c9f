#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/stage.hpp"
#include "agents/unlearning/history.hpp"
#include "agents/unlearning/looks.hpp"

namespace souk::scenario {
class ForgetRequest;
class Verifier;
}  // namespace souk::scenario

namespace souk {

/// What those see who check whether they were forgotten: their own units, and the models before and after.
struct Evidence {
  ModelServer& server;           ///< of the model, to ask about data of their own; not for its word
  std::span<const float> after;  ///< [dimension] the model that it is now
  const Look& look_before;
  const Look& look_after;
  std::span<const DealtUnits> holders;  ///< who asked, and with what
  RoundIndex round;                     ///< in which it is checked
};

/// What somebody who checks says.
struct Verification {
  bool believes = false;  ///< that all was forgotten
  double by = 0.0;        ///< the number that it goes by: a rate, an area, steps, a divergence
};

/// Somebody who checks. One file each; chosen in Verifier.evidence.
class UnlearningVerifier {
 public:
  virtual ~UnlearningVerifier() = default;
  /// Throws InputError where it could never say anything; its own name stands before the sentence.
  virtual void check(const World&) const {}
  /// None: there is nothing to go by. Collective.
  virtual std::optional<Verification> verify(const Evidence& evidence) const = 0;
  /// Models of its own that it trains each time.
  virtual std::uint64_t trained_models() const { return 0; }
  /// Bytes of a rank that it needs while it checks so many units.
  virtual double bytes(const World&, double /*units*/) const { return 0.0; }
};

/// The verifier chosen in the scenario.
std::unique_ptr<UnlearningVerifier> make_verifier(const scenario::Verifier& config);

/// Those of a request, by name.
class Verifiers {
 public:
  /// Throws InputError; `path` is the request's.
  Verifiers(const scenario::ForgetRequest& request, const std::string& path, const World& world);
  /// Records each one's answer, 1 where it believes, and what it goes by. Collective.
  void record(const Evidence& evidence, const std::string& prefix, RoundRecord& record) const;
  /// Models that they train each time, all together.
  std::uint64_t trained_models() const;
  /// Bytes of a rank that one of them needs at most while it checks so many units.
  double bytes(const World& world, double units) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<UnlearningVerifier>> verifiers_;
};

}  // namespace souk
