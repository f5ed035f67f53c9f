// No two draws of one run share a stream.
#include "sim/base/streams.hpp"

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace souk::streams_test {
namespace {

using Name = std::tuple<Purpose, AgentId, RoundIndex, std::uint16_t>;

/// Who draws, by name of stream.
class Draws {
 public:
  void add(const std::string& who, const StreamKey& key) {
    const auto [first, is_new] = who_.emplace(Name{key.purpose, key.agent, key.round, key.lane}, who);
    EXPECT_TRUE(is_new) << who << " draws what " << first->second << " draws";
  }

 private:
  std::map<Name, std::string> who_;
};

const std::vector<std::uint32_t> numbers{0, 1, 2, 3, 99999};
const std::vector<std::uint16_t> owners{0, 1, 2, 40};

/// All that a run draws from its own seed, whatever its data set.
void add_cast_and_training(Draws& draws) {
  draws.add("partition", streams::partition());
  draws.add("validation data", streams::validation_data());
  draws.add("membership", streams::membership());
  for (const std::uint32_t id : numbers) {
    const AgentId agent{id};
    draws.add("held out", streams::held_out(agent));
    draws.add("device speed", streams::device_speed(agent));
    draws.add("poisoned samples", streams::poisoned_samples(agent));
    draws.add("flipped label", streams::flipped_label(id));
    draws.add("clean label", streams::clean_label_noise(id));
    for (const std::uint32_t r : {1U, 2U, 500U}) {
      const RoundIndex round{r};
      draws.add("validation samples", streams::validation_samples(agent, round));
      draws.add("availability", streams::availability(agent, round));
      for (const std::uint16_t owner : owners) draws.add("inclusion", streams::inclusion(owner, agent, round));
      for (const std::size_t panel : {std::size_t{0}, streams::panels - 1}) {
        for (const std::size_t owner : owners) {
          draws.add("noise of client", streams::noise_of_client(owner, agent, round, panel));
        }
      }
      draws.add("private batches", streams::private_batches(agent, round));
      draws.add("noise of gradients", streams::noise_of_gradients(agent, round));
      draws.add("poisoning", streams::poisoning(agent, round));
      draws.add("lie", streams::lie_of_validators(agent, round));
      draws.add("bandit", streams::bandit(agent, round));
      for (const std::uint32_t pass : {0U, 1U, 70U}) {
        draws.add("order", streams::batch_order(agent, round, pass));
        draws.add("augmentation", streams::augmentation(agent, round, pass));
        draws.add("dropout", streams::dropout(agent, round, pass));
        draws.add("neighbours", streams::neighbours(agent, round, pass));
      }
      for (const std::size_t draw : {0, 1, 64, 1022}) {
        for (const std::size_t panel : {std::size_t{0}, std::size_t{1}, streams::panels - 1}) {
          draws.add("update values", streams::update_values(agent, round, draw, panel));
        }
      }
      for (const std::uint16_t lane : std::vector<std::uint16_t>{0, 1})
        draws.add("noise inputs", streams::noise_inputs(id, round, lane));
    }
  }
}

void add_owners_and_market(Draws& draws) {
  draws.add("wandering classes", streams::wandering_classes());
  draws.add("first sellers", streams::first_sellers());
  for (const std::uint16_t owner : owners) {
    draws.add("weights", streams::initial_weights(owner));
    draws.add("rotation", streams::rotation(owner));
    for (const std::size_t draw : {0, 1}) draws.add("root data", streams::root_data(owner, draw));
    for (const std::uint32_t r : {1U, 2U, 500U}) {
      const RoundIndex round{r};
      draws.add("selection", streams::selection(owner, round));
      draws.add("rule", streams::rule(owner, round));
      draws.add("rule of attackers", streams::rule_tried_by_attackers(owner, round));
      draws.add("rule of valuations", streams::rule_tried_by_valuation(owner, round));
      draws.add("valuation", streams::valuation(owner, round));
      draws.add("forged baseline", streams::forged_baseline(owner, round));
      draws.add("denials", streams::denials(owner, round));
      draws.add("audit", streams::audit(owner, round));
      for (const std::uint32_t id : numbers) {
        draws.add("payment noise", streams::payment_noise({id}, owner, round));
        if (owner == 0) draws.add("participation", streams::participation(id, round));
      }
    }
  }
  for (const std::uint32_t id : numbers) {
    for (const std::uint16_t factor : std::vector<std::uint16_t>{0, 1})
      draws.add("factor", streams::seller_factor(id, factor));
    draws.add("preferred buyers", streams::preferred_buyers(id));
  }
  for (const std::uint32_t r : {1U, 2U, 500U}) {
    draws.add("validators", streams::validators({r}));
    draws.add("noise of count", streams::noise_of_count({r}));
    for (std::size_t panel = 0; panel < streams::panels; ++panel) {
      draws.add("noise of step", streams::noise_of_step({r}, panel));
    }
  }
}

/// All that a service draws from one seed, be it the run's, an attack's or a history's.
void add_service(Draws& draws) {
  for (const std::uint32_t node : numbers) {
    draws.add("acceptance", streams::acceptance(node));
    draws.add("asked pairs", streams::asked_pairs(node));
    draws.add("intervals", streams::edge_intervals(node));
    draws.add("knowledge", streams::attacker_knowledge(node));
    draws.add("attacker's training", streams::attacker_training(node));
    draws.add("arrivals", streams::arrivals(node));
    draws.add("departures", streams::departures(node));
    for (const std::uint32_t other : {1U, 2U, 500U}) {
      draws.add("edge attack", streams::edge_attack(node, {other}));
      draws.add("answer noise", streams::answer_noise(node, other));
      draws.add("history", streams::history(node, other));
      draws.add("drift", streams::drift(node, other));
      draws.add("growth", streams::growth(node, other));
    }
  }
}

/// All that forgetting draws from the run's seed.
void add_forgetting(Draws& draws) {
  for (const std::uint32_t n : numbers) {
    for (const std::uint32_t round : {1U, 2U, 500U}) {
      draws.add("forgotten", streams::forgotten(n, round));
      if (n == 0) draws.add("questioned pairs", streams::questioned_pairs({round}));
      draws.add("unlearning noise", streams::unlearning_noise(n % 100, {round}));
      draws.add("random model", streams::random_model(n, {round}));
      draws.add("distillation", streams::distillation(n, {round}, 3));
      for (const std::size_t owner : {0U, 1U, 99U}) {
        draws.add("signs", streams::hessian_signs(owner, {round}, n));
        draws.add("solver", streams::solver_batch(owner, {round}, n));
      }
    }
    draws.add("noise", streams::objective_noise(n));
    draws.add("seed of reference", streams::seed_of_reference(n));
    draws.add("data at first", streams::data_at_first(n));
    draws.add("another label", streams::another_label(n));
    if (n == 0) draws.add("clusters", streams::clusters());
  }
}

TEST(Streams, of_a_run_all_differ) {
  Draws draws;
  add_forgetting(draws);
  add_service(draws);
  add_cast_and_training(draws);
  add_owners_and_market(draws);
}

TEST(Streams, of_each_data_set_all_differ) {
  const std::vector<std::vector<StreamKey>> sets{
      {streams::glyph(0, false), streams::glyph(0, true), streams::glyph(1, false)},
      {streams::topic_words(), streams::topic_text(0, false), streams::topic_text(0, true),
       streams::topic_text(3, true)},
      {streams::basket_frequencies(), streams::basket_class(0), streams::basket_class(1), streams::basket(0, false),
       streams::basket(0, true), streams::basket(1, true)},
      {streams::wave_function(), streams::wave_row(0, false), streams::wave_row(0, true), streams::wave_row(1, false)},
      {streams::image_split(0), streams::image_split(1), streams::table_split()},
      {streams::node_split(), streams::community_weights(), streams::community_edges(0), streams::community_edges(1),
       streams::community_features(0), streams::community_features(1), streams::edge_noise(0), streams::edge_noise(1)}};
  for (std::size_t s = 0; s < sets.size(); ++s) {
    Draws draws;
    for (const StreamKey& key : sets[s]) draws.add("set " + std::to_string(s), key);
  }
}

TEST(Streams, that_are_drawn_from_seed_0_all_differ) {
  Draws draws;
  draws.add("patch", streams::patch_trigger());
  draws.add("blended", streams::blended_trigger());
  draws.add("eigenvectors", streams::eigenvector_start());
}

}  // namespace
}  // namespace souk::streams_test
