#include <algorithm>
#include <cmath>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"
#include "sim/python/python_function.hpp"
#include "sim/python/settings.hpp"
#include "sim/python/shared_answer.hpp"

namespace souk {
namespace {

/// What an attack in Python may ask for, by the names of its arguments; docs/own-rules.md says what each is.
const std::vector<std::string> offered_to_attacks{
    "own",       "known",      "round",  "state",       "random", "members", "updates_in_round",
    "malicious", "parameters", "change", "server_rate", "gram",   "norms",   "root_update"};

/// What a round holds for the function: what it asks for is filled in.
struct AskedOfAttackers {
  std::vector<double> gram, norms;
  std::vector<std::int64_t> members;
  std::vector<float> parameters, change, root_update;  ///< [d] on every rank
  PythonArray own, known;
};

/// A function of the user's own, run by rank 0. It is handed the group's pool and what is public, and the server's root
/// update only where it asks for it, which then takes the knowledge of RULE.
class PythonUpdates final : public UpdateAttack {
 public:
  explicit PythonUpdates(const scenario::PythonAttack& config) {
    if (config.file().empty()) {
      refusal_ = "python.file: is empty, must name a Python file with the attack";
      return;
    }
    try {
      function_ = load_python({.field = "python",
                               .path = config.file(),
                               .name = "craft",
                               .offers = offered_to_attacks,
                               .settings = python_settings("python", config.settings())});
    } catch (const InputError& error) {  // told by check(), whose callers know which group it is
      refusal_ = error.what();
    }
  }

  AttackNeeds needs() const override {
    const bool root = asks("root_update");
    return {.least = root ? Knowledge::rule : Knowledge::own, .root_update = root};
  }
  Knowledge usual() const override { return std::max(needs().least, Knowledge::colluders); }
  void check() const override { SOUK_REQUIRE(refusal_.empty(), "{}", refusal_); }

  /// What is gathered on the rank that runs the function, all of it where there is one rank.
  AttackFootprint footprint(const AttackScale& scale) const override {
    return {.held = scale.members * scale.vector,
            .working = (3.0 + 2.0 * scale.members + scale.updates) * scale.vector};
  }

  Crafted craft_from(const RoundAccess& access) override {
    const PublicRound& round = access.round;
    const auto& pool = access.get<Pool>();
    round.comm.run_phase("python", [&] { check(); });
    const AskedOfAttackers asked = ask_for(access);
    const PythonCall call = call_of(round, pool, asked);
    PythonAnswer answer = call_on_first_rank(round.comm, *function_, call, [&](const PythonAnswer& answered) {
      SOUK_REQUIRE(answered.none || answered.vectors.contains("updates"),
                   "{}: craft answers no updates, must answer them or None", function_->path());
    });
    if (answer.none) return {.rows = copy_of(round.comm, pool.own), .idle = "craft answered None"};
    return {.rows = rows_of(round.comm, pool.own, answer.vectors.at("updates")),
            .diagnostics = std::move(answer.diagnostics)};
  }

  void serialize(Archive& archive, const Comm& comm) override {
    if (asks("state")) serialize_states(archive, comm, *function_);
  }

 private:
  bool asks(const char* name) const { return function_ != nullptr && function_->asks(name); }

  /// Collective.
  AskedOfAttackers ask_for(const RoundAccess& access) {
    const PublicRound& round = access.round;
    const auto& pool = access.get<Pool>();
    AskedOfAttackers asked;
    const auto whole = [&](const ColumnVector& vector) {
      std::vector<float> values(pool.own.dimension());
      replicate(round.comm, pool.own.plan(), vector, values);
      return values;
    };
    if (asks("gram")) {
      const SymmetricMatrix products = gram(round.comm, pool.known);
      for (std::size_t i = 0; i < products.order; ++i) {
        for (std::size_t j = 0; j < products.order; ++j) asked.gram.push_back(products(i, j));
      }
    }
    if (asks("norms")) asked.norms = squared_norms(round.comm, pool.known);
    for (double& norm : asked.norms) norm = std::sqrt(norm);
    for (const AgentId member : pool.members) asked.members.push_back(member.value);
    if (asks("parameters")) asked.parameters = whole(round.global);
    if (asks("change")) asked.change = whole(round.change);
    if (asks("root_update")) asked.root_update = whole(access.get<RootUpdate>().root_update);
    if (asks("own")) asked.own = place_of_own_.gather(round.comm, pool.own);
    if (asks("known")) asked.known = place_of_known_.gather(round.comm, pool.known);
    return asked;
  }

  PythonCall call_of(const PublicRound& round, const Pool& pool, const AskedOfAttackers& asked) const {
    const std::size_t m = pool.members.size(), k = pool.known.rows(), d = pool.own.dimension();
    PythonCall call;
    const auto hand = [&](const char* name, PythonValue value) {
      if (asks(name)) call.arguments.emplace_back(name, std::move(value));
    };
    hand("own", asked.own);
    hand("known", asked.known);
    hand("round", static_cast<std::int64_t>(round.round.value));
    hand("members", python_array(asked.members));
    hand("updates_in_round", static_cast<std::int64_t>(round.updates));
    hand("malicious", static_cast<std::int64_t>(round.malicious));
    hand("parameters", python_array(asked.parameters));
    hand("change", python_array(asked.change));
    hand("server_rate", round.server_rate);
    hand("gram", PythonArray{asked.gram.data(), PythonNumber::float64, {k, k}, {}});
    hand("norms", python_array(asked.norms));
    hand("root_update", python_array(asked.root_update));
    // A member that shares nothing remembers for itself alone.
    const AgentId first = pool.members.front();
    if (asks("state")) call.state = pool.shared ? "" : std::to_string(first.value);
    Stream random(round.seed, streams::update_values(first, round.round, 0, 0));
    std::ranges::generate(call.random, [&] { return random.next(); });
    call.wanted = {{"updates", PythonNumber::float32, {{m, d}, {d}}}};
    return call;
  }

  /// One row is every member's.
  static ColumnMatrix rows_of(const Comm& comm, const ColumnMatrix& own, std::span<const float> values) {
    const std::size_t d = own.dimension();
    ColumnMatrixBuilder rows(comm, own.rows(), d);
    for (std::size_t i = 0; i < own.rows(); ++i) {
      const auto whole = values.subspan(values.size() == d ? 0 : i * d, d);
      const ColumnRange mine = own.local_columns();
      std::ranges::copy(whole.subspan(mine.begin, mine.size()), rows.row(i).begin());
    }
    return std::move(rows).finish();
  }

  std::unique_ptr<PythonFunction> function_;
  GatheringPlace place_of_own_, place_of_known_;
  std::string refusal_;
};

const Register<UpdateAttack, PythonUpdates, scenario::PythonAttack> register_python_attack;

}  // namespace
}  // namespace souk
