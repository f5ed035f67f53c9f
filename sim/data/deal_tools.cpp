#include "sim/data/deal_tools.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/base/contract.hpp"

namespace souk {

Deal deal_by_owner(std::span<const std::uint32_t> owner, std::size_t agents) {
  Deal deal;
  deal.offsets.assign(agents + 1, 0);
  for (const std::uint32_t agent : owner) {
    if (agent == no_owner) continue;
    SOUK_EXPECT(agent < agents);
    ++deal.offsets[agent + 1];
  }
  std::partial_sum(deal.offsets.begin(), deal.offsets.end(), deal.offsets.begin());
  deal.samples.resize(deal.offsets.back());
  std::vector<std::uint64_t> next(deal.offsets.begin(), deal.offsets.end() - 1);
  for (std::size_t s = 0; s < owner.size(); ++s) {
    if (owner[s] != no_owner) deal.samples[next[owner[s]]++] = static_cast<SampleIndex>(s);
  }
  return deal;
}

std::vector<SampleIndex> random_order(std::size_t n, Stream& random) {
  std::vector<SampleIndex> order(n);
  std::iota(order.begin(), order.end(), SampleIndex{0});
  random.shuffle(order);
  return order;
}

std::vector<std::vector<SampleIndex>> shuffled_classes(const DealInput& input, Stream& random) {
  std::vector<std::vector<SampleIndex>> classes(static_cast<std::size_t>(input.classes));
  for (std::size_t s = 0; s < input.labels.size(); ++s) {
    classes[static_cast<std::size_t>(input.labels[s])].push_back(static_cast<SampleIndex>(s));
  }
  for (auto& samples : classes) random.shuffle(samples);
  return classes;
}

std::vector<SampleIndex> sorted_by_class(const DealInput& input, Stream& random) {
  std::vector<SampleIndex> sorted;
  sorted.reserve(input.labels.size());
  for (const auto& samples : shuffled_classes(input, random))
    sorted.insert(sorted.end(), samples.begin(), samples.end());
  return sorted;
}

std::vector<std::size_t> apportion(std::size_t total, std::span<const double> shares) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  SOUK_EXPECT(sum > 0.0 && std::isfinite(sum));
  std::vector<std::size_t> parts(shares.size());
  std::vector<double> remainders(shares.size());
  std::size_t given = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double exact = static_cast<double>(total) * (shares[i] / sum);
    parts[i] = std::min(static_cast<std::size_t>(exact), total - given);  // rounding may overshoot by one
    remainders[i] = exact - static_cast<double>(parts[i]);
    given += parts[i];
  }
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return remainders[a] > remainders[b]; });
  for (std::size_t i = 0; given < total; ++i, ++given) ++parts[order[i % order.size()]];
  return parts;
}

std::vector<std::size_t> apportion_within(std::size_t total, std::span<const double> shares,
                                          std::span<const std::size_t> room) {
  SOUK_EXPECT(shares.size() == room.size());
  SOUK_EXPECT(total <= std::accumulate(room.begin(), room.end(), std::size_t{0}));
  std::vector<std::size_t> parts(shares.size());
  std::vector<double> open(shares.size());
  while (total > 0) {  // every pass fills a part or is the last
    double sum = 0.0;
    for (std::size_t i = 0; i < open.size(); ++i) {
      open[i] = parts[i] < room[i] ? shares[i] : 0.0;
      sum += open[i];
    }
    if (sum <= 0.0) {
      for (std::size_t i = 0; i < open.size(); ++i) open[i] = static_cast<double>(room[i] - parts[i]);
    }
    const std::vector<std::size_t> wanted = apportion(total, open);
    for (std::size_t i = 0; i < open.size(); ++i) {
      const std::size_t given = std::min(wanted[i], room[i] - parts[i]);
      parts[i] += given;
      total -= given;
    }
  }
  return parts;
}

std::size_t even_cut(std::size_t total, std::size_t parts, std::size_t part) {
  const std::size_t larger = total % parts;
  return total / parts * part + std::min(part, larger);
}

void give_evenly(std::span<const SampleIndex> samples, std::size_t agents, std::span<std::uint32_t> owner) {
  for (std::size_t agent = 0; agent < agents; ++agent) {
    const std::size_t end = even_cut(samples.size(), agents, agent + 1);
    for (std::size_t i = even_cut(samples.size(), agents, agent); i < end; ++i) {
      owner[samples[i]] = static_cast<std::uint32_t>(agent);
    }
  }
}

}  // namespace souk
