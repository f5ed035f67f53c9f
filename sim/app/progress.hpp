#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "sim/engine/round_record.hpp"

namespace souk {

/// Shows how a run gets on, on standard error: one line rewritten in place on a terminal, otherwise plain lines, at
/// most one a second.
class Progress {
 public:
  Progress(std::uint32_t rounds, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void round_done(const RoundRecord& record);

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(const RoundRecord& record) const;
  std::uint32_t rounds_;
  bool quiet_, terminal_;
  Clock::time_point start_ = Clock::now(), shown_{};
  std::uint32_t rounds_before_ = 0;  ///< done by an earlier process
  bool started_ = false;
  std::string last_quality_ = "not tested yet";
};

}  // namespace souk
