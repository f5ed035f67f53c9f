// What a pair costs an attack on edges, beside a pass of the network over all nodes: Cora where SOUK_DATA is set, else
// a built-in graph as large. Networks have first values: what they answer does not matter here.
#include <cstdlib>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "agents/cast/shared_data.hpp"
#include "agents/serving/asked_pairs.hpp"
#include "attacks/edge_attack.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/engine/scenario_file.hpp"
#include "sim/learn/graphs/graph_network.hpp"
#include "sim/serve/session.hpp"

namespace souk {
namespace {

std::string scenario_text(const std::string& model) {
  const bool cora = std::getenv("SOUK_DATA") != nullptr;
  return "task { data { " +
         std::string(cora ? "planetoid { directory: \"${SOUK_DATA}/planetoid\" }" : "communities { cora_like {} }") +
         " scaling: ROWS } model { " + model +
         " } } service { attacks { targets { count: 500 degree_high: 200 } inf_mag {} } attacks { targets { count: 500 "
         "degree_high: 200 } infiltration {} } }";
}

/// A served network with first values, and who asks it.
struct Bench {
  explicit Bench(const std::string& text)
      : resolved(resolve_scenario({.file_name = "bench", .text = text, .overrides = {}})),
        scenario(*resolved.scenario),
        data(load_shared_data(Comm::self(), scenario.task().data(), 1)),
        network(make_graph_network(scenario.task().model(), data.train, make_objective({}, true))),
        served(make_served_network(scenario.task(), data.train, data.graph, true)),
        answering(scenario.service().answers(), served->classes()),
        evolution(scenario.service().evolution(), 1),
        service{*served, data.graph, answering, evolution, {}} {
    parameters.resize(network.layout().dimension());
    Stream random(1, StreamKey{Purpose::weight_init, nobody, RoundIndex{0}});
    network.initialise(random, parameters);
    served->take(parameters);
  }

  ResolvedScenario resolved;
  const scenario::Scenario& scenario;
  SharedData data;
  GraphNetwork network;
  std::unique_ptr<ServedNetwork> served;
  Answering answering;
  Evolution evolution;
  Service service;
  PrincipalTerms principal{.name = "user",
                           .rights = {Right::read_own, Right::write_own, Right::register_nodes, Right::connect},
                           .budget = {},
                           .rate = {}};
  std::vector<float> parameters;
};

void pass_over_all_nodes(benchmark::State& state, const std::string& model) {
  Bench bench(scenario_text(model));
  const std::vector<double> parameters(bench.parameters.begin(), bench.parameters.end());
  const std::vector<float> factors = factors_of_rows(bench.data.graph.features);
  const ReceptiveField all(bench.data.graph, {.shift = {}, .scale = {}, .row_factors = factors});
  std::vector<double> logits(bench.data.graph.nodes() * bench.network.classes());
  for ([[maybe_unused]] auto _ : state) {
    bench.network.outputs(std::span<const double>(parameters), all, bench.data.graph.nodes(), logits);
    benchmark::DoNotOptimize(logits.data());
  }
}

/// Seconds of a pair are those of `pairs` inverted.
void pairs_of_attack(benchmark::State& state, const std::string& model, int which) {
  Bench bench(scenario_text(model));
  const scenario::EdgeInference& config = bench.scenario.service().attacks(which);
  const AskedPairs asked = asked_pairs(config, bench.data.graph, 1, 0);
  const auto attack = make_edge_attack(config);
  const Background background;
  std::vector<double> scores;
  std::size_t next = 0;
  double pairs = 0.0;
  for ([[maybe_unused]] auto _ : state) {
    const EdgeQuestion& question = asked.questions[next++ % asked.questions.size()];
    Session session(bench.service, bench.principal, 1, question.target);
    scores.assign(question.candidates.size(), 0.0);
    attack->score({session, 1, background}, question, scores);
    pairs += static_cast<double>(scores.size());
    benchmark::DoNotOptimize(scores.data());
  }
  state.counters["pairs"] = benchmark::Counter(pairs, benchmark::Counter::kIsRate);
}

/// Twitch's Spain and Russia as one graph: what LinkTeller's questions cost. Needs SOUK_DATA.
std::string twitch_text() {
  return "task { data { musae { directory: \"${SOUK_DATA}/twitch\" name: \"ES\" test_name: \"RU\" } } model { gcn { "
         "hidden: "
         "256 normalization: PLUS_IDENTITY } } } service { answers { form: LOGITS } attacks { among: TEST_NODES nodes "
         "{ "
         "count: 500 } link_teller {} } }";
}

void link_teller(benchmark::State& state, bool first_look) {
  if (std::getenv("SOUK_DATA") == nullptr) return state.SkipWithError("SOUK_DATA is not set");
  Bench bench(twitch_text());
  bench.principal.rights = {Right::read_any, Right::write_any};
  const scenario::EdgeInference& config = bench.scenario.service().attacks(0);
  const AskedPairs asked = asked_pairs(config, bench.data.graph, 1, 0);
  const auto attack = make_edge_attack(config);
  const Background background;
  std::vector<double> scores;
  std::size_t next = 0;
  const auto look = [&] {
    Session session(bench.service, bench.principal, 1, 0);
    attack->prepare({session, 1, background}, asked.questions);
  };
  look();
  for ([[maybe_unused]] auto _ : state) {
    if (first_look) {
      bench.served->take(bench.parameters);
      look();
      continue;
    }
    const EdgeQuestion& question = asked.questions[next++ % asked.questions.size()];
    Session session(bench.service, bench.principal, 1, question.target);
    scores.assign(question.candidates.size(), 0.0);
    attack->score({session, 1, background}, question, scores);
    benchmark::DoNotOptimize(scores.data());
  }
}

const std::string gcn3 = "gcn { hidden: [64, 64] }", gcn4 = "gcn { hidden: [64, 64, 64] }",
                  sage3 = "sage { hidden: [64, 64] }";

BENCHMARK_CAPTURE(pass_over_all_nodes, gcn3, gcn3)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(pairs_of_attack, inf_mag_gcn3, gcn3, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(pairs_of_attack, infiltration_gcn3, gcn3, 1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(pass_over_all_nodes, gcn4, gcn4)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(pairs_of_attack, inf_mag_gcn4, gcn4, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(pass_over_all_nodes, sage3, sage3)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(pairs_of_attack, inf_mag_sage3, sage3, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(link_teller, first_look, true)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(link_teller, node, false)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace souk

BENCHMARK_MAIN();
