#include "agents/privacy/private_root.hpp"

#include <cmath>
#include <vector>

#include "agents/privacy/update_noise.hpp"
#include "scenarios/participants.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/streams.hpp"
#include "sim/privacy/gaussian_dp.hpp"

namespace souk {

PrivateRootUpdate::PrivateRootUpdate(const scenario::PrivateRoot& config, Task& task, std::uint64_t seed)
    : clip_(config.clip()), noise_(config.noise()), delta_(config.delta()), task_(task), seed_(seed) {
  SOUK_REQUIRE(task.reach() == 0,
               "root.private: what a root sample can change is bounded where samples are independent; here they are "
               "nodes of a graph");
}

void PrivateRootUpdate::make(std::span<const float> global, UnitSet samples, double rate, AgentId owner,
                             RoundIndex round, std::span<float> update) const {
  SOUK_EXPECT(!samples.empty());
  std::vector<double> sum(update.size(), 0.0);
  std::vector<float> parameters(global.size());
  for (std::size_t s = 0; s < samples.size(); ++s) {
    std::ranges::copy(global, parameters.begin());  // running statistics may move
    task_.gradient(parameters, samples.subspan(s, 1), update);
    shorten(update, clip_);
    for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += static_cast<double>(update[v]);
    heartbeat::beat();
  }
  for (std::size_t v = 0; v < sum.size(); ++v) update[v] = static_cast<float>(sum[v]);
  add_panel_noise(update, noise_ * clip_, seed_,
                  [&](std::size_t panel) { return streams::noise_of_client(0, owner, round, panel); });
  const double factor = -rate / static_cast<double>(samples.size());
  for (float& value : update) value = static_cast<float>(factor * static_cast<double>(value));
}

/// Gaussian mechanisms over all root samples compose into one of mu = sqrt(T) / sigma, exactly.
void PrivateRootUpdate::book(std::int64_t account, RoundRecord& record) {
  ++releases_;
  const double epsilon = gdp_epsilon(std::sqrt(static_cast<double>(releases_)) / noise_, delta_);
  record.add("root.epsilon", epsilon);
  record.privacy.push_back({account, "root sample", "private root update", releases_, epsilon, delta_});
}

void PrivateRootUpdate::serialize(Archive& archive) { archive.field("root updates released", releases_); }

}  // namespace souk
