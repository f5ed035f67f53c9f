#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/base/random.hpp"

/// The names of all streams of random numbers, each built by a function that says what its numbers are for and what it
/// is named by. Nothing else builds a name: what is drawn twice under one name is the same. Names are part of the
/// results: add, never change. Those of one purpose must differ, which is why they stand together.
namespace souk::streams {

namespace detail {
/// A name of three numbers: what the second and third stand for is the caller's to say.
inline StreamKey numbered(Purpose purpose, std::uint64_t first, std::uint64_t second, std::uint64_t lane = 0) {
  return {purpose, AgentId{static_cast<std::uint32_t>(first)}, RoundIndex{static_cast<std::uint32_t>(second)},
          static_cast<std::uint16_t>(lane)};
}
inline constexpr std::uint64_t none = 0xFFFFFFFF;  ///< nobody's number
}  // namespace detail

/// Most panels of a matrix of updates; lanes of draws by panel are multiples of it.
inline constexpr std::size_t panels = 64;

// Data sets that are drawn, and how others are cut. Each data set uses its own alone.
inline StreamKey glyph(std::uint64_t row, bool test) { return detail::numbered(Purpose::dataset, row, test ? 1 : 0); }
inline StreamKey table_split() { return detail::numbered(Purpose::dataset, detail::none, 0, 1); }
inline StreamKey image_split(std::uint64_t label) { return detail::numbered(Purpose::dataset, label, 0, 2); }
inline StreamKey topic_words() { return detail::numbered(Purpose::dataset, detail::none, 0, 3); }
inline StreamKey topic_text(std::uint64_t row, bool test) {
  return detail::numbered(Purpose::dataset, row, test ? 1 : 0, 4);
}
inline StreamKey basket(std::uint64_t row, bool test) { return detail::numbered(Purpose::dataset, row, test ? 1 : 0); }
inline StreamKey basket_class(std::uint64_t label) { return detail::numbered(Purpose::dataset, label, 2); }
inline StreamKey basket_frequencies() { return detail::numbered(Purpose::dataset, 0, 3); }
inline StreamKey wave_row(std::uint64_t row, bool test) {
  return detail::numbered(Purpose::dataset, row, test ? 1 : 0);
}
inline StreamKey wave_function() { return detail::numbered(Purpose::dataset, 0, 2); }
inline StreamKey node_split() { return detail::numbered(Purpose::dataset, detail::none, 0, 5); }
inline StreamKey community_weights() { return detail::numbered(Purpose::dataset, detail::none, 0, 6); }
inline StreamKey community_edges(std::uint64_t part) { return detail::numbered(Purpose::dataset, part, 0, 7); }
inline StreamKey community_features(std::uint64_t node) { return detail::numbered(Purpose::dataset, node, 0, 8); }
/// Of a data set's graphs that no edge joins: which.
inline StreamKey edge_noise(std::uint64_t part) { return detail::numbered(Purpose::dataset, part, 0, 9); }

// Who takes part and what they hold.
inline StreamKey partition() { return {Purpose::partition, nobody, {}}; }
/// `draw` 0: the order of samples; 1: how many of each class.
inline StreamKey root_data(std::size_t owner, std::size_t draw) {
  return detail::numbered(Purpose::root_data, detail::none, 0, 2 * owner + draw);
}
/// Which of its samples an owner uses in a round.
inline StreamKey root_data_of_round(std::size_t owner, RoundIndex round) {
  return {Purpose::root_data, nobody, round, static_cast<std::uint16_t>(owner)};
}
inline StreamKey validation_data() { return {Purpose::evaluation, nobody, {}}; }
inline StreamKey held_out(AgentId validator) { return {Purpose::holdout, validator, {}}; }
inline StreamKey validators(RoundIndex round) { return {Purpose::validation, nobody, round}; }
inline StreamKey validation_samples(AgentId validator, RoundIndex round) {
  return {Purpose::validation, validator, round};
}
inline StreamKey membership() { return {Purpose::membership, nobody, {}}; }
inline StreamKey device_speed(AgentId client) { return {Purpose::device_speed, client, {}}; }
inline StreamKey selection(std::uint16_t owner, RoundIndex round) { return {Purpose::selection, nobody, round, owner}; }
/// Whether a client is in a round whose clients are chosen independently of each other.
inline StreamKey inclusion(std::uint16_t owner, AgentId client, RoundIndex round) {
  return {Purpose::selection, client, round, owner};
}
/// In which order clients are dealt to groups that take turns. There is no round 0.
inline StreamKey rotation(std::uint16_t owner) { return {Purpose::selection, nobody, {}, owner}; }
inline StreamKey availability(AgentId client, RoundIndex round) { return {Purpose::availability, client, round}; }

// Models and their training.
inline StreamKey initial_weights(std::size_t owner) {
  return {Purpose::weight_init, nobody, {}, static_cast<std::uint16_t>(owner)};
}
/// Of the low 16 bits of a pass over the samples; the others go into the seed.
inline StreamKey batch_order(AgentId client, RoundIndex round, std::uint32_t pass) {
  return {Purpose::batch_order, client, round, static_cast<std::uint16_t>(pass)};
}
inline StreamKey augmentation(AgentId client, RoundIndex round, std::uint32_t pass) {
  return {Purpose::augmentation, client, round, static_cast<std::uint16_t>(pass)};
}
inline StreamKey dropout(AgentId client, RoundIndex round, std::uint32_t pass) {
  return {Purpose::dropout, client, round, static_cast<std::uint16_t>(pass)};
}

inline StreamKey neighbours(AgentId client, RoundIndex round, std::uint32_t pass) {
  return {Purpose::neighbours, client, round, static_cast<std::uint16_t>(pass)};
}

// Updates on their way.
/// How a client's update is rounded at random.
inline StreamKey encoding(std::uint16_t owner, AgentId client, RoundIndex round) {
  return {Purpose::encoding, client, round, owner};
}
/// Of the seed that such a draw has named.
inline StreamKey places() { return detail::numbered(Purpose::encoding, detail::none, 0, 0xFFFF); }
/// Where a client's thin matrices begin. There is no round 0.
inline StreamKey thin_matrices(AgentId client) { return {Purpose::encoding, client, {}, 0}; }
inline StreamKey secure_groups(std::uint16_t owner, RoundIndex round) {
  return {Purpose::secure_sum, nobody, round, owner};
}
/// How a client's values are rounded to whole units.
inline StreamKey secure_rounding(std::uint16_t owner, AgentId client, RoundIndex round) {
  return {Purpose::secure_sum, client, round, owner};
}

// Rules.
/// Who runs an owner's rule: the server, attackers and valuations on copies.
inline StreamKey rule(std::uint16_t owner, RoundIndex round) { return {Purpose::aggregation, nobody, round, owner}; }
inline StreamKey rule_tried_by_attackers(std::uint16_t owner, RoundIndex round) {
  return {Purpose::update_attack, nobody, round, owner};
}
inline StreamKey rule_tried_by_valuation(std::uint16_t owner, RoundIndex round) {
  return {Purpose::valuation, nobody, round, owner};
}
/// Of a seed that the rule has drawn.
inline StreamKey rule_noise(std::size_t panel, RoundIndex round) {
  return {Purpose::aggregation, nobody, round, static_cast<std::uint16_t>(panel)};
}
inline StreamKey noise_inputs(std::size_t part, RoundIndex round, std::uint16_t lane) {
  return detail::numbered(Purpose::aggregation, part, round.value, lane);
}
/// What a client hides its update for an owner under, what the server hides the step under, and the number of short
/// updates. Lanes below 0x4000 are those of rule and noise_inputs.
inline StreamKey noise_of_client(std::size_t owner, AgentId client, RoundIndex round, std::size_t panel) {
  return {Purpose::aggregation, client, round, static_cast<std::uint16_t>(0x4000 + owner * panels + panel)};
}
inline StreamKey noise_of_step(RoundIndex round, std::size_t panel) {
  return {Purpose::aggregation, nobody, round, static_cast<std::uint16_t>(0x4000 + panel)};
}
/// Where the noise of steps is a tree over the rounds: of the block of 2^level rounds that ends with this one.
inline StreamKey noise_of_block(RoundIndex round, std::size_t level, std::size_t panel) {
  return {Purpose::aggregation, nobody, round, static_cast<std::uint16_t>(0x5000 + level * panels + panel)};
}
/// Which samples are in a client's private mini-batches, step after step; and their noise: step s has the values from
/// s times the dimension, rounded up to even, on.
inline StreamKey private_batches(AgentId client, RoundIndex round) {
  return {Purpose::aggregation, client, round, 0x8000};
}
inline StreamKey noise_of_gradients(AgentId client, RoundIndex round) {
  return {Purpose::aggregation, client, round, 0x8001};
}
inline StreamKey noise_of_count(RoundIndex round) { return {Purpose::aggregation, nobody, round, 0x4000 + panels}; }
/// Of seed 0: where an iteration for eigenvectors begins.
inline StreamKey eigenvector_start() { return detail::numbered(Purpose::aggregation, 0, 0); }

// Attacks on data. Triggers are drawn from seed 0: they are the same in every run.
inline StreamKey poisoning(AgentId client, RoundIndex round) { return {Purpose::data_attack, client, round}; }
inline StreamKey poisoned_samples(AgentId client) { return {Purpose::data_attack, client, {}, 1}; }
inline StreamKey flipped_label(std::uint64_t sample) { return detail::numbered(Purpose::data_attack, sample, 0, 2); }
inline StreamKey clean_label_noise(std::uint64_t sample) {
  return detail::numbered(Purpose::data_attack, sample, 0, 3);
}
/// Of round 0: those that stay the same in every round.
inline StreamKey inserted_edges(AgentId client, RoundIndex round) { return {Purpose::data_attack, client, round, 6}; }
inline StreamKey patch_trigger() { return {Purpose::data_attack, nobody, {}, 4}; }
inline StreamKey blended_trigger() { return {Purpose::data_attack, nobody, {}, 5}; }

// Attacks on updates and reports.
/// `draw` < 1,023: an attack's own count of what it draws for an agent in a round.
inline StreamKey update_values(AgentId agent, RoundIndex round, std::size_t draw, std::size_t panel) {
  return {Purpose::update_attack, agent, round, static_cast<std::uint16_t>(draw * panels + panel)};
}
inline StreamKey lie_of_validators(AgentId first_member, RoundIndex round) {
  return {Purpose::update_attack, first_member, round, 0xFFFF};
}
/// Whose gradients stand for classes.
inline StreamKey samples_of_probe(AgentId first_member, RoundIndex round) {
  return {Purpose::update_attack, first_member, round, 0xFFFE};
}
/// Where fits of a round begin.
inline StreamKey starts_of_fit(RoundIndex round) { return {Purpose::update_attack, nobody, round, 0xFFFD}; }
inline StreamKey bandit(AgentId identity, RoundIndex round) { return {Purpose::sybil, identity, round}; }

// Forgetting.
/// What a request draws of who or what it names, when it comes for the `occurrence`th time.
inline StreamKey forgotten(std::size_t request, std::uint32_t occurrence) {
  return detail::numbered(Purpose::unlearning, request, occurrence);
}
/// Of what an operator draws for an owner's model in a round.
inline StreamKey unlearning_noise(std::size_t owner, RoundIndex round) {
  return {Purpose::unlearning, nobody, round, static_cast<std::uint16_t>(1 + owner)};
}
/// Pairs of nodes that never were edges, beside edges that are forgotten.
inline StreamKey questioned_pairs(RoundIndex round) { return {Purpose::unlearning, nobody, round, 0x8002}; }
/// Order of root data in a pass of an owner's distillation.
inline StreamKey distillation(std::size_t owner, RoundIndex round, std::uint32_t pass) {
  return {Purpose::unlearning, AgentId{static_cast<std::uint32_t>(owner)}, round,
          static_cast<std::uint16_t>(0x9000 + (pass & 0xFFFU))};
}
/// Random signs by which a step for an owner's model estimates the Hessian's diagonal.
inline StreamKey hessian_signs(std::size_t owner, RoundIndex round, std::uint32_t step) {
  return detail::numbered(Purpose::unlearning, step, round.value, 0xA000 + owner);
}
/// Units of a mini-batch of a solver that works for an owner's model.
inline StreamKey solver_batch(std::size_t owner, RoundIndex round, std::size_t step) {
  return detail::numbered(Purpose::unlearning, step, round.value, 0xB000 + owner);
}
/// The linear term of what clients minimise: that of the first training, of the second, and so on.
inline StreamKey objective_noise(std::uint32_t training) {
  return detail::numbered(Purpose::unlearning, training, 0, 0x8003);
}
/// Seeds of retrainings with other seeds.
inline StreamKey seed_of_reference(std::uint32_t which) {
  return detail::numbered(Purpose::unlearning, which, 0, 0x8001);
}
/// Of which samples a scenario says by this entry how they read at first.
inline StreamKey data_at_first(std::size_t entry) { return detail::numbered(Purpose::unlearning, entry, 0, 0x8004); }
/// The wrong class of a training sample.
inline StreamKey another_label(std::size_t sample) { return detail::numbered(Purpose::unlearning, sample, 0, 0x8005); }
/// Order in which clients are dealt to clusters.
inline StreamKey clusters() { return detail::numbered(Purpose::unlearning, 0, 0, 0x8006); }
/// Training units that weights of clusters' answers are learned on, and their order in a pass.
inline StreamKey units_of_weights() { return detail::numbered(Purpose::unlearning, 0, 0, 0x8007); }
inline StreamKey order_of_weights(std::size_t pass) { return detail::numbered(Purpose::unlearning, pass, 0, 0x8008); }
/// Nodes whose answers what is forgotten is to be like.
inline StreamKey other_nodes(RoundIndex round) { return {Purpose::unlearning, nobody, round, 0x8009}; }
/// Of somebody who checks what an owner's model has forgotten: which test units, and the seed of its shadows.
inline StreamKey shadow_verifier(std::size_t owner, RoundIndex round) {
  return {Purpose::unlearning, nobody, round, static_cast<std::uint16_t>(0xC000 + owner)};
}
/// Freshly initialised models, to measure distances by, or to teach what was never learned.
inline StreamKey random_model(std::size_t draw, RoundIndex round) {
  return detail::numbered(Purpose::unlearning, draw, round.value, 0x8000);
}

// Markets.
/// `factor` 0: of costs; 1: of fixed asks.
inline StreamKey seller_factor(std::uint32_t seller, std::uint16_t factor) {
  return {Purpose::seller_cost, AgentId{seller}, {}, factor};
}
inline StreamKey first_sellers() { return {Purpose::participation, nobody, {}}; }
inline StreamKey participation(std::uint32_t seller, RoundIndex round) {
  return {Purpose::participation, AgentId{seller}, round};
}
inline StreamKey preferred_buyers(std::uint32_t seller) { return {Purpose::buyer_choice, AgentId{seller}, {}}; }
inline StreamKey payment_noise(AgentId seller, std::uint16_t buyer, RoundIndex round) {
  return {Purpose::payment_noise, seller, round, buyer};
}
/// Lanes below 0x8000 are those of rule_tried_by_valuation.
inline StreamKey valuation(std::size_t owner, RoundIndex round) {
  return {Purpose::valuation, nobody, round, static_cast<std::uint16_t>(0x8000 + owner)};
}
/// Of a seed that the valuation has drawn.
inline StreamKey volume_direction(std::size_t panel, RoundIndex round, std::size_t which) {
  return detail::numbered(Purpose::valuation, panel, round.value, which);
}
inline StreamKey forged_baseline(std::size_t buyer, RoundIndex round) {
  return {Purpose::misconduct, nobody, round, static_cast<std::uint16_t>(buyer)};
}
inline StreamKey denials(std::size_t buyer, RoundIndex round) {
  return {Purpose::misconduct, nobody, round, static_cast<std::uint16_t>(0x8000 + buyer)};
}
inline StreamKey turned_sales(std::size_t buyer, RoundIndex round) {
  return {Purpose::misconduct, nobody, round, static_cast<std::uint16_t>(0x4000 + buyer)};
}
/// Of round 0, in which nobody forges anything.
inline StreamKey wandering_classes() { return {Purpose::misconduct, nobody, {}, 1}; }
/// Of a seed that the buyer's attack has drawn.
inline StreamKey baseline_noise(std::size_t panel, RoundIndex round) {
  return detail::numbered(Purpose::misconduct, panel, round.value);
}
inline StreamKey audit(std::size_t buyer, RoundIndex round) {
  return {Purpose::audit, nobody, round, static_cast<std::uint16_t>(buyer)};
}

// Served graphs and those who want their edges. `attack` counts the attacks of a service.
inline StreamKey asked_pairs(std::size_t attack) { return detail::numbered(Purpose::inference_attack, attack, 0, 0); }
/// Of the seed that an attack's draws of a round are of.
inline StreamKey edge_attack(std::size_t attack, RoundIndex round) {
  return detail::numbered(Purpose::inference_attack, attack, round.value, 1);
}
inline StreamKey edge_intervals(std::size_t attack) {
  return detail::numbered(Purpose::inference_attack, attack, 0, 2);
}
inline StreamKey acceptance(std::uint32_t node) { return detail::numbered(Purpose::inference_attack, node, 0, 3); }
/// Of a seed that edge_attack has drawn, as those that follow. `candidate` none: before any.
inline StreamKey answer_noise(std::uint32_t target, std::uint32_t candidate) {
  return detail::numbered(Purpose::inference_attack, target, candidate, 4);
}
inline StreamKey attacker_knowledge(std::uint64_t what) {
  return detail::numbered(Purpose::inference_attack, what, 0, 5);
}
inline StreamKey attacker_training(std::uint64_t pass) {
  return detail::numbered(Purpose::inference_attack, pass, 0, 6);
}
/// Of an attacker's shadow graph. `what`: 0: its network's first weights; 1: noise on what that answers.
inline StreamKey shadow(std::uint64_t what) { return detail::numbered(Purpose::inference_attack, what, 0, 7); }
/// Of the seed that a pair's own history is of.
inline StreamKey history(std::uint32_t target, std::uint32_t candidate) {
  return detail::numbered(Purpose::evolution, target, candidate, 0);
}
/// Of a history's seed, as those that follow.
inline StreamKey drift(std::uint32_t node, std::uint32_t tick) {
  return detail::numbered(Purpose::evolution, node, tick, 1);
}
inline StreamKey arrivals(std::uint32_t tick) { return detail::numbered(Purpose::evolution, detail::none, tick, 2); }
inline StreamKey departures(std::uint32_t tick) { return detail::numbered(Purpose::evolution, detail::none, tick, 3); }
inline StreamKey growth(std::uint32_t centre, std::uint32_t tick) {
  return detail::numbered(Purpose::evolution, centre, tick, 4);
}

// Attacks on what updates give away. `attack` counts those of the section; each round has victims of its own.
inline StreamKey auxiliary_data() { return {Purpose::evaluation, nobody, {}, 1}; }
inline StreamKey victims(RoundIndex round) {
  return detail::numbered(Purpose::inference_attack, detail::none, round.value, 8);
}
/// Of other samples of its class, which a reconstruction is compared with.
inline StreamKey lookalikes(std::uint32_t sample) { return detail::numbered(Purpose::inference_attack, sample, 0, 9); }
/// Of the seed that an attack's draws in a round are of.
inline StreamKey inference(std::size_t attack, RoundIndex round) {
  return detail::numbered(Purpose::inference_attack, attack, round.value, 10);
}
/// Of such a seed, as the next: where attempts begin.
inline StreamKey attempt(AgentId victim, std::uint32_t which) {
  return detail::numbered(Purpose::inference_attack, victim.value, which, 11);
}
/// The order of mini-batches that an attempt takes for the one that was used.
inline StreamKey guessed_order(AgentId member, std::uint32_t which, std::uint32_t pass) {
  return detail::numbered(Purpose::inference_attack, member.value, which, 0x4000 + (pass & 0x3FFFU));
}
/// Of a seed: a malicious server's first layer.
inline StreamKey crafted_layer() { return detail::numbered(Purpose::inference_attack, detail::none, 0, 12); }
/// Which samples of a victim are asked about, beside which others, in which order.
inline StreamKey asked_samples(AgentId victim, RoundIndex round) {
  return detail::numbered(Purpose::inference_attack, victim.value, round.value, 13);
}
/// Of a seed: which victims are drawn for intervals.
inline StreamKey membership_intervals() { return detail::numbered(Purpose::inference_attack, detail::none, 0, 14); }
/// Of a seed, as those that follow: which of an attacker's shadows have a sample, by its place among all that they are
/// trained on.
inline StreamKey shadows_of_sample(std::uint64_t place) {
  return detail::numbered(Purpose::inference_attack, place, 0, 15);
}
inline StreamKey first_shadow_weights(std::uint64_t shadow) {
  return detail::numbered(Purpose::inference_attack, shadow, 0, 16);
}
inline StreamKey shadow_batches(std::uint64_t shadow) {
  return detail::numbered(Purpose::inference_attack, shadow, 0, 17);
}
/// Which clients' samples have a property; and of a client, which of its samples.
inline StreamKey clients_with_property() { return detail::numbered(Purpose::inference_attack, detail::none, 0, 18); }
inline StreamKey samples_with_property(AgentId client) {
  return detail::numbered(Purpose::inference_attack, client.value, 0, 18);
}
/// Of a seed: an attacker's imitation of an update; whose it is and the update's number among those it is a mean of.
inline StreamKey imitated_update(std::uint64_t which, std::uint64_t member) {
  return detail::numbered(Purpose::inference_attack, which, member, 19);
}
/// Which client of a round a malicious server isolates.
inline StreamKey isolated_client(RoundIndex round) {
  return detail::numbered(Purpose::inference_attack, detail::none, round.value, 20);
}

/// Of analyses.
inline StreamKey bootstrap() { return detail::numbered(Purpose::bootstrap, 0, 0); }

}  // namespace souk::streams
