#include "attacks/shadow_graph.hpp"

#include <numeric>
#include <string>

#include "scenarios/edge_attacks.pb.h"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/tasks/node_classification.hpp"

namespace souk {
namespace {

/// Runs `work`; what it says of the scenario's own data set is said of the shadow's.
template <class Work>
auto about_shadow(Work work) {
  try {
    return work();
  } catch (const InputError& error) {
    std::string text = error.what();
    if (text.starts_with("task.data")) text = text.substr(std::string("task.").size());
    throw_input_error("link_stealing.shadow.{}", text);
  }
}

/// Drawn from the seed of the attack's own draws.
std::uint64_t drawn_seed(std::uint64_t seed, std::uint64_t what) {
  return Stream(seed, streams::attacker_knowledge(what)).next_seed();
}

}  // namespace

ShadowGraph::ShadowGraph(const scenario::ShadowGraph& config, std::uint64_t seed)
    : seed_(drawn_seed(seed, 2)), passes_(config.passes()), own_(about_shadow([&] {
        return OwnGraph(config.data(), config.seed() > 0 ? config.seed() : drawn_seed(seed, 3));
      })) {
  const std::size_t nodes = graph().nodes(), entries = graph().secret_edges().entries();
  SOUK_REQUIRE(entries > 0 && entries < nodes * (nodes - 1),
               "link_stealing.shadow.data: {} pairs of its nodes are edges", entries == 0 ? "no" : "all");
}

void ShadowGraph::check(const scenario::Task& design) const {
  about_shadow([&] { NodeClassification(design, own_.train(), own_.test(), graph(), "cpu"); });
}

ReadAnswers ShadowGraph::answers(const scenario::Task& design,
                                 const std::function<void(std::span<double>)>& shape) const {
  NodeClassification task(design, own_.train(), own_.test(), graph(), "cpu");
  std::vector<float> parameters(task.layout().dimension()), update(parameters.size());
  Stream first(seed_, streams::shadow(0));
  task.initialise(first, parameters);
  std::vector<SampleIndex> units(task.units(Split::train));
  std::iota(units.begin(), units.end(), SampleIndex{0});
  const Steering steering{.epochs = passes_};
  task.train(parameters, units, {},
             {.seed = seed_, .agent = {0}, .round = {1}, .after_step = &heartbeat::beat, .steering = &steering},
             update);
  for (std::size_t p = 0; p < parameters.size(); ++p) parameters[p] += update[p];

  const std::span<const float> logits = task.logits(parameters);
  ReadAnswers answers{.nodes = std::vector<NodeIndex>(graph().nodes()),
                      .width = static_cast<std::size_t>(task.classes()),
                      .values = {logits.begin(), logits.end()}};
  std::iota(answers.nodes.begin(), answers.nodes.end(), NodeIndex{0});
  for (std::size_t v = 0; v < graph().nodes(); ++v) {
    shape(std::span(answers.values).subspan(v * answers.width, answers.width));
  }
  return answers;
}

KnownPairs ShadowGraph::pairs() const {
  Stream draws(seed_, streams::attacker_knowledge(0));
  return known_pairs(graph(), 1.0, {}, draws);
}

}  // namespace souk
