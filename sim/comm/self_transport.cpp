#include <algorithm>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/comm/transport.hpp"

namespace souk {
namespace {

class OwnBlock final : public SharedBlock {
 public:
  explicit OwnBlock(std::size_t size) : bytes_(size) {}
  std::span<std::byte> bytes() override { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class SelfTransport final : public Transport {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void broadcast(std::span<std::byte>, int root) override { SOUK_EXPECT(root == 0); }
  void all_gather(std::span<const std::byte> local, std::span<const std::size_t> counts,
                  std::span<std::byte> out) override {
    SOUK_EXPECT(counts.size() == 1 && counts[0] == local.size() && out.size() == local.size());
    std::copy(local.begin(), local.end(), out.begin());
  }
  void exchange(std::span<const Outgoing> outgoing, std::span<const Incoming> incoming) override {
    SOUK_EXPECT(outgoing.size() == incoming.size());
    for (std::size_t m = 0; m < outgoing.size(); ++m) {
      SOUK_EXPECT(outgoing[m].bytes.size() == incoming[m].bytes.size());
      std::copy(outgoing[m].bytes.begin(), outgoing[m].bytes.end(), incoming[m].bytes.begin());
    }
  }
  std::int64_t all_reduce(std::int64_t value, Reduction) override { return value; }
  std::shared_ptr<Transport> split(int) override { return make_self_transport(); }
  std::shared_ptr<Transport> node() override { return make_self_transport(); }
  std::shared_ptr<SharedBlock> shared_block(std::size_t size) override { return std::make_shared<OwnBlock>(size); }
};

}  // namespace

std::shared_ptr<Transport> make_self_transport() { return std::make_shared<SelfTransport>(); }

}  // namespace souk
