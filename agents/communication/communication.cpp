// The section `communication`: a codec between clients and the server, or secure sums of what they send.
#include <memory>
#include <vector>

#include "agents/communication/codec.hpp"
#include "agents/communication/compression.hpp"
#include "agents/communication/secure_aggregation.hpp"
#include "agents/stage.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

void check_choices(const scenario::Communication& config, bool codec) {
  SOUK_REQUIRE(codec || config.has_secure_aggregation(),
               "communication: chooses neither a codec nor secure_aggregation, and changes nothing");
  SOUK_REQUIRE(
      !codec || !config.has_secure_aggregation(),
      "communication.secure_aggregation: sums of encoded updates are not encodings of sums; leave out the codec");
  SOUK_REQUIRE(
      codec || (config.error_feedback() == scenario::Communication::AS_PUBLISHED && config.forget_after() == 0),
      "communication.error_feedback, forget_after: without a codec nothing is left out");
}

/// That the order is one in which what privacy promises holds.
void check_order(const scenario::Scenario& scenario) {
  const scenario::Communication& config = scenario.communication();
  const bool last = config.order() == scenario::Communication::NOISE_THEN_COMPRESS;
  SOUK_REQUIRE(!last || scenario.has_privacy(),
               "communication.order = NOISE_THEN_COMPRESS: there is no section privacy that adds noise");
  SOUK_REQUIRE(!last || !config.has_secure_aggregation(),
               "communication.order = NOISE_THEN_COMPRESS: secure_aggregation always comes after clipping and noise");
  SOUK_REQUIRE(!last || scenario.privacy().noise_multiplier() == 0.0,
               "communication.order = NOISE_THEN_COMPRESS: decoded updates may be longer than the bound that "
               "privacy.noise_multiplier counts on; use COMPRESS_THEN_CLIP");
  SOUK_REQUIRE(
      last || config.has_secure_aggregation() || scenario.privacy().local_noise() == 0.0,
      "communication.order = COMPRESS_THEN_CLIP: noise of clients (privacy.local_noise) has no such encoding; use "
      "NOISE_THEN_COMPRESS");
}

class Communication final : public Stage {
 public:
  explicit Communication(const World& world) : codec_(make_codec(world.scenario.communication())) {
    check_choices(world.scenario.communication(), codec_ != nullptr);
    check_order(world.scenario);
    if (codec_ == nullptr) {
      secure_ = std::make_unique<SecureAggregation>(world);
      return;
    }
    for (std::size_t owner = 0; owner < world.owners.size(); ++owner) {
      compressions_.push_back(std::make_unique<Compression>(world, *codec_, owner));
    }
  }

  ServerHooks* hooks(std::size_t owner) override {
    if (secure_ != nullptr) return secure_.get();
    return compressions_[owner].get();
  }

  void forget(const Forgetting&, RoundRecord&) override {
    for (const auto& compression : compressions_) compression->forget();
  }

 private:
  std::unique_ptr<Codec> codec_;                            ///< null: sums are secure
  std::vector<std::unique_ptr<Compression>> compressions_;  ///< [owners]
  std::unique_ptr<SecureAggregation> secure_;               ///< null: there is a codec
};

bool comes_before_privacy(const scenario::Scenario& scenario) {
  return scenario.has_communication() && !scenario.communication().has_secure_aggregation() &&
         scenario.communication().order() == scenario::Communication::COMPRESS_THEN_CLIP;
}

std::unique_ptr<Stage> make(const World& world) { return std::make_unique<Communication>(world); }

// Hooks of one place are called by name: this one before `privacy`.
const RegisterStage register_first(
    {.name = "communication", .place = Place::learning, .is_in = comes_before_privacy, .make = make});
const RegisterStage register_last({.name = "communication",
                                   .place = Place::sending,
                                   .is_in =
                                       [](const scenario::Scenario& scenario) {
                                         return scenario.has_communication() && !comes_before_privacy(scenario);
                                       },
                                   .make = make});

}  // namespace
}  // namespace souk
