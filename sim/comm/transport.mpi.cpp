#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <mpi.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/comm/transport_mpi.hpp"

namespace souk {
namespace {

/// MPI counts are ints: larger messages travel in pieces of at most this many bytes.
constexpr std::size_t piece_max = std::size_t{1} << 30;
/// Messages of at most this many bytes go at once, so that waiting for them is waiting for another rank's work.
constexpr std::size_t small = 4096;

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  end_fatally(std::string(call) + ": " + text, exit_failed);
}

/// Anonymous memory of one process, mapped by the others of the node through /proc: nothing is left behind when a rank
/// is killed, and no size limit of /dev/shm applies.
class NodeBlock final : public SharedBlock {
 public:
  NodeBlock(int descriptor, std::size_t size) : size_(size) {
    void* address = mmap(nullptr, std::max<std::size_t>(size, 1), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    const int error = errno;
    close(descriptor);
    if (address == MAP_FAILED) {
      throw std::runtime_error(fmt::format("cannot map {} bytes of shared memory: {}", size, std::strerror(error)));
    }
    address_ = static_cast<std::byte*>(address);
  }
  ~NodeBlock() override { munmap(address_, std::max<std::size_t>(size_, 1)); }
  NodeBlock(const NodeBlock&) = delete;
  NodeBlock& operator=(const NodeBlock&) = delete;
  std::span<std::byte> bytes() override { return {address_, size_}; }

 private:
  std::byte* address_ = nullptr;
  std::size_t size_;
};

int create_memory(std::size_t size) {
  const int descriptor = memfd_create("souk", MFD_CLOEXEC);
  if (descriptor < 0 || ftruncate(descriptor, static_cast<off_t>(std::max<std::size_t>(size, 1))) != 0) {
    const int reason = errno;
    if (descriptor >= 0) close(descriptor);
    throw std::runtime_error(fmt::format("cannot create {} bytes of shared memory: {}", size, std::strerror(reason)));
  }
  return descriptor;
}

int open_memory(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) {
    throw std::runtime_error(fmt::format("cannot open the shared memory {}: {}", path, std::strerror(errno)));
  }
  return descriptor;
}

/// Within a call that waits for other ranks: if one of them is stuck, its own watchdog says so, or its neighbour.
class Waiting {
 public:
  Waiting() { heartbeat::wait_for_others(); }
  ~Waiting() { heartbeat::go_on(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
};

/// Waits for the others, and gives the core away meanwhile: who waits long sleeps, a part of the time waited so far, so
/// that nobody is kept waiting much longer for it. For small messages: large ones move only while somebody looks.
void wait_asleep(MPI_Request& request) {
  using Clock = std::chrono::steady_clock;
  constexpr auto awake = std::chrono::microseconds(50);
  constexpr auto longest = std::chrono::microseconds(1000);
  constexpr int part = 8;
  const Clock::time_point begin = Clock::now();
  for (int over = 0;;) {
    check(MPI_Test(&request, &over, MPI_STATUS_IGNORE), "MPI_Test");
    if (over != 0) return;
    const Clock::duration waited = Clock::now() - begin;
    if (waited > awake) std::this_thread::sleep_for(std::min<Clock::duration>(waited / part, longest));
  }
}

class MpiNeighbours final : public Neighbours {
 public:
  /// Collective. Takes over the communicator, which nobody else uses.
  explicit MpiNeighbours(MPI_Comm comm) : comm_(comm) {
    int rank = 0, size = 1;
    check(MPI_Comm_rank(comm_, &rank), "MPI_Comm_rank");
    check(MPI_Comm_size(comm_, &size), "MPI_Comm_size");
    previous_ = (rank + size - 1) % size;
    next_ = (rank + 1) % size;
    listen();
  }
  int previous() const override { return previous_; }

  void tell() override {
    if (!is_over(sending_)) return;  // the next one has not taken what it was told before
    send(alive_);
  }
  bool has_heard() override {
    bool heard = previous_left_;
    while (!previous_left_ && is_over(listening_)) {
      heard = true;
      previous_left_ = word_ == last_word;
      if (!previous_left_) listen();
    }
    return heard;
  }
  void leave() override {
    constexpr auto pause = std::chrono::milliseconds(1);
    constexpr int pauses = 2000;  // after an error that not all ranks know of, some do not come
    bool told = false;
    for (int i = 0; i < pauses && !(told && is_over(sending_) && previous_left_); ++i) {
      if (!told && is_over(sending_)) {
        send(last_);
        told = true;
      }
      has_heard();
      if (!(told && is_over(sending_) && previous_left_)) std::this_thread::sleep_for(pause);
    }
    if (told && is_over(sending_) && previous_left_) check(MPI_Comm_free(&comm_), "MPI_Comm_free");
  }

 private:
  static constexpr int last_word = 1;
  static bool is_over(MPI_Request& request) {
    int over = 0;
    check(MPI_Test(&request, &over, MPI_STATUS_IGNORE), "MPI_Test");  // of no request: over
    return over != 0;
  }
  void send(const int& word) { check(MPI_Isend(&word, 1, MPI_INT, next_, 0, comm_, &sending_), "MPI_Isend"); }
  void listen() { check(MPI_Irecv(&word_, 1, MPI_INT, previous_, 0, comm_, &listening_), "MPI_Irecv"); }

  MPI_Comm comm_;
  int previous_ = 0, next_ = 0;
  const int alive_ = 0, last_ = last_word;
  int word_ = 0;
  bool previous_left_ = false;
  MPI_Request sending_ = MPI_REQUEST_NULL, listening_ = MPI_REQUEST_NULL;
};

class MpiTransport final : public Transport {
 public:
  MpiTransport(MPI_Comm comm, bool owned) : comm_(comm), owned_(owned) {
    check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
  }
  ~MpiTransport() override {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (owned_ && finalized == 0) MPI_Comm_free(&comm_);
  }
  MpiTransport(const MpiTransport&) = delete;
  MpiTransport& operator=(const MpiTransport&) = delete;
  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void broadcast(std::span<std::byte> data, int root) override {
    while (!data.empty()) {
      const Waiting waiting;
      const std::size_t piece = std::min(data.size(), piece_max);
      check(MPI_Bcast(data.data(), static_cast<int>(piece), MPI_BYTE, root, comm_), "MPI_Bcast");
      data = data.subspan(piece);
    }
  }
  void all_gather(std::span<const std::byte> local, std::span<const std::size_t> counts,
                  std::span<std::byte> out) override {
    SOUK_EXPECT(counts[static_cast<std::size_t>(rank_)] == local.size());
    if (out.size() > piece_max) return all_gather_large(local, counts, out);
    std::vector<int> sizes(counts.begin(), counts.end());
    std::vector<int> offsets(sizes.size());
    std::exclusive_scan(sizes.begin(), sizes.end(), offsets.begin(), 0);
    const Waiting waiting;
    if (out.size() > small) {
      check(MPI_Allgatherv(local.data(), static_cast<int>(local.size()), MPI_BYTE, out.data(), sizes.data(),
                           offsets.data(), MPI_BYTE, comm_),
            "MPI_Allgatherv");
      return;
    }
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallgatherv(local.data(), static_cast<int>(local.size()), MPI_BYTE, out.data(), sizes.data(),
                          offsets.data(), MPI_BYTE, comm_, &request),
          "MPI_Iallgatherv");
    wait_asleep(request);
  }
  void exchange(std::span<const Outgoing> outgoing, std::span<const Incoming> incoming) override {
    std::vector<MPI_Request> requests;
    for (const Incoming& message : incoming) {
      if (message.from == rank_) continue;
      in_pieces(message.bytes.size(), [&](std::size_t at, int bytes) {
        check(MPI_Irecv(message.bytes.data() + at, bytes, MPI_BYTE, message.from, 0, comm_, &requests.emplace_back()),
              "MPI_Irecv");
      });
    }
    for (const Outgoing& message : outgoing) {
      if (message.to == rank_) continue;
      in_pieces(message.bytes.size(), [&](std::size_t at, int bytes) {
        check(MPI_Isend(message.bytes.data() + at, bytes, MPI_BYTE, message.to, 0, comm_, &requests.emplace_back()),
              "MPI_Isend");
      });
    }
    copy_own(outgoing, incoming);
    const Waiting waiting;
    check(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  }
  std::int64_t all_reduce(std::int64_t value, Reduction reduction) override {
    const Waiting waiting;
    std::int64_t result = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallreduce(&value, &result, 1, MPI_INT64_T, reduction == Reduction::sum ? MPI_SUM : MPI_MAX, comm_,
                         &request),
          "MPI_Iallreduce");
    wait_asleep(request);
    return result;
  }
  std::shared_ptr<Transport> split(int color) override {
    const Waiting waiting;
    MPI_Comm part = MPI_COMM_NULL;
    check(MPI_Comm_split(comm_, color, rank_, &part), "MPI_Comm_split");
    return std::make_shared<MpiTransport>(part, true);
  }
  std::shared_ptr<Transport> node() override {
    const Waiting waiting;
    MPI_Comm part = MPI_COMM_NULL;
    check(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &part), "MPI_Comm_split_type");
    return std::make_shared<MpiTransport>(part, true);
  }
  std::shared_ptr<SharedBlock> shared_block(std::size_t size) override {
    struct Place {
      std::int64_t process = 0, descriptor = -1;
    } place;
    std::string error;
    std::shared_ptr<NodeBlock> block;
    const auto attempt = [&](auto&& act) {
      try {
        act();
      } catch (const std::exception& failure) {
        error = failure.what();
      }
    };
    int shared_descriptor = -1;
    if (rank_ == 0) {
      attempt([&] {
        shared_descriptor = create_memory(size);
        place = {getpid(), shared_descriptor};
      });
    }
    broadcast(std::as_writable_bytes(std::span(&place, 1)), 0);
    if (place.descriptor >= 0) {
      attempt([&] {
        const int mine = rank_ == 0 ? dup(shared_descriptor)
                                    : open_memory(fmt::format("/proc/{}/fd/{}", place.process, place.descriptor));
        block = std::make_shared<NodeBlock>(mine, size);
      });
    }
    const bool complete = all_reduce(block == nullptr ? 1 : 0, Reduction::max) == 0;
    if (shared_descriptor >= 0) close(shared_descriptor);
    if (!complete) throw std::runtime_error(error.empty() ? "another rank could not map shared memory" : error);
    return block;
  }

  std::unique_ptr<Neighbours> neighbours() override {
    int provided = MPI_THREAD_SINGLE;
    check(MPI_Query_thread(&provided), "MPI_Query_thread");
    if (size_ == 1 || provided != MPI_THREAD_MULTIPLE) return nullptr;
    MPI_Comm ring = MPI_COMM_NULL;
    check(MPI_Comm_dup(comm_, &ring), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(ring, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    return std::make_unique<MpiNeighbours>(ring);
  }

 private:
  template <class Act>
  static void in_pieces(std::size_t size, Act act) {
    for (std::size_t at = 0; at < size; at += piece_max) act(at, static_cast<int>(std::min(piece_max, size - at)));
  }
  void copy_own(std::span<const Outgoing> outgoing, std::span<const Incoming> incoming) const {
    auto sent = outgoing.begin();
    for (const Incoming& message : incoming) {
      if (message.from != rank_) continue;
      sent = std::find_if(sent, outgoing.end(), [&](const Outgoing& candidate) { return candidate.to == rank_; });
      SOUK_EXPECT(sent != outgoing.end() && sent->bytes.size() == message.bytes.size());
      std::copy(sent->bytes.begin(), sent->bytes.end(), message.bytes.begin());
      ++sent;
    }
  }
  void all_gather_large(std::span<const std::byte> local, std::span<const std::size_t> counts,
                        std::span<std::byte> out) {
    for (int r = 0; r < size_; ++r) {
      const auto part = out.first(counts[static_cast<std::size_t>(r)]);
      if (r == rank_) std::copy(local.begin(), local.end(), part.begin());
      broadcast(part, r);
      out = out.subspan(part.size());
    }
  }
  MPI_Comm comm_;
  bool owned_;
  int rank_ = 0, size_ = 1;
};

}  // namespace

std::shared_ptr<Transport> make_mpi_transport() {
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  return std::make_shared<MpiTransport>(MPI_COMM_WORLD, false);
}

}  // namespace souk
