#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/serve/answers.hpp"
#include "sim/serve/evolution.hpp"
#include "sim/serve/requests.hpp"
#include "sim/serve/served_network.hpp"

namespace souk {

/// Somebody who may ask, and on what terms.
struct PrincipalTerms {
  std::string name;
  std::int64_t account = -1;  ///< of its money: its number if it is a client
  Rights rights;
  RequestCounts budget, rate;                        ///< in all; between two ticks. 0: without a limit
  std::array<std::int64_t, request_kinds> prices{};  ///< in millionths of a credit
  std::vector<NodeIndex> own{};                      ///< nodes, ascending
};

/// Whether nodes let others be joined to them.
struct AcceptanceRule {
  double share = 1.0;      ///< of the nodes that accept
  std::uint32_t most = 0;  ///< edges that one accepts at once from registered nodes; 0: any number
  std::uint64_t seed = 0;
};

/// A service as its rank has it.
struct Service {
  ServedNetwork& network;
  const Graph& graph;
  const Answering& answering;
  const Evolution& evolution;
  AcceptanceRule acceptance;
};

/// A principal at work on one target: a branch of the world in which its requests are carried out, on a clock of its
/// own that begins where everybody's does. Between two ticks the graph evolves; what is asked beyond the rate waits for
/// the next one. It counts requests, and limits nobody: budgets are the business of who adds up the work of all.
class Session {
 public:
  /// `seed`: of noise on answers. All of it must outlive the session.
  Session(const Service& service, const PrincipalTerms& principal, std::uint64_t seed, NodeIndex target);

  /// What follows is about this candidate, in a branch that is gone when the next begins; before the first, what is
  /// done holds for all.
  void begin_trial(NodeIndex candidate);
  /// The branch is gone.
  void end_trial();

  /// Registers a node. Contract, here and below: the principal has the right, and owns what must be its own.
  NodeIndex add(const NodeSource& source);
  /// Asks for an edge between an own node and another; false: it was refused.
  bool connect(NodeIndex own, NodeIndex other);
  /// Multiplies the features of a node.
  void scale(NodeIndex node, double factor);
  /// Answers [nodes, classes].
  std::vector<double> read(std::span<const NodeIndex> nodes);
  /// Until the next tick.
  void wait();
  /// Turns logits [classes] of anybody's network into what the service would tell of them.
  void shape(std::span<double> logits, Stream& noise) const { service_.answering.shape(logits, noise); }

  std::size_t classes() const { return service_.network.classes(); }
  ServedNetwork& network() const { return service_.network; }
  NodeSource source(NodeIndex node) const { return branch().graph.source(node); }
  NodeIndex target() const { return target_; }
  /// Before the first trial, and of every trial, in order.
  const Usage& set_up() const { return common_.usage; }
  const std::vector<Usage>& trials() const { return trials_; }

 private:
  struct Branch {
    EditedGraph graph;
    NodeIndex probe;
    std::uint32_t tick = 0;
    RequestCounts since_tick;
    Usage usage{};
  };
  Branch& branch() { return trial_ ? *trial_ : common_; }
  const Branch& branch() const { return trial_ ? *trial_ : common_; }
  bool owns(NodeIndex node) const;
  bool accepts(NodeIndex node) const;
  /// Counts so many requests as far as the rate allows before the next tick, which passes first if there is no room.
  std::uint64_t take(RequestKind kind, std::uint64_t wanted);
  void require(Right own, Right any, NodeIndex node) const;

  const Service& service_;
  const PrincipalTerms& principal_;
  std::uint64_t seed_;
  NodeIndex target_, candidate_;
  Stream noise_;
  Branch common_;
  std::optional<Branch> trial_;
  std::vector<Usage> trials_;
};

}  // namespace souk
