#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/ids.hpp"

namespace souk {

/// One number of the round. Deterministic: never a wall-clock time.
struct MetricValue {
  std::string name;
  double value = 0.0;
  std::int64_t agent = -1;  ///< -1: of the whole federation
  std::int64_t label = -1;  ///< class it is about; -1: all
};

/// Account of the server or of a market's first buyer; those of its rivals are -3, -4, … (agents/market/ledger.hpp).
inline constexpr std::int64_t first_buyer = -2;

/// Account of the first principal of a service who is no client; those of the others follow downwards.
inline constexpr std::int64_t first_outsider = -1000;

/// What became of an agent that was asked.
enum class SelectionOutcome : std::uint8_t {
  accepted,  ///< its update is in the step
  rejected,  ///< the rule gave it no weight
  outbid,    ///< passed over before the rule saw it
  dropout,   ///< never answered
  late,      ///< answered after the deadline
  spare,     ///< answered when enough had
  invalid,   ///< answered with what cannot be used
};
std::string_view to_string(SelectionOutcome outcome);

/// Why a run, or a model's part in it, ends before its last round.
enum class Stop : std::uint8_t {
  target,    ///< as good as wanted
  patience,  ///< no better for as many tests as were to be waited
  budget,    ///< no money, or no privacy, to go on
  diverged,  ///< what was trained is no number any more
};
std::string_view to_string(Stop stop);
/// None of the empty text. Throws InputError of any other that names no stop.
std::optional<Stop> stop_named(std::string_view text);
/// Its name, or the empty text.
std::string text_of(const std::optional<Stop>& stop);

struct SelectionRow {
  AgentId agent;
  SelectionOutcome outcome = SelectionOutcome::accepted;
  std::uint64_t samples = 0;
  double arrival_seconds = 0.0;        ///< virtual, after the announcement
  std::optional<double> weight = 0.0;  ///< share in the step; none where the rule combines coordinates
  std::optional<double> score;         ///< of the rule, if it has one
  std::int64_t buyer = first_buyer;    ///< who chose it
};

/// Messages of the simulated protocol (not of MPI), by kind.
struct TrafficRow {
  std::string kind;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

struct EventRow {
  std::string kind;
  std::int64_t agent = -1;
  std::string text;
};

/// Money that changes hands. Accounts are agents; -1 is the market.
struct TransferRow {
  std::string kind;  ///< payment, refund, penalty, …
  std::int64_t payer = -1;
  std::int64_t payee = -1;
  std::int64_t micro_credits = 0;
  std::int64_t buyer = first_buyer;  ///< whose round it is booked in; -1: nobody's, of what sellers start with
};

/// What a principal asked of a served model for an attack, by kind of request.
struct RequestRow {
  std::string principal;
  std::string attack;
  std::string kind;          ///< read, write, registration, edge
  std::int64_t target = -1;  ///< node whose list was worked on; -1: before any
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;       ///< of these
  std::uint64_t ticks = 0;         ///< of the service's clock, that the work on the target took
  std::int64_t micro_credits = 0;  ///< paid for them
};

/// A pair of nodes that an attack was asked about, and what is true of it.
struct PairRow {
  std::string attack;
  std::int64_t target = -1;
  std::int64_t candidate = -1;
  std::optional<double> score;  ///< higher: rather an edge; none: not reached, or refused
  bool edge = false;
  bool same_class = false;
};

/// What has been given away about somebody's data so far, as far as noise bounds it.
struct PrivacyRow {
  std::int64_t agent = -1;  ///< whose data, by number or account; -1: everybody's
  std::string unit;         ///< what neighbouring data differ in: client, sample, root sample, sale, edge
  std::string mechanism;    ///< what adds the noise
  std::int64_t releases = 0;
  std::optional<double> epsilon;  ///< none: no bound holds
  double delta = 0.0;
};

/// An image that goes beside the results, as a file.
struct PictureRow {
  std::string name;                                 ///< of the file: lower-case letters, digits, underscores and '-'
  std::size_t channels = 1, height = 0, width = 0;  ///< 1: grey; 3: red, green, blue
  std::vector<std::uint8_t> values;                 ///< [height, width, channels]
};

/// Wall-clock time of one phase on this machine: a measurement, never part of a result.
struct PhaseTime {
  std::string phase;
  double seconds = 0.0;       ///< longest over the ranks, waiting included
  double busy_seconds = 0.0;  ///< summed over the ranks, waiting excluded
};

struct ProcessRow {
  int rank = 0;
  std::int64_t peak_rss_bytes = 0;
  std::int64_t page_faults = 0;  ///< in this round
};

/// Everything one round leaves behind. Filled alike on every rank.
struct RoundRecord {
  RoundIndex round;
  double virtual_seconds = 0.0;  ///< length of this round on the virtual clock
  std::vector<MetricValue> metrics;
  std::vector<SelectionRow> selections;  ///< by buyer, the first one's first; of each by agent
  std::vector<TrafficRow> traffic;
  std::vector<EventRow> events;
  std::vector<TransferRow> transfers;
  std::vector<RequestRow> requests;
  std::vector<PairRow> pairs;
  std::vector<PrivacyRow> privacy;
  std::vector<PictureRow> pictures;
  std::vector<PhaseTime> phases;
  std::vector<ProcessRow> processes;
  /// How good the model was, where it was tested: one of the metrics, as its task calls it.
  std::optional<MetricValue> quality;
  std::optional<Stop> stop;  ///< why the run ends with this round

  void add(std::string name, double value, std::int64_t agent = -1, std::int64_t label = -1) {
    metrics.push_back({std::move(name), value, agent, label});
  }
  std::optional<double> metric(const std::string& name) const;  ///< of the whole federation
};

/// A row about an agent that does not change during a run.
struct AgentRow {
  AgentId agent;
  std::string role;
  std::uint64_t samples = 0;
  std::int64_t attacker_group = -1;  ///< -1: benign
  double compute = 0.0;              ///< flop/s
  double bandwidth = 0.0;            ///< bytes/s
};

/// A class of an agent's samples.
struct PartitionRow {
  AgentId agent;
  std::int64_t label = 0;
  std::uint64_t samples = 0;
};

/// What a run records before its first round.
struct SetUpRecord {
  std::vector<AgentRow> agents;
  std::vector<PartitionRow> partition;
  std::vector<MetricValue> metrics;  ///< stored as round 0
  std::vector<EventRow> events;
  std::vector<PrivacyRow> privacy;  ///< what the data give away before anybody trains
};

}  // namespace souk
