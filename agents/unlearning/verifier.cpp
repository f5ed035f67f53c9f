#include "agents/unlearning/verifier.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/cast/metric_name.hpp"
#include "scenarios/unlearning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {

std::unique_ptr<UnlearningVerifier> make_verifier(const scenario::Verifier& config) {
  return PluginRegistry<UnlearningVerifier>::instance().create(config, "evidence");
}

Verifiers::Verifiers(const scenario::ForgetRequest& request, const std::string& path, const World& world) {
  for (int i = 0; i < request.verifiers_size(); ++i) {
    const scenario::Verifier& config = request.verifiers(i);
    const std::string kind = plugin_name(chosen(config, "evidence")->GetDescriptor());
    const std::string name = config.name().empty() ? kind : config.name();
    SOUK_REQUIRE(is_metric_name(name),
                 "{}.verifiers[{}].name = \"{}\": takes lower-case letters, digits and underscores, 64 of them at most",
                 path, i, name);
    SOUK_REQUIRE(std::ranges::find(names_, name) == names_.end(),
                 "{}.verifiers[{}].name: another one is called \"{}\", too: give it a name", path, i, name);
    names_.push_back(name);
    verifiers_.push_back(make_verifier(config));
    try {
      verifiers_.back()->check(world);
    } catch (const InputError& error) {
      throw_input_error("{}.verifiers[{}].{}: {}", path, i, kind, error.what());
    }
  }
}

void Verifiers::record(const Evidence& evidence, const std::string& prefix, RoundRecord& record) const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const std::optional<Verification> verification = verifiers_[i]->verify(evidence);
    if (verification) {
      record.add(prefix + "verified." + names_[i], verification->believes ? 1.0 : 0.0);
      record.add(prefix + "evidence." + names_[i], verification->by);
    } else {
      record.events.push_back({"nothing to verify by", -1, fmt::format("\"{}\" finds nothing to go by", names_[i])});
    }
  }
}

std::uint64_t Verifiers::trained_models() const {
  std::uint64_t models = 0;
  for (const auto& verifier : verifiers_) models += verifier->trained_models();
  return models;
}

double Verifiers::bytes(const World& world, double units) const {
  double most = 0.0;
  for (const auto& verifier : verifiers_) most = std::max(most, verifier->bytes(world, units));
  return most;
}

}  // namespace souk
