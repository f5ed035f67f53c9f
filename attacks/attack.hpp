#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "sim/base/ids.hpp"
#include "sim/base/random.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk::scenario {
class Attack;
}

namespace souk {

class Archive;

/// A mini-batch of one malicious agent on its way to the network; labels and features may be changed in place.
struct PoisonBatch {
  std::span<const SampleIndex> which;  ///< [samples]
  std::span<float> features;           ///< [samples, features], scaled as the network reads them
  std::span<std::int32_t> labels;      ///< [samples]
  int classes = 0;
};

/// Before training: edits the samples of malicious agents (labels, triggers).
class DataAttack {
 public:
  virtual ~DataAttack() = default;
  /// Throws InputError for settings that the data set does not allow, starting with the field: "label_flip.source = …".
  virtual void check(int /*classes*/) const {}
  virtual void poison(const PoisonBatch& batch, Stream& random) const = 0;
};

/// How much of a round an update attack may see. It is handed exactly that and no more.
enum class Knowledge : std::uint8_t {
  own,         ///< craft() once per malicious agent, with its own honest update [1, d]
  coalition,   ///< once, with the group's honest updates [m, d]
  all_updates  ///< once, with everybody's [n, d]
};

/// What an update attack is given.
struct CraftInput {
  const Comm& comm;
  RoundIndex round;
  std::span<const AgentId> members;  ///< [m] malicious agents whose rows are replaced, ascending
  const ColumnMatrix& visible;       ///< honest updates, as much as knowledge() grants
  std::uint64_t seed;                ///< for Streams named by agent, so that bits do not depend on rank count
};

/// After training: replaces the members' rows; never appends any.
class UpdateAttack {
 public:
  virtual ~UpdateAttack() = default;
  virtual Knowledge knowledge() const = 0;
  /// [m, d], laid out like `visible`. Collective.
  virtual ColumnMatrix craft(const CraftInput& input) = 0;
  /// State kept between rounds. Collective.
  virtual void serialize(Archive&, const Comm&) {}
};

/// What a group's validators may change: their own reports, [members, steps, classes], NaN where they do not judge.
struct ReportInput {
  std::span<const AgentId> members;  ///< validators of the group, ascending
  std::size_t steps = 0, classes = 0;
  std::span<double> own;
  std::span<const double>
      all;  ///< everybody's honest reports, [validators, steps, classes], or empty: as knowledge() grants
  std::span<const AgentId> validators;  ///< rows of `all`; empty where that is
};

/// During validation: changes what malicious validators report about proposed models.
class ReportAttack {
 public:
  virtual ~ReportAttack() = default;
  virtual Knowledge knowledge() const = 0;
  virtual void report(const ReportInput& input, Stream& random) const = 0;
};

/// The data attack chosen in the group, or null where its method is none.
std::unique_ptr<DataAttack> make_data_attack(const scenario::Attack& group);

/// The update attack chosen in the group, or null where its method is none.
std::unique_ptr<UpdateAttack> make_update_attack(const scenario::Attack& group);

/// What the group's validators do to their reports, or null where they are honest.
std::unique_ptr<ReportAttack> make_report_attack(const scenario::Attack& group);

}  // namespace souk
