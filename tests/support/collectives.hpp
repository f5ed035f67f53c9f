#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/comm/comm.hpp"
#include "sim/comm/thread_team.hpp"

namespace souk {

/// Messages of every size between all pairs, empty ones included, several per pair: byte k of message m from a to b is
/// a function of (a, b, m, k).
inline void check_exchange(const Comm& comm, std::size_t size) {
  const auto content = [](int from, int to, int message, std::size_t k) {
    return static_cast<std::byte>((static_cast<std::size_t>(from * 31 + to * 17 + message * 7) + k) % 251);
  };
  constexpr int messages = 3;
  std::vector<std::vector<std::byte>> sent;
  std::vector<std::vector<std::byte>> received;
  for (int peer = 0; peer < comm.size(); ++peer) {
    for (int m = 0; m < messages; ++m) {
      sent.emplace_back(size * static_cast<std::size_t>(m));
      for (std::size_t k = 0; k < sent.back().size(); ++k) sent.back()[k] = content(comm.rank(), peer, m, k);
      received.emplace_back(sent.back().size());
    }
  }
  std::vector<Outgoing> outgoing;
  std::vector<Incoming> incoming;
  for (int peer = 0; peer < comm.size(); ++peer) {
    for (int m = 0; m < messages; ++m) {
      const auto at = static_cast<std::size_t>(peer * messages + m);
      outgoing.push_back({peer, sent[at]});
      incoming.push_back({peer, received[at]});
    }
  }
  comm.exchange(outgoing, incoming);
  for (int peer = 0; peer < comm.size(); ++peer) {
    for (int m = 0; m < messages; ++m) {
      const auto& bytes = received[static_cast<std::size_t>(peer * messages + m)];
      for (std::size_t k = 0; k < bytes.size(); ++k) ASSERT_EQ(bytes[k], content(peer, comm.rank(), m, k));
    }
  }
}

/// Every collective against its definition.
inline void check_collectives(const Comm& comm) {
  const int rank = comm.rank();
  const int size = comm.size();
  for (int root = 0; root < size; ++root) {
    EXPECT_EQ(comm.broadcast(rank * 10, root), root * 10);
    EXPECT_EQ(comm.broadcast_text(std::string(static_cast<std::size_t>(rank), 'x'), root),
              std::string(static_cast<std::size_t>(root), 'x'));
  }
  const std::vector<int> mine(static_cast<std::size_t>(rank), rank);  // rank r contributes r values
  std::vector<int> expected;
  for (int r = 0; r < size; ++r) expected.insert(expected.end(), static_cast<std::size_t>(r), r);
  EXPECT_EQ(comm.all_gather(std::span<const int>(mine)), expected);
  EXPECT_EQ(comm.all_sum(rank + 1), size * (size + 1) / 2);
  EXPECT_EQ(comm.all_max(-rank), 0);
  check_exchange(comm, 1000);
  check_exchange(comm, 0);

  const Comm half = comm.split(rank % 2);
  EXPECT_EQ(half.size(), (size + 1 - rank % 2) / 2);
  EXPECT_EQ(half.rank(), rank / 2);
  EXPECT_EQ(half.all_sum(rank % 2), rank % 2 == 0 ? 0 : half.size());

  const Comm node = comm.node();
  const auto block = node.shared_block(4096);
  ASSERT_EQ(block->bytes().size(), 4096U);
  EXPECT_EQ(block->bytes()[100], std::byte{0});
  node.barrier();
  block->bytes()[static_cast<std::size_t>(node.rank())] = static_cast<std::byte>(node.rank() + 1);
  node.barrier();
  for (int r = 0; r < node.size(); ++r) {
    EXPECT_EQ(block->bytes()[static_cast<std::size_t>(r)], static_cast<std::byte>(r + 1));
  }
  node.barrier();
}

/// A failure on some ranks becomes the same PhaseError, that of the smallest one, on all.
inline void check_agreement(const Comm& comm) {
  const auto failure_of = [&](const std::function<void()>& work) {
    try {
      comm.run_phase("test", work);
      return PhaseError(-1, 0, "none");
    } catch (const PhaseError& error) {
      return error;
    }
  };
  EXPECT_EQ(failure_of([] {}).rank(), -1);
  const PhaseError last = failure_of([&] {
    if (comm.rank() == comm.size() - 1) throw InputError("bad field");
  });
  EXPECT_EQ(last.rank(), comm.size() - 1);
  EXPECT_EQ(last.exit_code(), exit_bad_input);
  EXPECT_STREQ(last.what(), "bad field");
  const PhaseError all = failure_of([&] { throw std::runtime_error("disk full on " + std::to_string(comm.rank())); });
  EXPECT_EQ(all.rank(), 0);
  EXPECT_EQ(all.exit_code(), exit_failed);
  EXPECT_STREQ(all.what(), "disk full on 0 (phase 'test')");
}

}  // namespace souk
