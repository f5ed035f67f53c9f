#include "agents/serving/edge_campaign.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "agents/cast/metric_name.hpp"
#include "agents/market/ledger.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/graphs/graph_network.hpp"

namespace souk {
namespace {

constexpr std::size_t usage_size = request_kinds + 2;

void pack_usage(const Usage& usage, std::vector<double>& out) {
  for (const std::uint64_t count : usage.asked.of) out.push_back(static_cast<double>(count));
  out.push_back(static_cast<double>(usage.refused));
  out.push_back(static_cast<double>(usage.ticks));
}

Usage unpack_usage(std::span<const double>& values) {
  Usage usage;
  for (std::size_t k = 0; k < request_kinds; ++k) usage.asked.of[k] = static_cast<std::uint64_t>(values[k]);
  usage.refused = static_cast<std::uint64_t>(values[request_kinds]);
  usage.ticks = static_cast<std::uint64_t>(values[request_kinds + 1]);
  values = values.subspan(usage_size);
  return usage;
}

void add(const Usage& more, Usage& to) {
  to.asked += more.asked;
  to.refused += more.refused;
  to.ticks += more.ticks;
}

std::string path_of(std::size_t index) { return fmt::format("service.attacks[{}]", index); }

/// Of a round's own draws; of round 0, what an attacker knows from the beginning.
std::uint64_t drawn_seed(std::uint64_t seed, std::size_t attack, RoundIndex round) {
  return Stream(seed, streams::edge_attack(attack, round)).next_seed();
}

/// Runs `work`; what it says gets the place of the attack in the scenario.
template <class Work>
auto with_path(std::size_t index, Work work) {
  try {
    return work();
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", path_of(index), error.what()));
  }
}

std::string name_of(const scenario::EdgeInference& config, std::size_t index) {
  std::string name = config.name();
  if (name.empty()) name = plugin_name(chosen(config, "attack")->GetDescriptor());
  SOUK_REQUIRE(is_metric_name(name),
               "{}.name = \"{}\": takes lower-case letters, digits and underscores, 64 of them at most", path_of(index),
               name);
  return name;
}

std::size_t principal_of(const scenario::EdgeInference& config, std::size_t index,
                         const std::vector<PrincipalAccount>& principals) {
  if (config.principal().empty()) return 0;
  for (std::size_t p = 0; p < principals.size(); ++p) {
    if (principals[p].terms.name == config.principal()) return p;
  }
  throw_input_error("{}.principal = \"{}\": no principal of the service is called so", path_of(index),
                    config.principal());
}

void check_rights(const EdgeAttack& attack, const scenario::EdgeInference& config, std::size_t index,
                  const PrincipalTerms& terms) {
  for (std::size_t r = 0; r < right_kinds; ++r) {
    const auto right = static_cast<Right>(r);
    SOUK_REQUIRE(!attack.needs().has(right) || terms.rights.has(right),
                 "{}.{}: needs the right {}, which principal \"{}\" does not have: add it to its rights",
                 path_of(index), plugin_name(chosen(config, "attack")->GetDescriptor()), to_string(right), terms.name);
  }
}

}  // namespace

bool PrincipalAccount::affords(const RequestCounts& more) const {
  for (const RequestKind kind : all_request_kinds) {
    if (terms.budget[kind] > 0 && asked[kind] + more[kind] > terms.budget[kind]) return false;
  }
  return true;
}

EdgeCampaign::EdgeCampaign(const scenario::EdgeInference& config, std::size_t index, const Graph& graph,
                           const GraphNetwork& network, const scenario::Scenario& scenario,
                           std::vector<PrincipalAccount>& principals)
    : attack_(make_edge_attack(config)),
      counting_{.name = name_of(config, index),
                .one_direction = attack_->one_direction(),
                .times_true = {},
                .number = {},
                .resamples = config.resamples(),
                .seed = scenario.seed(),
                .attack = index},
      graph_(graph),
      principals_(principals),
      knowledge_seed_(drawn_seed(scenario.seed(), index, {})),
      market_(scenario.has_market()),
      principal_(principal_of(config, index, principals)),
      asked_(with_path(index, [&] { return asked_pairs(config, graph, scenario.seed(), index); })) {
  hops_ = network.hops();
  in_double_ = scenario.service().precision() == scenario::Service::DOUBLE;
  principals_[principal_].works = true;
  check_rights(*attack_, config, index, principals_[principal_].terms);
  with_path(index, [&] { attack_->check({graph, network, asked_.questions, scenario.task(), knowledge_seed_}); });
  if (config.has_number()) {
    counting_.number = config.number();
  } else if (!config.has_estimated()) {
    counting_.times_true = config.times_true();
  }
  for (const EdgeQuestion& question : asked_.questions) {
    scores_.emplace_back(question.candidates.size(), no_score);
  }
}

void EdgeCampaign::set_up(SetUpRecord& record) const {
  if (asked_.left_out > 0) {
    record.events.push_back(
        {"targets left out", -1,
         fmt::format("{}: of {} targets no neighbour, or nothing but neighbours, could be asked about", name(),
                     asked_.left_out)});
  }
  if (const std::string what = attack_->without_effect(in_double_); !what.empty()) {
    record.events.push_back({"idle attack", -1, fmt::format("{}: {}", name(), what)});
  }
  if (hops_ < attack_->hops_apart()) {
    record.events.push_back({"idle attack", -1,
                             fmt::format("{}: what it changes lies {} hops from what it watches, and the network sees "
                                         "{}: every pair gets the same score",
                                         name(), attack_->hops_apart(), hops_)});
  }
}

Background EdgeCampaign::granted(const Background& background) const {
  const Rights& rights = principals_[principal_].terms.rights;
  Background granted;
  if (rights.has(Right::know_features)) granted.features = background.features;
  if (rights.has(Right::know_edges)) granted.edges = background.edges;
  if (rights.has(Right::know_model)) {
    granted.network = background.network;
    granted.scaling = background.scaling;
    granted.parameters = background.parameters;
    granted.classes = background.classes;
  }
  if (rights.has(Right::know_design)) granted.design = background.design;
  return granted;
}

EdgeCampaign::Answer EdgeCampaign::answer(const Service& service, const EdgeQuestion& question, std::uint64_t seed,
                                          const Background& background) {
  Session session(service, principals_[principal_].terms, seed, question.target);
  Answer answer{.scores = std::vector<double>(question.candidates.size(), no_score), .set_up = {}, .trials = {}};
  attack_->score({session, knowledge_seed_, background}, question, answer.scores);
  answer.set_up = session.set_up();
  answer.trials = session.trials();
  answer.trials.resize(trials_of(question));  // who asks nothing for a candidate tries nothing
  if (const auto guess = attack_->class_of_target()) answer.guess = static_cast<double>(*guess);
  return answer;
}

std::size_t EdgeCampaign::packed_size(const EdgeQuestion& question) const {
  return question.candidates.size() + usage_size * (1 + trials_of(question)) + 1;
}

void EdgeCampaign::pack(const Answer& answer, std::vector<double>& out) const {
  out.insert(out.end(), answer.scores.begin(), answer.scores.end());
  pack_usage(answer.set_up, out);
  for (const Usage& trial : answer.trials) pack_usage(trial, out);
  out.push_back(answer.guess);
}

EdgeCampaign::Answer EdgeCampaign::unpack(const EdgeQuestion& question, std::span<const double>& values) const {
  const std::size_t count = question.candidates.size();
  Answer answer{
      .scores = {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count)}, .set_up = {}, .trials = {}};
  values = values.subspan(count);
  answer.set_up = unpack_usage(values);
  for (std::size_t t = 0; t < trials_of(question); ++t) answer.trials.push_back(unpack_usage(values));
  answer.guess = values.front();
  values = values.subspan(1);
  return answer;
}

bool EdgeCampaign::book(const Usage& usage, Usage& total) {
  PrincipalAccount& principal = principals_[principal_];
  if (!principal.affords(usage.asked)) return false;
  principal.asked += usage.asked;
  add(usage, total);
  return true;
}

void EdgeCampaign::log(std::int64_t target, const Usage& usage, RoundRecord& record) {
  const PrincipalTerms& terms = principals_[principal_].terms;
  for (const RequestKind kind : all_request_kinds) {
    const std::uint64_t count = usage.asked[kind];
    if (count == 0) continue;
    const std::int64_t price = terms.prices[static_cast<std::size_t>(kind)] * static_cast<std::int64_t>(count);
    record.requests.push_back({.principal = terms.name,
                               .attack = name(),
                               .kind = std::string(to_string(kind)),
                               .target = target,
                               .requests = count,
                               .refused = kind == RequestKind::edge ? usage.refused : 0,
                               .ticks = usage.ticks,
                               .micro_credits = price});
    spent_ += price;
    if (price == 0 || !market_) continue;
    record.transfers.push_back({"issue", terms.account, terms.account, price, first_buyer});
    record.transfers.push_back({"query", terms.account, first_buyer, price, first_buyer});
  }
  add(usage, total_);
}

// Once for a model: after a resume it looks again, at the same answers, and pays nothing.
bool EdgeCampaign::prepare(const Service& service, const Background& background, RoundRecord& record) {
  Session session(service, principals_[principal_].terms, knowledge_seed_, asked_.questions.front().target);
  attack_->prepare({session, knowledge_seed_, background}, asked_.questions);
  Usage usage;
  if (paid_for_ == prepared_for_) return true;
  if (!book(session.set_up(), usage)) return false;
  log(-1, usage, record);
  return true;
}

void EdgeCampaign::account(std::size_t number, Answer answer, RoundRecord& record) {
  const EdgeQuestion& question = asked_.questions[number];
  Usage usage;
  if (book(answer.set_up, usage)) {
    for (std::size_t t = 0; t < answer.trials.size(); ++t) {
      const bool granted = book(answer.trials[t], usage);
      if (!granted) ++beyond_budget_;
      if (attack_->target_at_once()) {
        if (granted) scores_[number] = answer.scores;
      } else if (granted) {
        scores_[number][t] = answer.scores[t];
      }
      const bool complete = granted && answer.set_up.refused + answer.trials[t].refused == 0;
      if (!complete) continue;
      const auto own = attack_->target_at_once() ? std::span(answer.scores) : std::span(answer.scores).subspan(t, 1);
      overflown_ += static_cast<std::uint64_t>(std::ranges::count_if(own, [](double x) { return std::isnan(x); }));
    }
    const std::int32_t label = graph_.labels[question.target];
    if (answer.guess >= 0 && label >= 0) {
      ++guesses_;
      if (static_cast<std::int32_t>(answer.guess) == label) ++right_;
    }
  } else {
    beyond_budget_ += answer.trials.size();
  }
  log(question.target, usage, record);
}

void EdgeCampaign::work(const Service& service, const std::string& model, RoundIndex round, std::size_t i,
                        std::size_t n, const Comm& comm, const Background& background, Phases& phases,
                        RoundRecord& record) {
  const Background known = granted(background);
  const std::size_t first = asked_.questions.size() * i / n, last = asked_.questions.size() * (i + 1) / n;
  if (first == last) return;
  const std::uint64_t seed = drawn_seed(counting_.seed, counting_.attack, round);
  std::vector<double> mine;
  bool prepared = true;
  const auto ranks = static_cast<std::size_t>(comm.size());
  const auto rank_of = [&](std::size_t question) { return question % ranks; };
  phases.local("serve", [&] {
    if (prepared_for_ != model) {
      prepared_for_ = model;
      prepared = prepare(service, known, record);
    }
    for (std::size_t q = first; prepared && q < last; ++q) {
      if (rank_of(q) != static_cast<std::size_t>(comm.rank())) continue;
      pack(answer(service, asked_.questions[q], seed, known), mine);
      heartbeat::beat();
    }
  });
  if (!prepared) {
    prepared_for_.clear();
    for (std::size_t q = first; q < last; ++q) beyond_budget_ += trials_of(asked_.questions[q]);
    return;
  }
  paid_for_ = model;
  std::vector<std::size_t> counts(ranks);
  for (std::size_t q = first; q < last; ++q) counts[rank_of(q)] += packed_size(asked_.questions[q]);
  std::vector<double> all;
  phases.collective("gather answers", [&] {
    std::size_t size = 0;
    for (const std::size_t count : counts) size += count;
    all.resize(size);
    comm.all_gather_into(std::span<const double>(mine), counts, std::span(all));
  });
  std::vector<std::span<const double>> parts;
  for (std::size_t r = 0, begin = 0; r < ranks; begin += counts[r++]) {
    parts.push_back(std::span<const double>(all).subspan(begin, counts[r]));
  }
  for (std::size_t q = first; q < last; ++q) account(q, unpack(asked_.questions[q], parts[rank_of(q)]), record);
}

void EdgeCampaign::finish(RoundRecord& record) const {
  const std::vector<ScoredPair> pairs = scored_pairs(asked_, scores_, graph_, counting_.one_direction);
  record_edge_metrics(counting_, asked_, pairs, record);
  const std::string prefix = "edges." + name() + ".";
  record.add(prefix + "reads", static_cast<double>(total_.asked[RequestKind::read]));
  record.add(prefix + "writes", static_cast<double>(total_.asked[RequestKind::write]));
  record.add(prefix + "registrations", static_cast<double>(total_.asked[RequestKind::registration]));
  record.add(prefix + "edges_asked", static_cast<double>(total_.asked[RequestKind::edge]));
  record.add(prefix + "refused", static_cast<double>(total_.refused));
  record.add(prefix + "beyond_budget", static_cast<double>(beyond_budget_));
  record.add(prefix + "ticks", static_cast<double>(total_.ticks));
  record.add(prefix + "spent", to_credits(spent_));
  if (guesses_ > 0) {
    record.add(prefix + "label_accuracy", static_cast<double>(right_) / static_cast<double>(guesses_));
  }
  for (const ScoredPair& pair : pairs) {
    record.pairs.push_back({.attack = name(),
                            .target = pair.target,
                            .candidate = pair.candidate,
                            .score = std::isnan(pair.score) ? std::nullopt : std::optional(pair.score),
                            .edge = pair.edge,
                            .same_class = pair.same_class});
  }
  if (overflown_ > 0) {
    record.events.push_back(
        {"scores overflow", -1,
         fmt::format("{}: the answers about {} pairs are too large to be compared", name(), overflown_)});
  }
  if (beyond_budget_ > 0) {
    record.events.push_back({"budget spent", -1,
                             fmt::format("{}: principal \"{}\" was refused {} pieces of work beyond its budget", name(),
                                         principals_[principal_].terms.name, beyond_budget_)});
  }
}

void EdgeCampaign::serialize(Archive& archive) {
  std::vector<double> flat;
  for (const std::vector<double>& scores : scores_) flat.insert(flat.end(), scores.begin(), scores.end());
  archive.field("scores", flat);
  std::vector<std::int64_t> counts;
  for (const std::uint64_t count : total_.asked.of) counts.push_back(static_cast<std::int64_t>(count));
  archive.field("paid for", paid_for_);
  for (const std::uint64_t count : {total_.refused, total_.ticks, beyond_budget_, overflown_}) {
    counts.push_back(static_cast<std::int64_t>(count));
  }
  for (const std::int64_t count : {guesses_, right_, spent_}) counts.push_back(count);
  archive.field("counts", counts);
  if (!archive.loading()) return;
  std::size_t pairs = 0;
  for (const std::vector<double>& scores : scores_) pairs += scores.size();
  SOUK_REQUIRE(flat.size() == pairs && counts.size() == request_kinds + 7,
               "saved state: the attack \"{}\" asks about other pairs", name());
  auto from = flat.begin();
  for (std::vector<double>& scores : scores_) {
    std::copy_n(from, scores.size(), scores.begin());
    from += static_cast<std::ptrdiff_t>(scores.size());
  }
  for (std::size_t k = 0; k < request_kinds; ++k) total_.asked.of[k] = static_cast<std::uint64_t>(counts[k]);
  total_.refused = static_cast<std::uint64_t>(counts[request_kinds]);
  total_.ticks = static_cast<std::uint64_t>(counts[request_kinds + 1]);
  beyond_budget_ = static_cast<std::uint64_t>(counts[request_kinds + 2]);
  overflown_ = static_cast<std::uint64_t>(counts[request_kinds + 3]);
  guesses_ = counts[request_kinds + 4];
  right_ = counts[request_kinds + 5];
  spent_ = counts[request_kinds + 6];
}

double EdgeCampaign::bytes(double nodes) const {
  double pairs = 0.0;
  for (const EdgeQuestion& question : asked_.questions) pairs += static_cast<double>(question.candidates.size());
  // Scores and candidates, and once more while the last round's are counted.
  return pairs * (sizeof(double) + sizeof(NodeIndex) + sizeof(ScoredPair) + sizeof(PairRow) + 24.0) +
         attack_->bytes(nodes, pairs);
}

}  // namespace souk
