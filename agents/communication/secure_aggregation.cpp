#include "agents/communication/secure_aggregation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/random_words.hpp"

namespace souk {
namespace {

// Bytes of the protocol: two public keys; an encrypted share of two secrets with its name; what a share opened is.
constexpr double keys = 2.0 * 32.0, encrypted_share = 2.0 * 33.0 + 16.0 + 28.0, opened_share = 33.0, name_bytes = 8.0;
constexpr double hash_bytes = 32.0;

/// Rules that one sum of updates is enough for; norm_clipping and weak_dp because clients can do the clipping.
bool works_on_a_sum(const scenario::Aggregator& rule) {
  return rule.pre_size() == 0 && (rule.has_mean() || rule.has_norm_clipping() || rule.has_weak_dp() || rule.has_crfl());
}

bool weighs_by_samples(const scenario::Aggregator& rule) {
  return rule.has_crfl() || (rule.has_mean() && rule.mean().weighting() == scenario::Mean::BY_SAMPLES);
}

std::optional<double> bound_for_clients(const scenario::Aggregator& rule) {
  if (rule.has_norm_clipping()) return rule.norm_clipping().bound();
  if (rule.has_weak_dp()) return rule.weak_dp().bound();
  return std::nullopt;
}

void check_rule(const scenario::Aggregator& rule, std::uint32_t group) {
  const std::string name = plugin_name(chosen(rule, "rule")->GetDescriptor());
  SOUK_REQUIRE(
      group > 0 || works_on_a_sum(rule),
      "communication.secure_aggregation: aggregator.{}{} needs more than the sum of a round's updates; use mean, "
      "norm_clipping, weak_dp or crfl, or sums of groups (secure_aggregation.group)",
      name, rule.pre_size() > 0 ? " behind a pre-aggregator" : "");
  SOUK_REQUIRE(group != 1,
               "communication.secure_aggregation.group = 1: the sum of one update is that update; use 2 or more");
  const RuleNeeds needs = make_aggregator(rule)->needs();
  SOUK_REQUIRE(
      !needs.history && !needs.everyone,
      "communication.secure_aggregation: aggregator.{} remembers every client, and sums of groups do not show one",
      name);
}

void check_sections(const scenario::Scenario& scenario) {
  SOUK_REQUIRE(
      !scenario.has_market(),
      "communication.secure_aggregation: nobody can be paid for an update that nobody sees; leave out the market");
  SOUK_REQUIRE(scenario.unlearning().requests_size() == 0,
               "communication.secure_aggregation: forgetting works on the updates of single clients; leave out "
               "unlearning.requests");
  SOUK_REQUIRE(
      scenario.privacy().noise_multiplier() == 0.0 || scenario.communication().secure_aggregation().group() == 0,
      "communication.secure_aggregation.group: by how much one client moves a mean of groups is not known, so that "
      "privacy.noise_multiplier does not protect it; use one sum");
}

void check_ring(const scenario::SecureAggregation& config, const SecureRing& ring, std::uint64_t clients,
                std::uint64_t samples) {
  const auto bits = config.modulus_bits();
  SOUK_REQUIRE(bits == 16 || bits == 24 || bits == 32 || bits == 64,
               "communication.secure_aggregation.modulus_bits = {}: a number of the ring has 16, 24, 32 or 64", bits);
  SOUK_REQUIRE(
      ring.holds(clients * samples),
      "communication.secure_aggregation.modulus_bits = {}: the sum of {} values of {} bits{} may not fit; use more "
      "bits for the ring or fewer for a value",
      bits, clients, config.bits(),
      samples > 1 ? fmt::format(", each as often as its client has samples, up to {}", samples) : "");
}

/// What the threshold and the partners are for, and groups that never come about.
void check_protocol(const scenario::SecureAggregation& config, std::size_t most) {
  const std::string path = "communication.secure_aggregation";
  SOUK_REQUIRE(
      config.threshold() > 0.5,
      "{}.threshold = {}: with half of the shares a server may have both a client's masks opened, those that it "
      "shares and its own, and read its update; use more than 0.5",
      path, config.threshold());
  SOUK_REQUIRE(most >= 2, "{}: a round brings one update at most, and the sum of one is that update", path);
  SOUK_REQUIRE(config.group() <= most, "{}.group = {}: a round brings {} updates at most", path, config.group(), most);
  const std::size_t size = config.group() == 0 ? most : config.group();
  SOUK_REQUIRE(config.neighbours() < size, "{}.neighbours = {}: in a group of {} a client has {} partners at most",
               path, config.neighbours(), size, size - 1);
}

std::uint64_t most_samples(const Federation& federation) {
  std::size_t most = 1;
  for (std::uint32_t client = 0; client < federation.population().clients(); ++client) {
    most = std::max(most, federation.dealt().deal.of(client).size());
  }
  return most;
}

std::size_t largest_group(const scenario::SecureAggregation& config, const Federation& federation) {
  const std::size_t most = federation.selector().most();
  return config.group() == 0 ? most : std::min<std::size_t>(most, 2 * std::size_t{config.group()} - 1);
}

}  // namespace

std::vector<SecureGroup> secure_groups(std::span<const AgentId> asked, std::span<const AgentId> present,
                                       std::size_t size, Stream& random) {
  std::vector<std::uint32_t> order(asked.size());
  std::iota(order.begin(), order.end(), 0U);
  const std::size_t count = size == 0 ? 1 : std::max<std::size_t>(1, asked.size() / size);
  if (count > 1) random.shuffle(order);
  std::vector<SecureGroup> groups(count);
  std::vector<std::size_t> group_of(asked.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    group_of[order[i]] = i % count;
    ++groups[i % count].asked;
  }
  for (std::size_t k = 0; k < present.size(); ++k) {
    const auto place = std::ranges::lower_bound(asked, present[k]);
    SOUK_EXPECT(place != asked.end() && *place == present[k]);
    groups[group_of[static_cast<std::size_t>(place - asked.begin())]].members.push_back(k);
  }
  return groups;
}

SecureAggregation::SecureAggregation(const World& world)
    : comm_(world.comm),
      federation_(world.federation),
      config_(world.scenario.communication().secure_aggregation()),
      ring_(config_.greatest(), config_.bits(), config_.modulus_bits()),
      seed_(world.scenario.seed()),
      by_samples_(weighs_by_samples(world.scenario.aggregator())),
      client_bound_(config_.group() == 0 ? bound_for_clients(world.scenario.aggregator()) : std::nullopt),
      noised_(world.scenario.privacy().noise_multiplier() > 0.0) {
  check_rule(world.scenario.aggregator(), config_.group());
  check_sections(world.scenario);
  check_protocol(config_, federation_.selector().most());
  check_ring(config_, ring_, largest_group(config_, federation_), by_samples_ ? most_samples(federation_) : 1);
  SOUK_REQUIRE(federation_.parameters() == federation_.task().layout().trainable(),
               "communication.secure_aggregation: the model has running statistics, which travel in the clear; use one "
               "without");
  check_noise(world.scenario);
}

/// Noise of the server is for updates no longer than a bound, which rounding may make longer.
void SecureAggregation::check_noise(const scenario::Scenario& scenario) const {
  if (!noised_) return;
  SOUK_REQUIRE(
      scenario.privacy().has_fixed(),
      "communication.secure_aggregation: the bound of privacy.adaptive may become shorter than what rounding adds "
      "to an update; use fixed");
  SOUK_REQUIRE(
      rounding_length() < scenario.privacy().fixed().bound(),
      "communication.secure_aggregation.greatest = {}: rounding may add {:.3g} to the length of an update, and "
      "privacy.fixed.bound is {}; use more bits or a smaller greatest value",
      config_.greatest(), rounding_length(), scenario.privacy().fixed().bound());
}

void SecureAggregation::attach(ModelServer& server) {
  SOUK_REQUIRE(
      !server.attackers_know_rule(),
      "communication.secure_aggregation: attackers who try submissions on the rule (knowledge RULE) would need to "
      "know its groups; give them less");
}

/// Of a group, as a rule.
double SecureAggregation::group_size() const {
  const auto most = static_cast<double>(federation_.selector().most());
  return config_.group() == 0 ? most : std::min(most, static_cast<double>(config_.group()));
}

void SecureAggregation::resize_messages(MessageBytes& bytes) const {
  const double others = group_size() - 1.0;
  const double partners =
      config_.neighbours() == 0 ? others : std::min(others, static_cast<double>(config_.neighbours()));
  const auto values = static_cast<double>(federation_.parameters());
  bytes.update = keys + partners * (encrypted_share + opened_share) +
                 std::ceil(values * static_cast<double>(config_.modulus_bits()) / 8.0);
  bytes.model += partners * (keys + encrypted_share + name_bytes);
  if (!config_.compare_models()) return;
  bytes.update += hash_bytes;
  bytes.model += partners * hash_bytes;
}

bool SecureAggregation::compares_models() const { return config_.compare_models(); }

RoundSize SecureAggregation::seen_by_rule(const RoundSize& round) const {
  const std::size_t groups = config_.group() == 0 ? 1 : std::max<std::size_t>(1, round.updates / config_.group());
  return {groups, round.tolerated_f};
}

/// Every value moves by less than a unit.
double SecureAggregation::rounding_length() const {
  return std::sqrt(static_cast<double>(federation_.parameters())) * ring_.unit();
}

std::uint64_t SecureAggregation::factor_of(const Submission& submission) const {
  return by_samples_ ? std::max<std::uint64_t>(submission.samples, 1) : 1;
}

/// By which factor an update of this length is shortened before it is rounded: to the bound of a rule that clips, and,
/// where noise is for a bounded length, by what rounding adds at most.
double SecureAggregation::shortening(double length) const {
  double left = length;
  if (client_bound_) left = std::min(left, *client_bound_);
  if (noised_) left -= rounding_length();
  return length > 0.0 ? std::max(left, 0.0) / length : 1.0;
}

bool SecureAggregation::may_be_unmasked(const SecureGroup& group) const {
  const double least = std::ceil(config_.threshold() * static_cast<double>(group.asked));
  return group.members.size() >= 2 && static_cast<double>(group.members.size()) >= least;
}

/// The group's mean in this rank's columns; returns how many values were cut.
std::size_t SecureAggregation::sum_up(const ServerRound& round, const SecureGroup& group, std::span<float> mean) const {
  const std::size_t begin = round.updates.local_columns().begin;  // a multiple of 16, as random_words wants
  std::vector<std::uint64_t> sums(mean.size());
  std::vector<std::uint32_t> words(mean.size());
  std::vector<float> scaled(mean.size());
  std::uint64_t total = 0;
  std::size_t cut = 0;
  for (const std::size_t k : group.members) {
    const double factor = shortening(std::sqrt(round.squares[k]));
    std::ranges::transform(round.updates.row(k), scaled.begin(),
                           [&](float value) { return static_cast<float>(factor * static_cast<double>(value)); });
    random_words(seed_, streams::secure_rounding(0, round.clients[k], round.round), begin, words);
    cut += ring_.add(scaled, factor_of(round.submissions[k]), words, sums);
    total += factor_of(round.submissions[k]);
  }
  for (std::size_t j = 0; j < mean.size(); ++j) {
    mean[j] = static_cast<float>(ring_.decode(sums[j]) / static_cast<double>(total));
  }
  return cut;
}

/// The groups of the round whose sums can be unmasked, by their first members; events tell of the others.
std::vector<SecureGroup> SecureAggregation::groups_left(const ServerRound& round, RoundRecord& record) const {
  std::vector<AgentId> asked;
  for (const SelectionRow& row : record.selections) asked.push_back(row.agent);
  Stream random(seed_, streams::secure_groups(0, round.round));
  std::vector<SecureGroup> groups = secure_groups(asked, round.clients, config_.group(), random);
  const std::size_t all = groups.size();
  std::erase_if(groups, [&](const SecureGroup& group) {
    if (may_be_unmasked(group)) return false;
    record.events.push_back(
        {"group lost", -1,
         fmt::format("of {} clients that masked their updates together {} are left, too few to unmask "
                     "their sum",
                     group.asked, group.members.size())});
    return true;
  });
  std::ranges::sort(groups, {}, [&](const SecureGroup& group) { return group.members.front(); });
  record.add("secure.groups", static_cast<double>(all));
  record.add("secure.lost_groups", static_cast<double>(all - groups.size()));
  return groups;
}

/// Enters a group's members and what they weigh in its mean.
void SecureAggregation::enter(const SecureGroup& group, const ServerRound& round, GroupMeans& means) const {
  Submission together{round.submissions[group.members.front()].agent, 0};
  std::uint64_t total = 0;
  for (const std::size_t k : group.members) {
    together.samples += round.submissions[k].samples;
    total += factor_of(round.submissions[k]);
  }
  std::vector<std::size_t> places;
  for (const std::size_t k : group.members) {
    const auto m = static_cast<std::size_t>(std::ranges::lower_bound(round.seen, k) - round.seen.begin());
    means.shares[m] = static_cast<double>(factor_of(round.submissions[k])) / static_cast<double>(total);
    places.push_back(m);
  }
  means.submissions.push_back(together);
  means.members.push_back(std::move(places));
}

/// Where every update is shorter than the unit of the sums, what arrives is chance.
void SecureAggregation::note_rounding(const ServerRound& round, RoundRecord& record) const {
  double longest = 0.0;
  for (const std::size_t k : round.seen) longest = std::max(longest, std::sqrt(round.squares[k]));
  if (round.seen.empty() || longest >= ring_.unit()) return;
  record.events.push_back(
      {"rounded away", -1,
       fmt::format("the longest update is {:.3g} long, and sums are in units of {:.3g}: little but chance is left; use "
                   "more bits or a smaller greatest value",
                   longest, ring_.unit())});
}

void SecureAggregation::receive(ServerRound& round, RoundRecord& record) {
  const std::vector<SecureGroup> groups = groups_left(round, record);
  round.seen.clear();
  for (const SecureGroup& group : groups) {
    round.seen.insert(round.seen.end(), group.members.begin(), group.members.end());
  }
  std::ranges::sort(round.seen);
  GroupMeans means;
  means.shares.resize(round.seen.size());
  ColumnMatrixBuilder builder(comm_, groups.size(), round.updates.dimension());
  std::size_t cut = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    cut += sum_up(round, groups[g], builder.row(g));
    enter(groups[g], round, means);
  }
  means.means = std::move(builder).finish();
  const double values = static_cast<double>(round.seen.size()) * static_cast<double>(round.updates.dimension());
  if (values > 0.0) record.add("secure.cut_share", static_cast<double>(comm_.all_sum(cut)) / values);
  note_rounding(round, record);
  round.groups = std::move(means);
}

HookFootprint SecureAggregation::footprint(const RuleScale& scale, const RuleFootprint&) const {
  HookFootprint sums{.part = "secure sums"};
  const double groups = config_.group() == 0 ? 1.0 : std::ceil(static_cast<double>(scale.updates) / config_.group());
  sums.own.held = (groups + 6.0) * scale.vector();  // the means; sums, words and values of one group
  return sums;
}

}  // namespace souk
