#include "sim/comm/comm.hpp"

#include <new>

#include "sim/base/error.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

struct Failure {
  int exit_code = exit_done;
  std::string what;
};

Failure run_and_catch(const char* name, const std::function<void()>& local) {
  try {
    local();
    return {};
  } catch (const InputError& error) {
    return {exit_bad_input, error.what()};
  } catch (const PhaseError& error) {  // a nested group of ranks has already agreed on it
    return {error.exit_code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {exit_failed, fmt::format("out of memory in phase '{}'", name)};
  } catch (const std::exception& error) {
    return {exit_failed, fmt::format("{} (phase '{}')", error.what(), name)};
  }
}

}  // namespace

Comm Comm::self() { return Comm(make_self_transport()); }

std::string Comm::broadcast_text(const std::string& at_root, int root) const {
  std::string text(broadcast(at_root.size(), root), '\0');
  if (rank() == root) text = at_root;
  broadcast_into(std::span(text), root);
  return text;
}

std::vector<std::size_t> Comm::gather_counts(std::size_t bytes) const {
  const auto ranks = static_cast<std::size_t>(size());
  std::vector<std::size_t> counts(ranks);
  const std::vector<std::size_t> sizes(ranks, sizeof bytes);
  transport_->all_gather(std::as_bytes(std::span(&bytes, 1)), sizes, std::as_writable_bytes(std::span(counts)));
  return counts;
}

void Comm::run_phase(const char* name, const std::function<void()>& local) const {
  heartbeat::enter(name);
  const Failure failure = run_and_catch(name, local);
  heartbeat::wait_for_others();
  const bool failed = failure.exit_code != exit_done;
  const std::int64_t first = transport_->all_reduce(failed ? size() - rank() : 0, Reduction::max);
  heartbeat::go_on();
  if (first == 0) return;
  const int culprit = size() - static_cast<int>(first);
  const int exit_code = broadcast(failure.exit_code, culprit);
  throw PhaseError(culprit, exit_code, broadcast_text(failure.what, culprit));
}

}  // namespace souk
