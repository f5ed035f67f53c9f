#include "agents/serving/principals.hpp"

#include <algorithm>

#include "agents/cast/metric_name.hpp"
#include "agents/market/ledger.hpp"
#include "scenarios/service.pb.h"
#include "sim/base/contract.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {
namespace {

constexpr Rights of_a_user{Right::read_own, Right::write_own, Right::register_nodes, Right::connect};

RequestCounts counts_of(const scenario::Allowance& allowance) {
  return {.of = {allowance.reads(), allowance.writes(), allowance.registrations(), allowance.edges()}};
}

/// In millionths of a credit.
std::int64_t price_of(double credits, const std::string& path) {
  const MicroCredits micro = to_micro(credits);
  SOUK_REQUIRE(credits == 0.0 || micro > 0, "{} = {}: is less than a millionth of a credit", path, credits);
  return micro;
}

void check_name(const std::string& name, const std::string& path) {
  SOUK_REQUIRE(is_metric_name(name),
               "{}.name = \"{}\": takes lower-case letters, digits and underscores, 64 of them at most", path, name);
}

/// The nodes that a client trains on, ascending.
std::vector<NodeIndex> nodes_of(std::uint32_t client, const Federation& federation, const std::string& path) {
  SOUK_REQUIRE(client < federation.population().genuine(), "{}.client = {}: there are {} clients, numbered from 0",
               path, client, federation.population().genuine());
  std::vector<NodeIndex> nodes;
  for (const SampleIndex unit : federation.dealt().deal.of(client)) {
    nodes.push_back(federation.data().graph.train_nodes[unit]);
  }
  std::ranges::sort(nodes);
  return nodes;
}

PrincipalTerms terms_of(const scenario::Principal& config, std::size_t number, const Federation& federation) {
  const std::string path = fmt::format("service.principals[{}]", number);
  check_name(config.name(), path);
  PrincipalTerms terms{.name = config.name(),
                       .account = first_outsider - static_cast<std::int64_t>(number),
                       .rights = of_a_user,
                       .budget = counts_of(config.budget()),
                       .rate = counts_of(config.rate())};
  terms.prices = {price_of(config.prices().read(), path + ".prices.read"),
                  price_of(config.prices().write(), path + ".prices.write"),
                  price_of(config.prices().registration(), path + ".prices.registration"),
                  price_of(config.prices().edge(), path + ".prices.edge")};
  if (config.rights_size() > 0) terms.rights = {};
  for (const int right : config.rights()) terms.rights.add(static_cast<Right>(right));
  if (config.who_case() == scenario::Principal::kClient) {
    terms.account = config.client();
    terms.own = nodes_of(config.client(), federation, path);
  }
  return terms;
}

}  // namespace

std::vector<PrincipalTerms> principals_of(const scenario::Service& service, const Federation& federation) {
  std::vector<PrincipalTerms> principals;
  for (int i = 0; i < service.principals_size(); ++i) {
    principals.push_back(terms_of(service.principals(i), static_cast<std::size_t>(i), federation));
    const auto same = std::ranges::count(principals, principals.back().name, &PrincipalTerms::name);
    SOUK_REQUIRE(same == 1, "service.principals[{}].name = \"{}\": another one is called so", i,
                 principals.back().name);
  }
  if (principals.empty()) {
    principals.push_back({.name = "user", .account = first_outsider, .rights = of_a_user, .budget = {}, .rate = {}});
  }
  return principals;
}

}  // namespace souk
