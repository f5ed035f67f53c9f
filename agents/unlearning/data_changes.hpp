#pragma once

#include <string>
#include <vector>

#include "agents/cast/federation.hpp"

namespace souk::scenario {
class DataChange;
class ForgetSamples;
}  // namespace souk::scenario

namespace souk {

class Stream;

/// Training samples of clients that meet all conditions, and of those the share asked for, drawn; ascending. `labels`:
/// the class of each sample, by which conditions are about classes. Where `deal` is how samples were dealt at first,
/// they need not be there any more.
std::vector<SampleIndex> samples_meeting(const scenario::ForgetSamples& conditions, const Population& population,
                                         const Deal& deal, std::span<const std::int32_t> labels, Stream& random);

/// Throws InputError where conditions name what is not there; `path`: of the message.
void check_samples(const scenario::ForgetSamples& conditions, const std::string& path, const Federation& federation);

/// The same of a change; `at_first`: it is no request.
void check_change(const scenario::DataChange& change, const std::string& path, const Federation& federation,
                  bool at_first);

/// How the samples read of which a change speaks, where that is not how they read now. Samples that are forgotten are
/// none of them.
Readings readings_after(const scenario::DataChange& change, const Federation& federation, Stream& random);

/// Lets samples read as the scenario says they do at first. Throws InputError.
void read_at_first(Federation& federation);

}  // namespace souk
