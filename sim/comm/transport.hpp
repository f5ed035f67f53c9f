#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace souk {

/// Memory that all ranks of a node see. Freed when the last of them lets go.
class SharedBlock {
 public:
  virtual ~SharedBlock() = default;
  virtual std::span<std::byte> bytes() = 0;
};

struct Outgoing {
  int to = 0;
  std::span<const std::byte> bytes;
};

struct Incoming {
  int from = 0;
  std::span<std::byte> bytes;
};

enum class Reduction : std::uint8_t { sum, max };

/// A ring in which every rank tells the next one that it lives, beside all other traffic, from a thread of its own.
class Neighbours {
 public:
  virtual ~Neighbours() = default;
  virtual int previous() const = 0;  ///< the rank that is listened to
  virtual void tell() = 0;           ///< the next one
  /// Whether the previous one has told anything since the last call, or has taken its leave.
  virtual bool has_heard() = 0;
  /// Takes leave of both; all ranks do, in any order. Waits for the others' leave, but not for long.
  virtual void leave() = 0;
};

/// How bytes move between the ranks of a group. Every member function but rank() and size() is collective: all ranks
/// call it, in the same order. Failures to communicate are fatal; failures to get memory throw.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual void broadcast(std::span<std::byte> data, int root) = 0;
  /// counts[r] bytes from rank r, in rank order.
  virtual void all_gather(std::span<const std::byte> local, std::span<const std::size_t> counts,
                          std::span<std::byte> out) = 0;
  /// Messages straight from and into their places. Those between one pair of ranks are matched in the order given; a
  /// message to oneself is a copy.
  virtual void exchange(std::span<const Outgoing> outgoing, std::span<const Incoming> incoming) = 0;
  virtual std::int64_t all_reduce(std::int64_t value, Reduction reduction) = 0;
  /// The ranks of the same colour, in rank order.
  virtual std::shared_ptr<Transport> split(int color) = 0;
  /// The ranks that share this rank's memory, in rank order.
  virtual std::shared_ptr<Transport> node() = 0;
  /// Zeroed memory seen by all ranks of this group, which must be on one node.
  virtual std::shared_ptr<SharedBlock> shared_block(std::size_t size) = 0;
  /// Null where there are no others, or other threads may not communicate.
  virtual std::unique_ptr<Neighbours> neighbours() { return nullptr; }
};

/// One rank, no MPI: every collective is a copy.
std::shared_ptr<Transport> make_self_transport();

}  // namespace souk
