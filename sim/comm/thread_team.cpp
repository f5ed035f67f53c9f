#include "sim/comm/thread_team.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Thrown in the ranks that waited for one that died.
class TeamBroken : public std::runtime_error {
 public:
  TeamBroken() : std::runtime_error("another rank of the team failed") {}
};

/// What the ranks of a group share. A collective is: publish a pointer, meet, read the others', meet.
class Team {
 public:
  explicit Team(int size) : size_(size), published_(static_cast<std::size_t>(size)) {}
  int size() const { return size_; }
  const void*& published(int rank) { return published_[static_cast<std::size_t>(rank)]; }

  void meet() {
    std::unique_lock lock(mutex_);
    if (broken_) throw TeamBroken();
    const std::uint64_t generation = generation_;
    if (++waiting_ == size_) {
      waiting_ = 0;
      ++generation_;
      all_here_.notify_all();
      return;
    }
    all_here_.wait(lock, [&] { return generation_ != generation || broken_; });
    if (generation_ == generation) throw TeamBroken();
  }
  void break_up() {
    const std::scoped_lock lock(mutex_);
    broken_ = true;
    for (const std::shared_ptr<Team>& part : parts_) part->break_up();
    all_here_.notify_all();
  }
  void add_part(const std::shared_ptr<Team>& part) {
    const std::scoped_lock lock(mutex_);
    parts_.push_back(part);
  }

 private:
  int size_;
  std::vector<const void*> published_;
  std::mutex mutex_;
  std::condition_variable all_here_;
  std::uint64_t generation_ = 0;
  int waiting_ = 0;
  bool broken_ = false;
  std::vector<std::shared_ptr<Team>> parts_;
};

class TeamBlock final : public SharedBlock {
 public:
  explicit TeamBlock(std::size_t size) : bytes_(size) {}
  std::span<std::byte> bytes() override { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class TeamTransport final : public Transport {
 public:
  TeamTransport(std::shared_ptr<Team> team, int rank) : team_(std::move(team)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return team_->size(); }

  void broadcast(std::span<std::byte> data, int root) override {
    meet_and_read(data.data(), [&] {
      const auto* source = static_cast<const std::byte*>(team_->published(root));
      if (rank_ != root) std::copy_n(source, data.size(), data.data());
    });
  }
  void all_gather(std::span<const std::byte> local, std::span<const std::size_t> counts,
                  std::span<std::byte> out) override {
    SOUK_EXPECT(counts[static_cast<std::size_t>(rank_)] == local.size());
    meet_and_read(local.data(), [&] {
      std::byte* to = out.data();
      for (int r = 0; r < size(); ++r) {
        to = std::copy_n(static_cast<const std::byte*>(team_->published(r)), counts[static_cast<std::size_t>(r)], to);
      }
    });
  }
  void exchange(std::span<const Outgoing> outgoing, std::span<const Incoming> incoming) override {
    meet_and_read(&outgoing, [&] {
      std::vector<std::size_t> next(static_cast<std::size_t>(size()), 0);
      for (const Incoming& message : incoming) {
        const auto& sent = *static_cast<const std::span<const Outgoing>*>(team_->published(message.from));
        std::size_t& at = next[static_cast<std::size_t>(message.from)];
        while (at < sent.size() && sent[at].to != rank_) ++at;
        SOUK_EXPECT(at < sent.size() && sent[at].bytes.size() == message.bytes.size());
        std::copy(sent[at].bytes.begin(), sent[at].bytes.end(), message.bytes.begin());
        ++at;
      }
    });
  }
  std::int64_t all_reduce(std::int64_t value, Reduction reduction) override {
    std::int64_t result = 0;
    meet_and_read(&value, [&] {
      result = read(0);
      for (int r = 1; r < size(); ++r) {
        result = reduction == Reduction::sum ? result + read(r) : std::max(result, read(r));
      }
    });
    return result;
  }
  std::shared_ptr<Transport> split(int color) override {
    const std::int64_t mine = color;
    std::vector<int> members;
    meet_and_read(&mine, [&] {
      for (int r = 0; r < size(); ++r) {
        if (read(r) == color) members.push_back(r);
      }
    });
    std::shared_ptr<Team> part;
    if (members.front() == rank_) {
      part = std::make_shared<Team>(static_cast<int>(members.size()));
      team_->add_part(part);
    }
    meet_and_read(&part, [&] { part = *static_cast<const std::shared_ptr<Team>*>(team_->published(members.front())); });
    const auto place = std::find(members.begin(), members.end(), rank_) - members.begin();
    return std::make_shared<TeamTransport>(part, static_cast<int>(place));
  }
  std::shared_ptr<Transport> node() override { return split(0); }
  std::shared_ptr<SharedBlock> shared_block(std::size_t size) override {
    std::shared_ptr<SharedBlock> block;
    if (rank_ == 0) block = std::make_shared<TeamBlock>(size);
    meet_and_read(&block, [&] { block = *static_cast<const std::shared_ptr<SharedBlock>*>(team_->published(0)); });
    return block;
  }

 private:
  std::int64_t read(int rank) const { return *static_cast<const std::int64_t*>(team_->published(rank)); }
  template <class Read>
  void meet_and_read(const void* mine, Read read_others) {
    team_->published(rank_) = mine;
    team_->meet();
    read_others();
    team_->meet();
  }
  std::shared_ptr<Team> team_;
  int rank_;
};

}  // namespace

void run_team(int ranks, const std::function<void(const Comm&)>& body) {
  const auto team = std::make_shared<Team>(ranks);
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(ranks));
  {
    std::vector<std::jthread> threads;
    for (int r = 0; r < ranks; ++r) {
      threads.emplace_back([&, r] {
        try {
          body(Comm(std::make_shared<TeamTransport>(team, r)));
        } catch (...) {
          failures[static_cast<std::size_t>(r)] = std::current_exception();
          team->break_up();
        }
      });
    }
  }
  std::exception_ptr first;
  for (const std::exception_ptr& failure : failures) {
    if (failure == nullptr) continue;
    try {
      std::rethrow_exception(failure);
    } catch (const TeamBroken&) {  // a consequence; the cause is another rank's
    } catch (...) {
      if (first == nullptr) first = failure;
    }
  }
  if (first != nullptr) std::rethrow_exception(first);
}

}  // namespace souk
