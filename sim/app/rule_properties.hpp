#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aggregators/aggregator.hpp"

namespace souk {

/// What became of one property of a rule.
struct PropertyResult {
  enum class Verdict : std::uint8_t { kept, broken, declared };
  std::string property;  ///< as a sentence without its end: "scaling all updates scales the step"
  Verdict verdict = Verdict::kept;
  std::string why{};  ///< how it is broken, or what the rule declares; empty where it is kept
};

/// What every rule must do, tried on updates drawn from a fixed seed: nothing at random, the same bits on 1, 2 and 3
/// ranks (threads), what the rule says that it preserves, finite answers to zeros, single updates and extreme
/// magnitudes, and the same bits after saving, loading and going on elsewhere. `make` makes a fresh rule.
std::vector<PropertyResult> properties_of(const std::function<std::unique_ptr<Aggregator>()>& make);

}  // namespace souk
