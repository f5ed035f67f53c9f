// Forgetting end to end: exact operators leave no bit of what is forgotten, all operators give the same bits on any
// number of ranks and after a break, and money is conserved.
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/unlearning/operator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_test {
namespace {

using testing::HasSubstr;

const std::string learned =
    "task { data { glyphs { train_samples: 400 test_samples: 100 } } model { mlp { hidden: 10 } } "
    "training { batch_size: 16 learning_rate: 0.1 } } ";

/// Six clients, all in every round, one request.
std::string forgetting(const std::string& request, const std::string& more = "", std::uint32_t rounds = 5) {
  return "rounds: " + std::to_string(rounds) + " " + learned + "participants { clients: 6 everyone: true } " + more +
         " unlearning { requests { " + request + " } } ";
}

std::vector<std::string> all_operators() { return PluginRegistry<UnlearningOperator>::instance().names(); }

/// Of those, all that are for rows.
std::vector<std::string> operators() {
  std::vector<std::string> names = all_operators();
  std::erase_if(names, [](const std::string& name) { return name == "megu" || name == "gnn_delete"; });
  return names;
}

bool forgets_graphs(const std::string& name) {
  const ResolvedScenario resolved = resolve_scenario(
      {.file_name = "test", .text = forgetting("clients { ids: 1 } " + name + " {}"), .overrides = {}});
  return make_unlearning_operator(resolved.scenario->unlearning().requests(0))->forgets().graph;
}

/// What an operator asks of a scenario.
std::string for_operator(const std::string& name) {
  return name == "distillation"       ? "root { samples: 40 always: true } "
         : name == "retrain_clusters" ? "clusters { count: 2 } "
                                      : "";
}

/// The scenario with the learning that an operator asks for.
std::string suited(const std::string& name, std::string text) {
  const auto put = [&](const std::string& old, const std::string& better) {
    const std::size_t place = text.find(old);
    if (place != std::string::npos) text.replace(place, old.size(), better);
  };
  if (name == "retrain_clusters") {
    put("features: 60 } }", "features: 60 } graph { sight: OWN_NODES } }");
    return text;
  }
  if (name != "certified_step") return text;
  put("model { mlp { hidden: 10 } } training { ",
      "model { logreg {} } training { objective_noise: 5 sgd { weight_decay: 0.01 } ");
  put("model { gcn { hidden: 8 } } training { ", "model { sgc {} } training { objective_noise: 5 ");
  return text;
}

std::size_t events(const Simulated& run, const std::string& kind) {
  std::size_t count = 0;
  for (const RoundRecord& record : run.records) {
    for (const EventRow& event : record.events) count += event.kind == kind ? 1U : 0U;
  }
  return count;
}

double number(const Simulated& run, std::uint32_t round, const std::string& name) {
  const std::optional<double> value = run.records[round - 1].metric(name);
  EXPECT_TRUE(value.has_value()) << name;
  return value.value_or(std::nan(""));
}

/// What round `round` begins with, as the request left it.
std::string round_of(const Simulated& run, std::uint32_t round) {
  std::string text;
  for (const MetricValue& m : run.records[round - 1].metrics) {
    text += m.name + " " + std::to_string(m.agent) + " " + std::to_string(m.value) + "\n";
  }
  return text;
}

TEST(Unlearning, is_carried_out_by_some_operators) { EXPECT_GE(operators().size(), 9U); }

TEST(Unlearning, gives_the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  for (const std::string& name : operators()) {
    const std::string text = suited(
        name,
        forgetting("round: 3 clients { ids: 2 } reference { other_seeds: 1 } " + name + " {}", for_operator(name)));
    const Simulated one = simulate(text), three = simulate(text, 3);
    EXPECT_EQ(one.hash, three.hash) << name;
    EXPECT_EQ(one.state, three.state) << name;
    EXPECT_EQ(round_of(one, 3), round_of(three, 3)) << name;
    for (const std::uint32_t round : {2U, 3U}) {
      const Simulated broken = simulate(text, 2, round);
      EXPECT_EQ(one.state, broken.state) << name << " broken after round " << round;
    }
  }
}

/// What the forgotten client does to its data is in nothing that follows, memories included.
TEST(Unlearning, by_exact_operators_leaves_no_bit_of_the_forgotten_data) {
  const std::string poisoned = "attacks { members { id: 2 } label_flip {} } ";
  for (const std::string how : {"retrain {}", "rollback { every: 1 }"}) {
    for (const std::string world : {"", "server { fed_adam {} } ", "aggregator { foolsgold {} } ",
                                    "aggregator { fltrust {} } root { samples: 30 } ", "market { unit_price {} } "}) {
      const std::string request = std::string("round: 4 clients { ids: 2 } ") + how;
      const Simulated clean = simulate(forgetting(request, world));
      const Simulated dirty = simulate(forgetting(request, world + poisoned));
      const Simulated kept = simulate(forgetting("round: 4 clients { ids: 2 } no_update {}", world + poisoned));
      EXPECT_EQ(clean.hash, dirty.hash) << how << " " << world;
      // FLTrust trusts flipped labels with nothing, so that there is nothing to be left.
      if (world.find("fltrust") == std::string::npos) {
        EXPECT_NE(kept.hash, dirty.hash) << how << " " << world;
      }
    }
  }
}

TEST(Unlearning, by_exact_operators_of_samples_leaves_none_of_their_labels) {
  for (const std::string how : {"retrain {}", "rollback {}"}) {
    const std::string request = std::string("round: 3 samples { of_group: 0 } ") + how;
    const auto with = [&](const char* attack) {
      return simulate(forgetting(request, std::string("attacks { members { id: [1, 4] } ") + attack + " {} } "));
    };
    EXPECT_EQ(with("label_flip").hash, with("dynamic_label_flip").hash) << how;
  }
}

TEST(Unlearning, by_rollback_is_retraining_and_cheaper_where_the_forgotten_came_late) {
  const std::string world = "rounds: 9 " + learned + "participants { clients: 30 per_round: 3 } ";
  std::set<std::uint32_t> seen;
  std::uint32_t late = 0;  // asked for the first time in the sixth round or later
  const Simulated plain = simulate(world);
  for (std::size_t r = 0; r < 8; ++r) {
    for (const SelectionRow& row : plain.records[r].selections) {
      if (seen.insert(row.agent.value).second && r >= 5) late = row.agent.value;
    }
  }
  const auto run = [&](const std::string& how) {
    return simulate(world + "unlearning { requests { name: \"r\" round: 9 clients { ids: " + std::to_string(late) +
                    " } " + how + " } } ");
  };
  const Simulated anew = run("retrain {}"), back = run("rollback { every: 1 keep: 9 }");
  EXPECT_EQ(anew.hash, back.hash);
  EXPECT_LT(number(back, 9, "unlearning.r.gradients"), 0.5 * number(anew, 9, "unlearning.r.gradients"));
}

TEST(Unlearning, of_who_never_took_part_leaves_the_model_as_it_is) {
  for (const std::string& name : operators()) {
    // Noise in the objective is spread over fewer units once somebody has left, which later rounds feel.
    const std::string rounds = name == "certified_step" ? "rounds: 4 training_rounds: 3 " : "rounds: 4 ";
    const auto run = [&](const std::string& request) {
      return simulate(
          suited(name, rounds + learned + "participants { clients: 40 per_round: 2 } " + for_operator(name) + request));
    };
    const Simulated asked = run("unlearning { requests { round: 4 clients { ids: 3 } " + name + " {} } }");
    EXPECT_EQ(events(asked, "never took part"), 1U) << name;
    EXPECT_EQ(asked.hash, run("").hash) << name;
  }
}

TEST(Unlearning, of_the_same_twice_is_forgetting_once) {
  for (const std::string& name : operators()) {
    const std::string request = "clients { ids: 1 } " + name + " {}";
    const Simulated once = simulate(suited(name, forgetting("round: 3 " + request, for_operator(name))));
    const Simulated twice =
        simulate(suited(name, forgetting("round: 3 " + request + " } requests { name: \"again\" round: 4 " + request,
                                         for_operator(name))));
    EXPECT_EQ(once.hash, twice.hash) << name;
    EXPECT_EQ(events(twice, "nothing to forget"), 1U) << name;
  }
}

TEST(Unlearning, of_one_round_is_done_together_in_any_order) {
  const auto run = [](const std::string& a, const std::string& b) {
    return simulate(forgetting("name: \"a\" round: 3 clients { ids: " + a +
                               " } retrain {} } requests { name: \"b\" round: 3 clients { ids: " + b +
                               " } retrain {}"));
  };
  const Simulated ab = run("1", "4"), ba = run("4", "1");
  EXPECT_EQ(ab.hash, ba.hash);
  EXPECT_EQ(events(ab, "forgotten together"), 1U);
  EXPECT_EQ(events(ab, "forgotten"), 1U);
  EXPECT_EQ(ab.hash, simulate(forgetting("round: 3 clients { ids: [1, 4] } retrain {}")).hash);
}

TEST(Unlearning, of_everybody_gives_the_initial_model) {
  const Simulated run = simulate(forgetting("name: \"all\" round: 3 clients { ids: [0, 1, 2, 3, 4, 5] } retrain {}"));
  const Simulated fresh =
      simulate("rounds: 1 training_rounds: 0 " + learned + "participants { clients: 6 everyone: true } ");
  EXPECT_EQ(run.hash, fresh.hash);
}

TEST(Unlearning, is_compared_with_the_model_that_never_saw_it) {
  const Simulated run =
      simulate(forgetting("name: \"r\" round: 4 clients { ids: 2 } retrain {} reference { other_seeds: 2 }"));
  EXPECT_EQ(number(run, 4, "unlearning.r.after.accuracy"), number(run, 4, "unlearning.r.retrained.accuracy"));
  EXPECT_EQ(number(run, 4, "unlearning.r.after.agreement"), 1.0);
  EXPECT_EQ(number(run, 4, "unlearning.r.after.divergence"), 0.0);
  EXPECT_EQ(number(run, 4, "unlearning.r.relative_distance"), 0.0);
  EXPECT_LT(number(run, 4, "unlearning.r.floor.agreement"), 1.0);
  EXPECT_GT(number(run, 4, "unlearning.r.before.distance"), 0.0);
}

TEST(Unlearning, by_a_stream_of_requests_forgets_others_every_time) {
  const Simulated run = simulate(forgetting("name: \"s\" round: 2 every: 1 clients { count: 1 } no_update {}"));
  EXPECT_EQ(events(run, "forgotten"), 4U);
  EXPECT_EQ(run.records.back().metric("unlearning.s.clients"), 1.0);
  EXPECT_EQ(run.records.back().selections.size(), 2U);
}

TEST(Unlearning, of_those_whom_the_rule_rejects_throws_them_out) {
  const Simulated run = simulate(
      forgetting("round: 3 rejected { rounds: 2 } retrain {}",
                 "aggregator { multi_krum { f: 1 m: 5 } } attacks { members { id: 5 } gaussian { sigma: 50 } } "));
  ASSERT_EQ(events(run, "forgotten"), 1U);
  for (const SelectionRow& row : run.records.back().selections) EXPECT_NE(row.agent.value, 5U);
}

/// After one round, short training in full is retraining, and its direction has the kept length by itself.
TEST(FedEraser, of_one_round_calibrated_in_full_is_retraining) {
  const Simulated run = simulate(
      forgetting("name: \"e\" round: 2 clients { ids: 2 } fed_eraser { every: 1 calibration_ratio: 1 } reference {}"));
  EXPECT_LT(number(run, 2, "unlearning.e.relative_distance"), 1e-5);
}

TEST(FedEraser, is_nearer_to_retraining_than_doing_nothing) {
  const auto distance = [](const std::string& how) {
    return number(simulate(forgetting("name: \"e\" round: 5 clients { ids: 2 } reference {} " + how)), 5,
                  "unlearning.e.relative_distance");
  };
  EXPECT_LT(distance("fed_eraser { every: 1 }"), 1.0);
  EXPECT_EQ(distance("no_update {}"), 1.0);
}

/// Logistic regression near its optimum, where the influence of units is known: what retraining gives to second order,
/// and the term of the regulariser is missed where it is left out.
std::string convex(const std::string& how, const std::string& what = "samples { share: 0.05 }") {
  return "rounds: 600 evaluation { every: 600 } task { data { baskets { train_samples: 1000 test_samples: 100 classes: "
         "4 features: 20 overlap: "
         "0.9 } } "
         "model { logreg {} } training { learning_rate: 0.5 batch_size: 0 sgd { weight_decay: 0.05 } } } participants "
         "{ "
         "clients: 4 everyone: true } unlearning { requests { name: \"i\" round: 600 reference {} " +
         what + " " + how + " } } ";
}

double distance_of(const std::string& text) {
  const Simulated run = simulate(text);
  return number(run, static_cast<std::uint32_t>(run.records.size()), "unlearning.i.relative_distance");
}

TEST(Influence, of_convex_models_is_nearly_retraining) {
  const double newton = distance_of(convex("influence_step { damping: 0 conjugate_gradient { tolerance: 1e-6 } }"));
  const double influence = distance_of(convex("influence_step { form: INFLUENCE damping: 0 }"));
  const double without = distance_of(convex("influence_step { form: WITHOUT_REGULARISER damping: 0 }"));
  EXPECT_LT(newton, 0.03);
  EXPECT_LT(influence, 0.1);
  EXPECT_LT(influence, without);
}

TEST(Influence, by_all_exact_solvers_comes_to_the_same) {
  const std::string who = "clients { ids: 1 }";
  const double exact = distance_of(convex("influence_step { damping: 0.1 cholesky {} }", who));
  EXPECT_NEAR(distance_of(convex("influence_step { damping: 0.1 conjugate_gradient { tolerance: 1e-6 } }", who)), exact,
              1e-3);
  EXPECT_NEAR(distance_of(convex("influence_step { damping: 0.1 lissa { steps: 500 } }", who)), exact, 1e-3);
  EXPECT_LT(distance_of(convex("influence_step { diagonal {} }", who)), 1.0);
}

TEST(Influence, by_lissa_of_too_small_a_scale_is_reported_as_diverged) {
  const Simulated run =
      simulate(forgetting("round: 3 clients { ids: 1 } influence_step { lissa { scale: 1e-3 steps: 30 } }"));
  bool told = false;
  for (const EventRow& event : run.records[2].events) told = told || event.text.find("DIVERGED") != std::string::npos;
  EXPECT_TRUE(told);
}

TEST(ProjectedAscent, raises_the_loss_of_the_client_that_leaves) {
  const Simulated run = simulate(forgetting("name: \"p\" round: 4 clients { ids: 2 } projected_ascent {}"));
  EXPECT_GT(number(run, 4, "unlearning.p.after.forgotten_loss"), number(run, 4, "unlearning.p.before.forgotten_loss"));
}

const std::string graph =
    "task { data { communities { custom { nodes: 200 edges: 600 classes: 3 features: 60 } } } "
    "model { gcn { hidden: 8 } } training { "
    "learning_rate: 0.05 batch_size: 0 local_epochs: 5 adam { weight_decay: 5e-4 } } } participants { clients: 2 "
    "everyone: "
    "true } ";

TEST(GraphUnlearning, gives_the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  for (const std::string& name : all_operators()) {
    if (!forgets_graphs(name)) continue;
    for (const char* what : {"edges { share: 0.1 }", "nodes { share: 0.1 }", "features { share: 0.1 }"}) {
      const std::string text =
          suited(name, "rounds: 4 " + graph + for_operator(name) + "unlearning { requests { round: 3 reference {} " +
                           what + " " + name + " {} } } ");
      const Simulated one = simulate(text), three = simulate(text, 3), broken = simulate(text, 2, 3);
      EXPECT_EQ(one.state, three.state) << name << " " << what;
      EXPECT_EQ(one.state, broken.state) << name << " " << what;
    }
  }
}

/// Linear on propagated features, so convex: GIF with and without its missing term, on edges and nodes. The reference's
/// Cora values are .009 and .42, .066 with the term.
TEST(GraphUnlearning, by_influence_of_convex_models_is_nearly_retraining) {
  const auto distance = [](const std::string& what, const std::string& how) {
    return distance_of(
        "rounds: 2 task { data { communities { custom { nodes: 400 edges: 1200 classes: 3 features: 60 } } scaling: "
        "ROWS } model { "
        "sgc {} } training { learning_rate: 1 batch_size: 0 local_epochs: 1500 sgd { weight_decay: 0.01 } } } "
        "participants { "
        "clients: 1 everyone: true } unlearning { requests { name: \"i\" round: 2 reference {} " +
        what + " influence_step { damping: 0 " + how + " } } } ");
  };
  EXPECT_LT(distance("edges { share: 0.05 }", "form: INFLUENCE"), 0.05);
  EXPECT_LT(distance("edges { share: 0.05 }", "form: NEWTON"), 0.02);
  EXPECT_LT(distance("features { share: 0.05 }", "form: INFLUENCE"), 0.1);
  const double with_term = distance("nodes { share: 0.05 }", "form: INFLUENCE");
  const double without = distance("nodes { share: 0.05 }", "form: WITHOUT_REGULARISER");
  EXPECT_LT(with_term, 0.15);
  EXPECT_GT(without, 2.0 * with_term);
  EXPECT_GT(distance("nodes { share: 0.05 }", "form: CLASSICAL"), with_term);
}

TEST(Distillation, repairs_what_taking_updates_out_has_broken) {
  const auto accuracy = [](const std::string& how) {
    return number(
        simulate(forgetting("name: \"d\" round: 5 clients { ids: 2 } " + how, "root { samples: 80 always: true } ")), 5,
        "unlearning.d.after.loss");
  };
  EXPECT_LT(accuracy("distillation { passes: 40 }"), accuracy("subtract_updates {}"));
}

/// The parameters that matter most to what is forgotten get smaller; without a step and without erasing nothing
/// changes.
TEST(Etr, erases_a_share_of_the_parameters) {
  const Simulated none =
      simulate(forgetting("name: \"e\" round: 4 samples { share: 0.1 } etr { erase_ratio: 0 learning_rate: 0 }"));
  EXPECT_EQ(number(none, 4, "unlearning.e.after.loss"), number(none, 4, "unlearning.e.before.loss"));
  const Simulated some =
      simulate(forgetting("name: \"e\" round: 4 samples { share: 0.1 } etr { erase_ratio: 0.1 learning_rate: 0 }"));
  bool told = false;
  for (const EventRow& event : some.records[3].events) told = told || event.kind == "etr";
  EXPECT_TRUE(told);
  EXPECT_NE(number(some, 4, "unlearning.e.after.loss"), number(some, 4, "unlearning.e.before.loss"));
}

TEST(Settlement, conserves_money) {
  for (const char* settlement :
       {"settlement { refund: 0.7 remaining_per_round: 0.9 per_gflop: 1000 per_megabyte: 10 }",
        "settlement { refund: 1 per_gflop: 1e5 payer: BUYER }", "settlement { clawback: 0.5 }"}) {
    const std::string text = "rounds: 6 seed: 9 " + learned +
                             "participants { clients: 6 everyone: true } aggregator { multi_krum { f: 1 } } "
                             "attacks { count: 2 sign_flip {} } market { quality { base: 1 bonus: 2 } rivals { name: "
                             "\"b\" aggregator { median {} } } } "
                             "root { samples: 30 } unlearning { requests { name: \"w\" round: 3 every: 1 clients { "
                             "count: 1 } retrain {} } requests { "
                             "name: \"t\" round: 4 clients { of_group: 0 } no_update {} } " +
                             std::string(settlement) + " } ";
    const Simulated run = simulate(text);
    std::map<std::int64_t, std::int64_t> balances;
    std::int64_t issued = 0;
    for (const RoundRecord& record : run.records) {
      for (const TransferRow& row : record.transfers) {
        if (row.kind == "issue") {
          issued += row.micro_credits;
          balances[row.payee] += row.micro_credits;
          continue;
        }
        balances[row.payer] -= row.micro_credits;
        balances[row.payee] += row.micro_credits;
        EXPECT_GE(balances[row.payer], 0) << row.kind;
      }
    }
    std::int64_t sum = 0;
    for (const auto& [account, balance] : balances) sum += balance;
    EXPECT_EQ(sum, issued);
    EXPECT_EQ(run.state, simulate(text, 2, 4).state) << settlement;
  }
}

TEST(Settlement, gives_back_what_was_earned) {
  const Simulated run =
      simulate("rounds: 4 " + learned +
               "participants { clients: 4 everyone: true } market { unit_price { price: 2 } } unlearning { requests "
               "{ round: 4 clients { ids: 1 } no_update {} } settlement { refund: 0.5 } } ");
  EXPECT_EQ(run.records[3].metric("settlement.refunded"), 3.0);  // half of three rounds at 2 credits
}

TEST(Unlearning, refuses_in_one_sentence_what_cannot_be) {
  const auto told = [](const std::string& request, const std::string& more = "") {
    return refusal_of(forgetting(request, more));
  };
  EXPECT_THAT(told("round: 3"), HasSubstr("unlearning.requests[0]: does not say what to forget"));
  EXPECT_THAT(told("round: 9 clients { ids: 1 }"),
              HasSubstr("unlearning.requests[0].round = 9: the run ends with round 5"));
  EXPECT_THAT(told("clients { ids: 6 }"), HasSubstr("unlearning.requests[0].clients.ids = 6: there are 6 clients"));
  EXPECT_THAT(told("clients {}"), HasSubstr("unlearning.requests[0].clients: names nobody"));
  EXPECT_THAT(told("clients { of_group: 0 }"), HasSubstr("names the attacker group 0, and there are 0"));
  EXPECT_THAT(told("samples { of_class: 10 }"), HasSubstr("of_class = 10: there are 10 classes"));
  EXPECT_THAT(told("edges {}"), HasSubstr("forgets parts of a graph, and the samples of the data set are rows"));
  EXPECT_THAT(told("samples {} fed_eraser {}"), HasSubstr("unlearning.requests[0].fed_eraser: cannot forget samples"));
  EXPECT_THAT(told("clients { ids: 1 } fed_eraser {}", "aggregator { fltrust {} } root { samples: 30 } "),
              HasSubstr("the rule asks for more than updates"));
  EXPECT_THAT(told("clients { ids: 1 } } settlement { "),
              HasSubstr("unlearning.settlement: moves money, and the scenario has no market"));
  EXPECT_THAT(told("clients { ids: 1 } name: \"A\""), HasSubstr("lower-case letters"));
  EXPECT_THAT(told("clients { ids: 1 } } requests { clients { ids: 2 }"),
              HasSubstr("another request is called \"retrain\", too"));
  EXPECT_THAT(told("round: 3 clients { ids: [1, 2] } projected_ascent {}"),
              HasSubstr("is carried out by the client that leaves, and 2 leave"));
}

}  // namespace
}  // namespace souk::unlearning_test
