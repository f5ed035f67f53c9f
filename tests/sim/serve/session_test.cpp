// Requests on a branch of the world: what they count, what they may do, and what happens meanwhile.
#include "sim/serve/session.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/serve/serve_fixtures.hpp"

namespace souk::session_test {
namespace {

using fixtures::all_rights;
using fixtures::parse;
using fixtures::SmallService;

/// A service with this text of a scenario::Service.
struct World {
  explicit World(const std::string& text = "", const std::string& model = "gcn { hidden: 6 }")
      : config(parse<scenario::Service>(text)),
        small(model),
        answering(config.answers(), fixtures::served_classes),
        evolution(config.evolution(), 5),
        service{*small.network, small.small.graph, answering, evolution, {}} {}
  Session session(NodeIndex target = 4, std::uint64_t seed = 9) const { return {service, principal, seed, target}; }

  scenario::Service config;
  SmallService small;
  Answering answering;
  Evolution evolution;
  Service service;
  PrincipalTerms principal{.name = "user", .rights = all_rights, .budget = {}, .rate = {}};
};

TEST(Session, counts_what_it_is_asked_for) {
  World world;
  Session session = world.session();
  const NodeIndex own = session.add({0, 1.0});
  EXPECT_TRUE(session.connect(own, 4));
  session.begin_trial(7);
  session.scale(own, 2.0);
  session.wait();
  session.read(std::array{own, NodeIndex{3}});
  session.end_trial();
  session.begin_trial(8);
  session.end_trial();

  EXPECT_EQ(session.set_up().asked, (RequestCounts{{0, 0, 1, 1}}));
  ASSERT_EQ(session.trials().size(), 2U);
  EXPECT_EQ(session.trials()[0].asked, (RequestCounts{{2, 1, 0, 0}}));
  EXPECT_EQ(session.trials()[0].ticks, 1U);
  EXPECT_EQ(session.trials()[1].asked.sum(), 0U);
}

TEST(Session, forgets_a_trial) {
  World world;
  Session session = world.session();
  const NodeIndex own = session.add({0, 1.0});
  session.connect(own, 4);
  const std::vector<double> before = session.read(std::array{own});
  session.begin_trial(7);
  session.scale(own, 3.0);
  session.connect(session.add({5, 1.0}), 4);
  session.wait();
  EXPECT_NE(session.read(std::array{own}), before);
  session.end_trial();
  session.begin_trial(8);
  EXPECT_EQ(session.read(std::array{own}), before);
}

TEST(Session, waits_where_more_is_asked_than_the_rate_allows) {
  World world("evolution { drift: 0.5 }");
  world.principal.rate = {{2, 0, 0, 0}};
  Session session = world.session();
  session.read(std::array<NodeIndex, 5>{0, 1, 2, 3, 4});
  EXPECT_EQ(session.set_up().ticks, 2U);
  EXPECT_EQ(session.set_up().asked[RequestKind::read], 5U);
}

TEST(Session, is_refused_by_nodes_that_do_not_accept) {
  World world;
  world.service.acceptance = {.share = 0.5, .most = 0, .seed = 3};
  Session session = world.session();
  const NodeIndex own = session.add({0, 1.0});
  std::size_t accepted = 0;
  for (NodeIndex v = 0; v < 40; ++v) accepted += session.connect(own, v) ? 1U : 0U;
  EXPECT_GT(accepted, 8U);
  EXPECT_LT(accepted, 32U);
  EXPECT_EQ(session.set_up().refused, 40U - accepted);
  // Who refuses once refuses always.
  Session again = world.session();
  const NodeIndex other = again.add({0, 1.0});
  std::size_t once_more = 0;
  for (NodeIndex v = 0; v < 40; ++v) once_more += again.connect(other, v) ? 1U : 0U;
  EXPECT_EQ(once_more, accepted);
}

TEST(Session, finds_no_room_beside_a_node_that_accepts_so_many) {
  World world;
  world.service.acceptance = {.share = 1.0, .most = 1, .seed = 3};
  Session session = world.session();
  const NodeIndex first = session.add({0, 1.0}), second = session.add({0, 1.0});
  EXPECT_TRUE(session.connect(first, 4));
  EXPECT_FALSE(session.connect(second, 4));
  EXPECT_TRUE(session.connect(second, 5));
}

TEST(Session, without_a_right_asks_for_nothing) {
  World world;
  world.principal.rights = {Right::read_own, Right::register_nodes};
  Session session = world.session();
  EXPECT_DEATH(session.read(std::array<NodeIndex, 1>{3}), "rights");
  EXPECT_DEATH(session.scale(3, 2.0), "rights");
}

TEST(Answers, are_what_the_form_says) {
  const auto shaped = [](const std::string& text, std::vector<double> values) {
    const Answering answering(parse<scenario::Answers>(text), values.size());
    Stream noise = fixtures::stream(1);
    answering.shape(values, noise);
    return values;
  };
  const std::vector<double> logits{1.0, 3.0, 2.0};
  EXPECT_EQ(shaped("form: LOGITS", logits), logits);
  EXPECT_EQ(shaped("form: LABEL", logits), (std::vector<double>{0, 1, 0}));
  const std::vector<double> posterior = shaped("", logits);
  const double sum = std::exp(-2.0) + 1.0 + std::exp(-1.0);
  EXPECT_NEAR(posterior[0], std::exp(-2.0) / sum, 1e-15);
  EXPECT_NEAR(posterior[1], 1.0 / sum, 1e-15);
  EXPECT_EQ(shaped("form: LOGITS defences { top_values { k: 2 } }", logits), (std::vector<double>{0, 3, 2}));
  EXPECT_EQ(shaped("form: LOGITS defences { rounded { decimals: 1 } }", {0.26, 1.04, -0.17}),
            (std::vector<double>{0.3, 1.0, -0.2}));
  EXPECT_EQ(shaped("form: LOGITS defences { clipped { low: 0 high: 2 } }", {-1.0, 3.0, 1.5}),
            (std::vector<double>{0, 2, 1.5}));
  EXPECT_EQ(shaped("form: LOGITS defences { clipped { low: 0 high: 2.26 } } defences { rounded { decimals: 1 } }",
                   {-1.0, 3.0, 1.5}),
            (std::vector<double>{0, 2.3, 1.5}));
}

TEST(Answers, are_noisy_by_as_much_as_they_are_to_be) {
  const Answering answering(parse<scenario::Answers>("form: LOGITS defences { noisy { sigma: 0.5 } }"), 1);
  Stream noise = fixtures::stream(4);
  double sum = 0.0, squares = 0.0;
  constexpr int draws = 20000;
  for (int i = 0; i < draws; ++i) {
    std::vector<double> value{1.0};
    answering.shape(value, noise);
    sum += value[0] - 1.0;
    squares += (value[0] - 1.0) * (value[0] - 1.0);
  }
  EXPECT_NEAR(sum / draws, 0.0, 4.0 * 0.5 / std::sqrt(draws));              // four standard errors
  EXPECT_NEAR(squares / draws, 0.25, 4.0 * 0.25 * std::sqrt(2.0 / draws));  // likewise
}

}  // namespace
}  // namespace souk::session_test
