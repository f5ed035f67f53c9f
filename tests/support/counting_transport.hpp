#pragma once

#include <memory>

#include "sim/comm/comm.hpp"

namespace souk {

/// How often the ranks of a group waited for each other.
struct Synchronisations {
  int all_reduces = 0, all_gathers = 0, broadcasts = 0, exchanges = 0;
  int all() const { return all_reduces + all_gathers + broadcasts; }
};

/// Another group's transport, which counts.
class CountingTransport final : public Transport {
 public:
  CountingTransport(Comm inner, Synchronisations& count) : inner_(std::move(inner)), count_(count) {}
  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  void broadcast(std::span<std::byte> data, int root) override {
    ++count_.broadcasts;
    inner_.broadcast_into(data, root);
  }
  void all_gather(std::span<const std::byte> local, std::span<const std::size_t> counts,
                  std::span<std::byte> out) override {
    ++count_.all_gathers;
    inner_.all_gather_into(local, counts, out);
  }
  void exchange(std::span<const Outgoing> outgoing, std::span<const Incoming> incoming) override {
    ++count_.exchanges;
    inner_.exchange(outgoing, incoming);
  }
  std::int64_t all_reduce(std::int64_t value, Reduction reduction) override {
    ++count_.all_reduces;
    return reduction == Reduction::sum ? inner_.all_sum(value) : inner_.all_max(value);
  }
  std::shared_ptr<Transport> split(int color) override {
    return std::make_shared<CountingTransport>(inner_.split(color), count_);
  }
  std::shared_ptr<Transport> node() override { return std::make_shared<CountingTransport>(inner_.node(), count_); }
  std::shared_ptr<SharedBlock> shared_block(std::size_t size) override { return inner_.shared_block(size); }

 private:
  Comm inner_;
  Synchronisations& count_;
};

}  // namespace souk
