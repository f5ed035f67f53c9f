#include "analysis/results/run_summaries.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace souk {
namespace {

constexpr const char* summarise_agents = R"sql(
INSERT INTO agent_summary
SELECT ?1, a.agent, a.role, a.attacker_group, a.samples, coalesce(s.asked, 0), coalesce(s.accepted, 0),
       CASE WHEN s.accepted > s.weighed THEN NULL ELSE coalesce(s.weight, 0.0) END, m.norm, m.cosine, coalesce(l.income, 0), m.value
FROM agent a
LEFT JOIN (SELECT agent, count(*) AS asked, sum(outcome = 'accepted') AS accepted, sum(weight) AS weight,
                  sum(outcome = 'accepted' AND weight IS NOT NULL) AS weighed
           FROM source.selection WHERE buyer = -2 GROUP BY agent) s ON s.agent = a.agent
LEFT JOIN (SELECT agent, avg(value) FILTER (WHERE name = 'update_norm') AS norm,
                  avg(value) FILTER (WHERE name = 'cosine_to_aggregate') AS cosine,
                  avg(value) FILTER (WHERE name = 'value') AS value
           FROM source.metric WHERE agent >= 0 AND name IN ('update_norm', 'cosine_to_aggregate', 'value')
           GROUP BY agent) m ON m.agent = a.agent
LEFT JOIN (SELECT account, sum(amount) AS income
           FROM (SELECT payee AS account, micro_credits AS amount FROM source.ledger
                 UNION ALL SELECT payer, -micro_credits FROM source.ledger) GROUP BY account) l ON l.account = a.agent
WHERE a.run = ?1 ORDER BY a.agent
)sql";

constexpr const char* summarise_selections = R"sql(
INSERT INTO selection_summary
SELECT ?1, s.round, s.buyer, s.outcome, a.attacker_group >= 0 AS malicious, count(*), sum(s.weight)
FROM source.selection s JOIN agent a ON a.run = ?1 AND a.agent = s.agent
GROUP BY s.round, s.buyer, s.outcome, malicious ORDER BY s.round, s.buyer, s.outcome, malicious
)sql";

/// Fields of ?2 clients of one side, ascending by number, and ?3 rounds; the last of either may be smaller.
constexpr const char* map_selections = R"sql(
INSERT INTO selection_map
WITH member AS (SELECT agent, malicious, place / ?2 AS band
                FROM (SELECT agent, attacker_group >= 0 AS malicious,
                             row_number() OVER (PARTITION BY attacker_group >= 0 ORDER BY agent) - 1 AS place
                      FROM agent WHERE run = ?1)),
     ends AS (SELECT malicious, band, min(agent) AS first_agent, max(agent) AS last_agent, count(*) AS agents
              FROM member GROUP BY malicious, band)
SELECT ?1, s.buyer, m.malicious, m.band, (s.round - 1) / ?3 * ?3 + 1 AS first_round,
       min((s.round - 1) / ?3 * ?3 + ?3, ?4), e.first_agent, e.last_agent, e.agents, count(*),
       sum(s.outcome IN ('accepted', 'rejected', 'outbid', 'invalid')), sum(s.outcome = 'accepted'),
       CASE WHEN sum(s.outcome = 'accepted' AND s.weight IS NULL) > 0 THEN NULL ELSE total(s.weight) END
FROM source.selection s JOIN member m ON m.agent = s.agent
JOIN ends e ON e.malicious = m.malicious AND e.band = m.band
GROUP BY s.buyer, m.malicious, m.band, first_round ORDER BY s.buyer, m.malicious, m.band, first_round
)sql";

/// How many share a field where there are `count`, and at most `most` fields.
std::int64_t width_of(std::int64_t count, std::int64_t most) {
  return std::max<std::int64_t>(1, (count + most - 1) / most);
}

}  // namespace

void summarise_run(Database& view, std::int64_t run) {
  Statement(view, summarise_agents).run(run);
  Statement(view, summarise_selections).run(run);
  const std::int64_t agents = view.integer(fmt::format("SELECT count(*) FROM agent WHERE run = {}", run));
  const std::int64_t rounds = view.integer("SELECT coalesce(max(round), 0) FROM source.round");
  Statement(view, map_selections).run(run, width_of(agents, most_map_bands), width_of(rounds, most_map_spans), rounds);
}

}  // namespace souk
