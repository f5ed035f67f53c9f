#include "sim/serve/session.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

constexpr NodeIndex no_node = 0xFFFFFFFF;

}  // namespace

Session::Session(const Service& service, const PrincipalTerms& principal, std::uint64_t seed, NodeIndex target)
    : service_(service),
      principal_(principal),
      seed_(seed),
      target_(target),
      candidate_(no_node),
      noise_(seed, streams::answer_noise(target, no_node)),
      common_{.graph = EditedGraph(service.graph), .probe = target, .since_tick = {}} {}

void Session::begin_trial(NodeIndex candidate) {
  trial_.reset();
  candidate_ = candidate;
  noise_ = Stream(seed_, streams::answer_noise(target_, candidate));
  trial_ = common_;
  trial_->usage = {};
}

void Session::end_trial() {
  SOUK_EXPECT(trial_.has_value());
  trials_.push_back(trial_->usage);
  trial_.reset();
}

bool Session::owns(NodeIndex node) const {
  return branch().graph.is_added(node) || std::ranges::binary_search(principal_.own, node);
}

void Session::require(Right own, Right any, NodeIndex node) const {
  SOUK_EXPECT(principal_.rights.has(any) || (principal_.rights.has(own) && owns(node)));
}

std::uint64_t Session::take(RequestKind kind, std::uint64_t wanted) {
  const std::uint64_t rate = principal_.rate[kind];
  if (rate > 0 && branch().since_tick[kind] >= rate) wait();
  const std::uint64_t taken = rate > 0 ? std::min(wanted, rate - branch().since_tick[kind]) : wanted;
  branch().since_tick[kind] += taken;
  branch().usage.asked[kind] += taken;
  return taken;
}

NodeIndex Session::add(const NodeSource& source) {
  SOUK_EXPECT(principal_.rights.has(Right::register_nodes));
  take(RequestKind::registration, 1);
  return branch().graph.add(source);
}

bool Session::accepts(NodeIndex node) const {
  const AcceptanceRule& rule = service_.acceptance;
  if (rule.share < 1.0 && Stream(rule.seed, streams::acceptance(node)).uniform() >= rule.share) return false;
  if (rule.most == 0) return true;
  const EditedGraph& graph = branch().graph;
  const auto added = std::ranges::count_if(graph.neighbours(node), [&](NodeIndex n) { return graph.is_added(n); });
  return added < static_cast<std::ptrdiff_t>(rule.most);
}

bool Session::connect(NodeIndex own, NodeIndex other) {
  SOUK_EXPECT(principal_.rights.has(Right::connect) && owns(own));
  take(RequestKind::edge, 1);
  // Who has left answers nobody.
  if (branch().graph.is_gone(other) || (!owns(other) && !accepts(other))) {
    ++branch().usage.refused;
    return false;
  }
  branch().graph.join(own, other);
  return true;
}

void Session::scale(NodeIndex node, double factor) {
  require(Right::write_own, Right::write_any, node);
  take(RequestKind::write, 1);
  branch().graph.scale(node, factor);
  branch().probe = node;
}

std::vector<double> Session::read(std::span<const NodeIndex> nodes) {
  for (const NodeIndex node : nodes) require(Right::read_own, Right::read_any, node);
  const std::size_t width = classes();
  std::vector<double> answers(nodes.size() * width);
  for (std::size_t first = 0; first < nodes.size();) {
    const auto count = static_cast<std::size_t>(take(RequestKind::read, nodes.size() - first));
    const auto part = std::span(answers).subspan(first * width, count * width);
    service_.network.logits(branch().graph, nodes.subspan(first, count), part);
    first += count;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    service_.answering.shape(std::span(answers).subspan(i * width, width), noise_);
  }
  return answers;
}

void Session::wait() {
  Branch& now = branch();
  service_.evolution.advance(
      now.graph, ++now.tick,
      {.target = target_, .candidate = candidate_ == no_node ? target_ : candidate_, .probe = now.probe});
  now.since_tick = {};
  ++now.usage.ticks;
}

}  // namespace souk
