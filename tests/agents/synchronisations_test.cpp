// How often the ranks wait for each other in a round: every wait costs a network's latency, and a core.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/scenario_file.hpp"
#include "tests/support/counting_transport.hpp"

namespace souk::synchronisations_test {
namespace {

constexpr const char* plain =
    "task { data { glyphs { train_samples: 400 test_samples: 100 } } model { cnn_small {} } } "
    "participants { clients: 10 per_round: 4 } partition { iid {} } checkpoint { every: 0 } ";

Synchronisations of_rounds(const std::string& text, std::uint32_t rounds) {
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  Synchronisations counted;
  run_team(2, [&](const Comm& comm) {
    Synchronisations own;
    const Comm counting(std::make_shared<CountingTransport>(comm, own));
    const auto protocol = make_simulation(counting, *resolved.scenario, "cpu");
    run_rounds(counting, *protocol, nullptr, nullptr, std::nullopt, {.rounds = rounds, .scenario_text = text});
    if (comm.rank() == 0) counted = own;
  });
  return counted;
}

/// Of one round, what begins and ends a run left out. Exchanges of columns are transfers: ranks wait for data in them.
int in_a_round(const std::string& text) {
  const Synchronisations four = of_rounds(text, 4), three = of_rounds(text, 3);
  ::testing::Test::RecordProperty("exchanges", four.exchanges - three.exchanges);
  return four.all() - three.all();
}

TEST(Synchronisations, are_at_most_12_in_a_plain_round) { EXPECT_LE(in_a_round(plain), 12); }

TEST(Synchronisations, are_at_most_16_in_a_round_of_a_market) {
  EXPECT_LE(in_a_round(std::string(plain) + "root { samples: 40 } aggregator { martfl {} } market { unit_price {} }"),
            16);
}

}  // namespace
}  // namespace souk::synchronisations_test
