#pragma once

#include <cstdint>
#include <span>

#include "sim/engine/round_record.hpp"
#include "sim/learn/task.hpp"

namespace souk::scenario {
class PrivateRoot;
}

namespace souk {

class Archive;

/// The owner's root update as a Gaussian mechanism over its root samples: once a round
///     r = -rate / n (sum_s min(1, S / |g_s|) g_s + N(0, sigma^2 S^2 I)),
/// g_s the gradient of root sample s alone. Neighbouring root data lack one sample; their number n is public.
class PrivateRootUpdate {
 public:
  /// Throws InputError for a task whose units feel each other.
  PrivateRootUpdate(const scenario::PrivateRoot& config, Task& task, std::uint64_t seed);
  /// Writes r, [trainable]; contract: there are samples. `owner`: whose noise it is. Does not communicate.
  void make(std::span<const float> global, UnitSet samples, double rate, AgentId owner, RoundIndex round,
            std::span<float> update) const;
  /// One more was released, of the owner with this account: records root.epsilon of all so far.
  void book(std::int64_t account, RoundRecord& record);
  void serialize(Archive& archive);

 private:
  double clip_, noise_, delta_;
  Task& task_;
  std::uint64_t seed_;
  std::int64_t releases_ = 0;
};

}  // namespace souk
