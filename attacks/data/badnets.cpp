#include "attacks/data/backdoor.hpp"
#include "attacks/data/patch.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Gu, Dolan-Gavitt, Garg, "BadNets: Identifying Vulnerabilities in the Machine Learning Model Supply Chain",
/// arXiv:1708.06733, 2017.
class BadNets final : public Backdoor {
 public:
  explicit BadNets(const scenario::BadNets& config) : Backdoor("badnets", config.target()), patch_(config.patch()) {}

 private:
  void check_trigger(const DataFacts& facts) const override {
    check_images(field(), facts);
    patch_.check(facts, field() + ".patch");
  }
  void stamp(const Marked& samples) const override {
    for (const std::size_t i : samples.which) patch_.stamp(samples.facts, samples.features_of(i));
  }
  Patch patch_;
};

const Register<DataAttack, BadNets, scenario::BadNets> register_bad_nets;

}  // namespace
}  // namespace souk
