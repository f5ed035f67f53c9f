// Random scenarios drawn from the schema's own ranges: each must run, with the same bits on one rank and on three, or
// end with an InputError.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "agents/simulation.hpp"
#include "scenarios/options.pb.h"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/base/hash.hpp"
#include "sim/base/random.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk::fuzz_test {
namespace {

namespace pb = google::protobuf;

/// Ceilings that keep a random scenario small, by field name; everything else may take its whole range, up to 10.
const std::map<std::string, double> ceilings{
    {"rounds", 3},          {"clients", 12},       {"per_round", 8},
    {"train_samples", 300}, {"test_samples", 60},  {"local_epochs", 2},
    {"local_steps", 4},     {"batch_size", 64},    {"hidden", 20},
    {"min_samples", 5},     {"train_limit", 200},  {"test_limit", 40},
    {"groups", 4},          {"count", 4},          {"learning_rate", 0.5},
    {"over_selection", 3},  {"rotation", 3},       {"proximal_mu", 1},
    {"crop_padding", 4},    {"patience", 3},       {"overlapping_samples", 30},
    {"per_client", 3},      {"classes", 4},        {"source", 9},
    {"target", 9},          {"scale", 5},          {"samples", 30},
    {"arrivals", 0.2},      {"local_growth", 0.5}, {"validation_fraction", 0.3}};

class RandomScenario {
 public:
  explicit RandomScenario(std::uint32_t seed) : random_(seed, StreamKey{Purpose::selection, nobody, {}}) {
    fill(scenario_);
    auto& data = *scenario_.mutable_task()->mutable_data();
    // Always built in and small, whatever was drawn; of numbers to predict, or a graph, now and then.
    if (data.has_waves() || coin(0.15)) {
      make_small(*data.mutable_waves());
    } else if (data.has_communities() || coin(0.15)) {
      make_small(*data.mutable_communities()->mutable_custom());
    } else {
      if (!data.has_glyphs()) data.clear_source();
      make_small(*data.mutable_glyphs());
    }
    tidy(*scenario_.mutable_task());
    if (!scenario_.has_rounds()) scenario_.set_rounds(2);
    if (!scenario_.participants().has_clients()) scenario_.mutable_participants()->set_clients(9);
    tidy(*scenario_.mutable_root());
    for (scenario::Attack& group : *scenario_.mutable_attacks()) tidy(group);
    for (scenario::PreAggregator& pre : *scenario_.mutable_aggregator()->mutable_pre()) {
      if (pre.method_case() == scenario::PreAggregator::METHOD_NOT_SET) pre.mutable_clipping();
    }
    if (scenario_.has_market()) tidy(*scenario_.mutable_market());
    if (scenario_.has_market()) tidy_outcome_noise(*scenario_.mutable_market());
    tidy(*scenario_.mutable_task()->mutable_training());
    if (scenario_.has_clusters()) tidy_clusters();
    if (!graph()) scenario_.clear_service();
    if (scenario_.has_service()) tidy(*scenario_.mutable_service());
    if (!coin(0.2)) scenario_.clear_unlearning();  // every model is trained again, and once more for the reference
    if (scenario_.has_unlearning()) tidy(*scenario_.mutable_unlearning());
    if (scenario_.participants().has_poisson() || scenario_.participants().has_rotation()) {
      scenario_.mutable_participants()->mutable_availability()->clear_over_selection();
      scenario_.mutable_participants()->clear_weighting();
    }
    if (scenario_.has_unlearning() || graph() || !coin(0.3)) scenario_.clear_privacy();
    if (scenario_.has_market()) tidy_noise(*scenario_.mutable_market());
    if (scenario_.has_market()) tidy_pay(*scenario_.mutable_market());
    if (scenario_.has_privacy()) tidy(*scenario_.mutable_privacy());
    if (!coin(0.3)) scenario_.clear_communication();
    if (scenario_.has_communication()) tidy(*scenario_.mutable_communication());
    if (graph() || !classes() || scenario_.task().data().has_topics() || !coin(0.3)) scenario_.clear_inference();
    if (scenario_.has_inference()) tidy(*scenario_.mutable_inference());
    scenario_.clear_name();
    scenario_.clear_output();
  }
  std::string text() const { return to_text(scenario_); }

 private:
  bool coin(double probability) { return random_.uniform() < probability; }

  bool classes() const { return !scenario_.task().data().has_waves(); }
  bool graph() const { return scenario_.task().data().has_communities(); }

  template <class Generated>
  static void make_small(Generated& data) {
    data.set_train_samples(data.has_train_samples() ? std::max(150U, data.train_samples()) : 150U);
    if (!data.has_test_samples()) data.set_test_samples(30);
  }

  static void make_small(scenario::CommunitySize& size) {
    size.set_nodes(200);
    size.set_edges(500);
    size.set_classes(3);
    size.set_features(30);
  }

  /// Of samples that are there, and have what is changed.
  void tidy(scenario::DataChange& change) {
    change.mutable_of()->Clear();
    change.mutable_of()->set_share(0.3);
    if (classes()) {
      change.mutable_another_label();
    } else if (!graph()) {
      change.mutable_weight()->Clear();
    }
  }

  /// Few, in a scenario that has one model of everything else.
  void tidy_clusters() {
    const bool alone = !scenario_.has_market() && !scenario_.has_privacy() && !scenario_.has_inference() &&
                       !scenario_.has_communication() && !graph();
    if (!alone || !coin(0.3)) return scenario_.clear_clusters();
    scenario_.mutable_clusters()->set_count(2);
    if (!classes()) scenario_.mutable_clusters()->mutable_mean_answer();
    if (scenario_.clusters().has_learned_weights()) scenario_.mutable_clusters()->mutable_learned_weights()->Clear();
  }

  /// Network, scaling and partition of nodes where there is a graph, and of rows where there is none.
  void tidy_samples(scenario::Task& task) {
    scenario::Model& model = *task.mutable_model();
    scenario::Data& data = *task.mutable_data();
    const bool of_both = model.has_mlp() || model.has_logreg();
    const bool of_nodes = model.has_gcn() || model.has_sage() || model.has_gat() || model.has_gin() || model.has_sgc();
    if (graph()) {
      if (!of_nodes && !of_both) model.mutable_gcn();
      if (data.scaling() == scenario::Data::UNIT) data.clear_scaling();
      task.mutable_training()->clear_augmentation();
      if (task.objective().has_channel_correlation()) task.mutable_objective()->clear_loss();
      return;
    }
    if (of_nodes || model.has_torchscript()) model.clear_network();  // which needs a file
    if (data.scaling() == scenario::Data::ROWS) data.clear_scaling();
    const scenario::Partition& partition = scenario_.partition();
    if (partition.has_louvain() || partition.has_blpa() || partition.has_bekm()) {
      scenario_.mutable_partition()->mutable_iid();
    }
  }

  /// Model, loss and targets of the kind that the data are of.
  void tidy(scenario::Task& task) {
    tidy_samples(task);
    scenario::Objective& objective = *task.mutable_objective();
    const bool of_numbers = objective.has_squared_error() || objective.has_absolute_error() || objective.has_huber();
    if (of_numbers == classes()) objective.clear_loss();
    if (classes() && task.model().has_linear()) task.mutable_model()->mutable_logreg();
    if (!classes() && task.model().has_logreg()) task.mutable_model()->mutable_linear();
    if (classes()) {
      scenario_.mutable_evaluation()->clear_target_r2();
      if (scenario_.has_market()) scenario_.mutable_market()->clear_target_r2();
    } else {
      scenario_.mutable_evaluation()->clear_target_accuracy();
      if (scenario_.has_market()) scenario_.mutable_market()->clear_target_accuracy();
      const scenario::Partition& partition = scenario_.partition();
      if (!partition.has_iid() && !partition.has_quantity()) scenario_.mutable_partition()->mutable_iid();
    }
  }

  /// Few samples, and of the biases one alone.
  void tidy(scenario::Root& root) {
    root.clear_fraction();
    if (!classes()) {
      root.clear_bias();
      root.clear_dirichlet_alpha();
      root.clear_half_classes();
    }
    if (!root.has_samples()) root.set_samples(20);
    if (root.bias() > 0.0) root.clear_dirichlet_alpha();
    if (root.bias() > 0.0 || root.dirichlet_alpha() > 0.0) root.clear_half_classes();
    const bool private_alone = scenario_.aggregator().has_fltrust() && !graph() && !scenario_.has_unlearning();
    if (!private_alone && !coin(0.1)) root.clear_update();  // most rules train no root update
  }

  /// Noise on sales where nothing else tells of them.
  void tidy_outcome_noise(scenario::Market& market) {
    if (!market.has_randomized_response() || coin(0.1)) return;
    market.mutable_unit_price();
    market.clear_audit();
    scenario_.mutable_server()->set_publishes(scenario::Server::NOTHING);
  }

  /// Noise for sale where updates are shortened, and prices of epsilon where there is one.
  /// Royalties are of answers; in arrears nobody learns what a round has paid.
  void tidy_pay(scenario::Market& market) {
    if (!scenario_.has_service()) market.clear_royalties();
    market.set_arrears(1 + market.arrears() % 3);
    const bool goes_by_rounds = market.sellers().has_rational() || market.sellers().has_adaptive_ask() ||
                                market.sale() == scenario::Market::EXCLUSIVE || market.has_deposit_penalty() ||
                                market.has_sparsified_model();
    const bool by_sales = std::ranges::any_of(scenario_.attacks(), [](const scenario::Attack& attack) {
      return attack.baseline_probe().channel() == scenario::BaselineProbe::SALES;
    });
    if (goes_by_rounds || by_sales) market.clear_arrears();
  }

  void tidy_noise(scenario::Market& market) {
    market.clear_grades();
    if (!scenario_.has_privacy()) {
      market.mutable_costs()->clear_per_epsilon();
      market.mutable_sellers()->clear_most_epsilon();
    }
    market.mutable_costs()->clear_without_noise();
    if (!scenario_.has_privacy()) return;
    scenario_.mutable_privacy()->clear_noise_multiplier();
    scenario_.mutable_privacy()->clear_correlation();
    scenario_.mutable_privacy()->mutable_fixed();
    const bool auction = market.has_vcg() || market.has_budget_feasible() || market.has_sparsified_model();
    if (auction || coin(0.3)) return scenario_.mutable_privacy()->set_local_noise(1.0);
    scenario_.mutable_privacy()->clear_local_noise();
    market.add_grades()->set_price(coin(0.5) ? 1.0 : 0.9);
    market.add_grades()->set_noise(0.5);
    market.mutable_grades(1)->set_price(0.5);
    market.mutable_costs()->set_without_noise(coin(0.5) ? 1.0 : 0.0);
  }

  /// Those who go by what is told, of those who are told something.
  void tidy_probe(scenario::Attack& group) {
    if (!group.has_baseline_probe() || coin(0.1)) return;
    group.clear_knowledge();
    scenario_.mutable_root()->set_always(true);
    if (!classes()) group.mutable_sign_flip();
    if (scenario_.has_market() || !classes()) return;
    group.mutable_baseline_probe()->set_channel(scenario::BaselineProbe::SHARES);
    scenario_.mutable_server()->set_publishes(scenario::Server::WEIGHTS);
  }

  void tidy(scenario::Attack& group) {
    const bool of_numbers = group.has_target_shift() || group.has_target_flip();
    if (group.data_case() != scenario::Attack::DATA_NOT_SET && of_numbers == classes()) {
      if (classes()) {
        group.mutable_label_flip();
      } else {
        group.mutable_target_shift();
      }
    }
    if (graph() && group.data_case() != scenario::Attack::DATA_NOT_SET) group.mutable_label_flip();
    const scenario::Model& model = scenario_.task().model();
    const bool reads_edges = graph() && !model.has_mlp() && !model.has_logreg();
    if (!reads_edges && !coin(0.1)) group.clear_structure();
    if (group.has_gradient_edges() && !model.has_gcn() && !model.has_sgc()) group.mutable_random_edges();
    // Most rules ask no validators, and lies that nobody hears are refused.
    if (!scenario_.aggregator().has_flshield() && !coin(0.1)) group.clear_validation();
    if (!coin(0.1)) group.clear_at_rounds();         // drawn ones are rarely rounds of the run
    if (group.has_members()) group.clear_members();  // drawn numbers are rarely those of clients
    if (group.every() > 1) group.clear_off();
    if (group.to_round() < group.from_round()) group.clear_to_round();
    tidy_probe(group);
  }

  /// What only nodes have, and of that what fits the network.
  void tidy(scenario::Training& training) {
    if (!graph() || training.has_local_steps() || training.algorithm() == scenario::Training::FED_SGD) {
      training.clear_early_stopping();
    }
    if (!graph() || !coin(0.1)) training.clear_layer_weight_decay();  // drawn ones are rarely as many as layers
    if (!graph() || !coin(0.1)) training.clear_sampled_neighbours();
    if (!coin(0.1)) training.clear_objective_noise();  // most networks have hidden layers
    const bool alone = !graph() && !scenario_.has_market() && !scenario_.has_unlearning();
    if (!alone || scenario_.aggregator().has_flshield() || !coin(0.3)) training.clear_protection();
    if (training.has_sample_privacy()) tidy_private(training);
  }

  /// Steps that can be private, of samples that have gradients of their own.
  void tidy_private(scenario::Training& training) {
    training.set_algorithm(scenario::Training::FED_AVG);
    training.clear_clip_norm();
    training.mutable_sample_privacy()->clear_budget();  // one that is drawn is mostly too small for an update
    if (!coin(0.1)) scenario_.mutable_task()->mutable_objective()->clear_loss();
  }

  /// One noise, and what it needs of the rule and the network.
  void tidy(scenario::Privacy& privacy) {
    if (coin(0.5)) privacy.clear_noise_multiplier();
    if (privacy.noise_multiplier() > 0.0) {
      privacy.clear_local_noise();
      scenario_.mutable_aggregator()->clear_pre();
      scenario_.mutable_aggregator()->mutable_mean()->set_weighting(scenario::Mean::UNIFORM);
    }
    if (privacy.local_noise() == 0.0) privacy.clear_attackers_add_noise();
    if (privacy.local_noise() > 0.0) privacy.mutable_fixed();
    if (privacy.has_adaptive()) privacy.mutable_adaptive()->set_count_noise(10.0);
    const scenario::Participants& cast = scenario_.participants();
    const bool known_rounds = cast.everyone() || cast.has_rotation();
    if (!known_rounds || privacy.noise_multiplier() == 0.0 || privacy.has_adaptive()) privacy.clear_correlation();
    privacy.clear_budget();  // one that is drawn is mostly too small for a round
  }

  /// A codec, or secure sums of what one sum is enough for; in the order that noise needs.
  void tidy(scenario::Communication& communication) {
    const bool alone = !scenario_.has_market() && !scenario_.has_unlearning();
    if (communication.has_secure_aggregation() && alone) {
      scenario::SecureAggregation sums;
      sums.set_greatest(communication.secure_aggregation().greatest());
      sums.set_modulus_bits(64);
      communication.Clear();
      *communication.mutable_secure_aggregation() = sums;
      scenario_.mutable_aggregator()->clear_pre();
      scenario_.mutable_aggregator()->mutable_mean()->set_weighting(scenario::Mean::UNIFORM);
      if (scenario_.has_privacy()) scenario_.mutable_privacy()->mutable_fixed();
      return;
    }
    communication.clear_secure_aggregation();
    if (communication.codec_case() == scenario::Communication::CODEC_NOT_SET) communication.mutable_qsgd();
    if (communication.error_feedback() != scenario::Communication::ON) communication.clear_forget_after();
    const bool noised = scenario_.has_privacy() && scenario_.privacy().local_noise() > 0.0;
    communication.set_order(noised ? scenario::Communication::NOISE_THEN_COMPRESS
                                   : scenario::Communication::COMPRESS_THEN_CLIP);
  }

  /// Few victims and short searches, of clients that train on all that they have, as it is.
  void tidy(scenario::Inference& inference) {
    scenario::Task& task = *scenario_.mutable_task();
    task.mutable_training()->clear_augmentation();
    if (task.training().has_local_steps()) task.mutable_training()->set_local_epochs(1);
    if (!coin(0.1)) task.mutable_objective()->clear_loss();
    if (!coin(0.1)) task.mutable_training()->mutable_sgd()->clear_momentum();
    if (!coin(0.1)) task.mutable_training()->clear_proximal_mu();
    if (!coin(0.1)) task.mutable_training()->clear_clip_norm();
    if (!coin(0.1)) inference.clear_from_round();
    inference.set_victims(2);
    inference.set_auxiliary_per_class(2);
    if (inference.has_property()) tidy(*inference.mutable_property());
    const bool may_have = !scenario_.has_market() && !scenario_.has_unlearning() && scenario_.attacks_size() == 0;
    if (!may_have && !coin(0.1)) inference.clear_property();
    if (inference.attacks_size() == 0) inference.add_attacks();
    for (int a = 0; a < inference.attacks_size(); ++a) tidy(*inference.mutable_attacks(a), a);
  }

  /// One that a client's few samples can have.
  static void tidy(scenario::SampleProperty& property) {
    property.set_clients(0.5);
    property.set_share(1.0);
    property.clear_samples();
    property.mutable_mark()->clear_set();
    property.mutable_mark()->add_set()->set_value(1.0);
  }

  void tidy(scenario::InferenceAttack& attack, int number) {
    attack.set_name(fmt::format("attack_{}", number));
    if (!coin(0.1)) attack.clear_principal();
    if (!coin(0.1)) attack.clear_knows_training();
    const scenario::Model& model = scenario_.task().model();
    const bool reads_first_layer = model.has_mlp() && model.mlp().activation() == scenario::Mlp::RELU;
    if ((attack.has_imprint() || attack.has_affine_inversion()) && !reads_first_layer) attack.mutable_label_counts();
    if (attack.has_imprint() && number > 0) attack.mutable_affine_inversion();
    const bool inverts = model.has_mlp() && model.mlp().activation() == scenario::Mlp::SIGMOID;
    if (attack.has_r_gap() && !inverts) attack.mutable_label_counts();
    if (!model.has_conv_net() || !model.conv_net().batch_norm()) attack.clear_knows_statistics();
    if (attack.has_property() && scenario_.inference().has_property()) attack.mutable_property()->set_updates(2);
    if (attack.has_property() && !scenario_.inference().has_property()) attack.mutable_label_counts();
    if (attack.has_isolated() && !(reads_first_layer && attack.has_affine_inversion())) attack.mutable_sum();
    const bool secure = scenario_.communication().has_secure_aggregation();
    if (secure && !attack.has_isolated() && !coin(0.1)) attack.mutable_published();
    if (!secure && attack.has_isolated()) attack.mutable_sum();
    if (!attack.has_update() && !coin(0.1)) {  // what compares single updates
      if (attack.has_membership()) attack.mutable_membership()->clear_against_others();
      if (attack.has_source()) attack.mutable_label_counts();
    }
    if (attack.has_shadow_membership()) {
      attack.mutable_shadow_membership()->set_shadows(4);
      attack.mutable_shadow_membership()->set_passes(1);
    }
    if (!attack.has_gradient_matching()) {  // nor do others read what only some know
      attack.clear_knows_labels();
      attack.clear_knows_counts();
      attack.clear_knows_order();
      attack.clear_knows_statistics();
      return;
    }
    scenario::GradientMatching& matching = *attack.mutable_gradient_matching();
    matching.set_restarts(2);
    if (attack.knows_statistics()) matching.clear_training();
    matching.mutable_lbfgs()->set_iterations(2);
    if (attack.knows_labels() || attack.knows_counts()) matching.clear_labels();
    if (scenario_.task().data().has_baskets()) matching.clear_total_variation();
  }

  /// Principals who may do anything, mostly, and attacks that find somebody to ask about.
  void tidy(scenario::Service& service) {
    if (!coin(0.1)) service.clear_from_round();
    for (int p = 0; p < service.principals_size(); ++p) {
      scenario::Principal& principal = *service.mutable_principals(p);
      principal.set_name(fmt::format("principal_{}", p));
      if (!coin(0.1)) principal.mutable_outsider();
      if (coin(0.1)) continue;
      principal.clear_rights();
      for (int r = 0; r < scenario::Principal::Right_ARRAYSIZE; ++r) {
        principal.add_rights(static_cast<scenario::Principal::Right>(r));
      }
    }
    for (scenario::AnswerDefence& defence : *service.mutable_answers()->mutable_defences()) {
      if (defence.has_top_values()) defence.mutable_top_values()->set_k(2);
      if (defence.has_clipped()) defence.mutable_clipped()->set_low(-1.0);
      if (defence.has_clipped()) defence.mutable_clipped()->set_high(0.7);
    }
    for (int a = 0; a < service.attacks_size(); ++a) {
      scenario::EdgeInference& attack = *service.mutable_attacks(a);
      attack.set_name(fmt::format("attack_{}", a));
      if (attack.has_targets()) attack.mutable_targets()->set_degree_low(1);
      if (attack.has_targets()) attack.mutable_targets()->clear_degree_high();
      if (attack.has_nodes()) attack.mutable_nodes()->clear_degree_low();
      if (attack.has_nodes()) attack.mutable_nodes()->clear_degree_high();
      if (attack.has_link_stealing()) tidy(*attack.mutable_link_stealing());
    }
  }

  /// Requests of what is there, in time, by operators of the usual size.
  void tidy(scenario::Unlearning& unlearning) {
    if (!scenario_.has_market()) unlearning.clear_settlement();
    if (scenario_.has_market()) unlearning.clear_at_first();
    while (unlearning.at_first_size() > 1) unlearning.mutable_at_first()->RemoveLast();
    for (scenario::DataChange& change : *unlearning.mutable_at_first()) tidy(change);
    if (scenario_.rounds() < 2) return scenario_.clear_unlearning();
    while (unlearning.requests_size() > 1) unlearning.mutable_requests()->RemoveLast();
    for (int r = 0; r < unlearning.requests_size(); ++r) {
      scenario::ForgetRequest& request = *unlearning.mutable_requests(r);
      request.set_name(fmt::format("request_{}", r));
      request.set_round(2);
      request.clear_every();
      request.clear_verifiers();
      if (request.has_reference()) request.mutable_reference()->set_other_seeds(0);
      const bool parts = request.has_nodes() || request.has_edges() || request.has_features();
      if (request.has_clients() || (parts && (!graph() || scenario_.has_service()))) {
        request.mutable_clients()->Clear();
        request.mutable_clients()->add_ids(random_.below(2));
      } else if (request.has_samples() || request.what_case() == scenario::ForgetRequest::WHAT_NOT_SET) {
        request.mutable_samples()->Clear();
        request.mutable_samples()->set_share(0.2);
      } else if (request.has_nodes() || request.has_features()) {
        request.mutable_nodes()->Clear();
        request.mutable_nodes()->set_share(0.1);
      } else if (request.has_change() && !scenario_.has_market()) {
        tidy(*request.mutable_change());
        request.mutable_influence_step();
      } else if (request.has_change()) {
        request.mutable_rejected();
      }
      if (scenario_.has_clusters()) request.mutable_retrain_clusters();
      if (!scenario_.has_clusters() && request.has_retrain_clusters()) request.mutable_retrain();
      const bool maps = request.has_megu() || request.has_gnn_delete();
      if (graph() ? request.has_steer_activations() : maps) request.mutable_retrain();
      // Of the usual size: a hundred thousand steps are allowed, and say nothing more here.
      const auto* how = scenario::ForgetRequest::descriptor()->FindOneofByName("operator");
      const auto* operation = request.GetReflection()->GetOneofFieldDescriptor(request, how);
      if (operation != nullptr) request.GetReflection()->MutableMessage(&request, operation)->Clear();
    }
  }

  /// A shadow that is a small graph.
  static void tidy(scenario::LinkStealing& attack) {
    if (attack.known_edges() > 0.0 || attack.has_shadow()) attack.clear_distance();
    if (!attack.has_shadow()) return;
    scenario::Data& data = *attack.mutable_shadow()->mutable_data();
    make_small(*data.mutable_communities()->mutable_custom());
    if (data.scaling() == scenario::Data::UNIT) data.clear_scaling();
  }

  static void tidy(scenario::Misconduct& misconduct) {
    const bool honest = misconduct.method_case() == scenario::Misconduct::METHOD_NOT_SET;
    if (honest) misconduct.clear_from_round();
    if (honest || misconduct.to_round() < misconduct.from_round()) misconduct.clear_to_round();
  }

  /// Enough money to trade, and what its parts need of each other: most markets drawn at random could not work.
  void tidy(scenario::Market& market) {
    market.set_round_budget(15.0);
    if (market.budget() > 0.0) market.set_budget(25.0 + market.budget());
    market.mutable_sellers()->set_capital(10.0);
    tidy(*market.mutable_misconduct());
    if (market.has_contribution_proportional() || market.has_sparsified_model()) {
      if (market.valuation_case() == scenario::Market::VALUATION_NOT_SET) market.mutable_influence();
    }
    // Those of one's own need a file.
    if (market.has_python_payment()) market.clear_payment();
    if (market.has_python_valuation()) market.mutable_influence();
    if (market.has_shapley()) market.mutable_loo();  // up to 4,096 models a round
    if (market.has_gtg_shapley()) market.mutable_gtg_shapley()->set_max_permutations(8);
    if (market.has_tmc_shapley()) market.mutable_tmc_shapley()->set_permutations(4);
    if (market.has_kernel_shap()) market.mutable_kernel_shap()->set_pairs(12);
    const scenario::Server& server = scenario_.server();
    const bool adds_the_step = server.optimizer_case() == scenario::Server::OPTIMIZER_NOT_SET ||
                               (server.has_sgd() && server.sgd().momentum() == 0.0);
    if (!adds_the_step) market.clear_audit();
    for (int r = 0; r < market.rivals_size(); ++r) {
      scenario::Buyer& rival = *market.mutable_rivals(r);
      rival.set_name(fmt::format("rival_{}", r));
      rival.set_round_budget(15.0);
      if (classes()) {
        rival.clear_target_r2();
      } else {
        rival.clear_target_accuracy();
      }
      if (rival.budget() > 0.0) rival.set_budget(25.0 + rival.budget());
      tidy(*rival.mutable_root());
      tidy(*rival.mutable_misconduct());
    }
  }

  void fill(pb::Message& message) {
    const auto* type = message.GetDescriptor();
    for (int o = 0; o < type->oneof_decl_count(); ++o) {
      const auto* group = type->oneof_decl(o);
      if (!coin(0.7)) continue;
      set(message, *group->field(static_cast<int>(random_.below(static_cast<std::uint32_t>(group->field_count())))));
    }
    for (int f = 0; f < type->field_count(); ++f) {
      const auto& field = *type->field(f);
      if (field.containing_oneof() != nullptr || !coin(0.5)) continue;
      set(message, field);
    }
  }

  double number(const pb::FieldDescriptor& field) {
    const scenario::Range& range = field.options().GetExtension(scenario::range);
    const double low = range.has_min() ? range.min() : (range.has_above() ? range.above() + 1e-3 : 0.0);
    double high = range.has_max() ? range.max() : (range.has_below() ? range.below() - 1e-3 : 10.0);
    const auto ceiling = ceilings.find(field.name());
    high = std::min(high, ceiling == ceilings.end() ? 10.0 : ceiling->second);
    return low + random_.uniform() * std::max(0.0, high - low);
  }

  void set(pb::Message& message, const pb::FieldDescriptor& field) {
    const auto* reflection = message.GetReflection();
    const int times = field.is_repeated() ? static_cast<int>(random_.below(3)) : 1;
    for (int t = 0; t < times; ++t) {
      const bool list = field.is_repeated();
      switch (field.cpp_type()) {
        case pb::FieldDescriptor::CPPTYPE_MESSAGE:
          fill(list ? *reflection->AddMessage(&message, &field) : *reflection->MutableMessage(&message, &field));
          break;
        case pb::FieldDescriptor::CPPTYPE_BOOL:
          reflection->SetBool(&message, &field, coin(0.5));
          break;
        case pb::FieldDescriptor::CPPTYPE_ENUM: {
          const auto count = static_cast<std::uint32_t>(field.enum_type()->value_count());
          const auto* value = field.enum_type()->value(static_cast<int>(random_.below(count)));
          list ? reflection->AddEnum(&message, &field, value) : reflection->SetEnum(&message, &field, value);
          break;
        }
        case pb::FieldDescriptor::CPPTYPE_UINT32: {
          const auto value = static_cast<std::uint32_t>(std::lround(number(field)));
          list ? reflection->AddUInt32(&message, &field, value) : reflection->SetUInt32(&message, &field, value);
          break;
        }
        case pb::FieldDescriptor::CPPTYPE_INT32:
          reflection->SetInt32(&message, &field, static_cast<std::int32_t>(std::lround(number(field))));
          break;
        case pb::FieldDescriptor::CPPTYPE_UINT64:
          reflection->SetUInt64(&message, &field, random_.next());
          break;
        case pb::FieldDescriptor::CPPTYPE_DOUBLE:
          list ? reflection->AddDouble(&message, &field, number(field))
               : reflection->SetDouble(&message, &field, number(field));
          break;
        default:
          break;  // strings are paths and names
      }
    }
  }
  Stream random_;
  scenario::Scenario scenario_;
};

/// SHA-256 of the trained parameters, or the error that refused the scenario.
std::string outcome(const std::string& text, int ranks) {
  std::string result;
  try {
    run_team(ranks, [&](const Comm& comm) {
      ResolvedScenario resolved;
      comm.run_phase("resolve",
                     [&] { resolved = resolve_scenario({.file_name = "random", .text = text, .overrides = {}}); });
      const auto protocol = make_simulation(comm, *resolved.scenario, "cpu");
      run_rounds(comm, *protocol, nullptr, nullptr, std::nullopt,
                 {.rounds = resolved.scenario->rounds(), .scenario_text = text});
      if (comm.rank() == 0) result = sha256_hex(protocol->parameters());
    });
  } catch (const PhaseError& error) {
    EXPECT_EQ(error.exit_code(), exit_bad_input) << error.what() << "\n" << text;
    result = error.what();
  }
  return result;
}

TEST(Fuzz, random_scenarios_run_alike_on_one_rank_and_three_or_are_refused) {
#ifdef __SANITIZE_ADDRESS__
  constexpr std::uint32_t seeds = 30;  // ten times slower each
#else
  constexpr std::uint32_t seeds = 120;
#endif
  std::uint32_t ran = 0;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    const std::string text = RandomScenario(seed).text();
    SCOPED_TRACE(text);
    const std::string alone = outcome(text, 1);
    EXPECT_EQ(outcome(text, 3), alone) << seed;
    ran += alone.size() == 64 ? 1U : 0U;
    if (HasFailure()) break;
  }
  EXPECT_GE(ran, seeds / 4);  // enough of what is drawn must be able to run, or this test shows nothing
}

}  // namespace
}  // namespace souk::fuzz_test
