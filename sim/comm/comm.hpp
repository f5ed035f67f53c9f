#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "sim/comm/transport.hpp"

namespace souk {

template <class T>
concept Transferable = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>;

/// A group of ranks. Cheap to copy. Every member function but rank() and size() is collective.
class Comm {
 public:
  static Comm self();  ///< one rank, no MPI
  explicit Comm(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {}
  int rank() const noexcept { return transport_->rank(); }
  int size() const noexcept { return transport_->size(); }
  Comm split(int color) const { return Comm(transport_->split(color)); }
  Comm node() const { return Comm(transport_->node()); }  ///< the ranks that share this rank's memory

  template <Transferable T>
  T broadcast(T value, int root) const {
    transport_->broadcast(std::as_writable_bytes(std::span(&value, 1)), root);
    return value;
  }
  /// In place, equal sizes on all ranks.
  template <Transferable T>
  void broadcast_into(std::span<T> values, int root) const {
    transport_->broadcast(std::as_writable_bytes(values), root);
  }
  std::string broadcast_text(const std::string& at_root, int root) const;

  /// Everybody's values, in rank order; lengths may differ.
  template <Transferable T>
  std::vector<T> all_gather(std::span<const T> local) const {
    const std::vector<std::size_t> counts = gather_counts(local.size() * sizeof(T));
    std::vector<T> out(std::reduce(counts.begin(), counts.end()) / sizeof(T));
    transport_->all_gather(std::as_bytes(local), counts, std::as_writable_bytes(std::span(out)));
    return out;
  }
  /// Likewise into memory given, with the number of values of every rank known beforehand.
  template <Transferable T>
  void all_gather_into(std::span<const T> local, std::span<const std::size_t> counts, std::span<T> out) const {
    std::vector<std::size_t> bytes(counts.begin(), counts.end());
    for (std::size_t& count : bytes) count *= sizeof(T);
    transport_->all_gather(std::as_bytes(local), bytes, std::as_writable_bytes(out));
  }
  void exchange(std::span<const Outgoing> outgoing, std::span<const Incoming> incoming) const {
    transport_->exchange(outgoing, incoming);
  }
  /// Integers only: float sums would depend on the number of ranks.
  template <std::integral T>
  T all_sum(T value) const {
    return static_cast<T>(transport_->all_reduce(static_cast<std::int64_t>(value), Reduction::sum));
  }
  template <std::integral T>
  T all_max(T value) const {
    return static_cast<T>(transport_->all_reduce(static_cast<std::int64_t>(value), Reduction::max));
  }
  void barrier() const { transport_->all_reduce(0, Reduction::max); }

  /// Zeroed memory seen by all ranks of this group, which must be on one node. Throws std::runtime_error on all of them
  /// where there is none.
  std::shared_ptr<SharedBlock> shared_block(std::size_t size) const { return transport_->shared_block(size); }

  /// See Transport::neighbours.
  std::unique_ptr<Neighbours> neighbours() const { return transport_->neighbours(); }

  /// Runs `local`, which must not communicate, then agrees: returns everywhere or throws the same PhaseError
  /// everywhere, that of the smallest failing rank. `name` must outlive the phase (a literal).
  void run_phase(const char* name, const std::function<void()>& local) const;

 private:
  std::vector<std::size_t> gather_counts(std::size_t bytes) const;
  std::shared_ptr<Transport> transport_;
};

}  // namespace souk
