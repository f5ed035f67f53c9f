#pragma once

#include <functional>

#include <gtest/gtest.h>
#include <hwy/targets.h>

namespace souk {

/// Calls `body` once per instruction set that this machine has and the kernels are compiled for, the portable one
/// included.
inline void for_each_target(const std::function<void()>& body) {
  const auto choose = [](std::int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().DeInit();  // the next call chooses anew
  };
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    choose(target);
    body();
  }
  choose(0);
}

}  // namespace souk
