#pragma once

#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"
#include "sim/python/python_function.hpp"

namespace souk {

/// Runs the function on rank 0 alone, so that what it answers does not depend on the number of ranks, and hands the
/// answer to every rank. `check` may refuse it, on rank 0. Collective; whatever the function does wrong ends all ranks
/// with one sentence. No heartbeat: a function that hangs is found by the watchdog.
template <class Check>
PythonAnswer call_on_first_rank(const Comm& comm, PythonFunction& function, const PythonCall& call, const Check& check);

/// From rank 0. Collective.
void share_answer(const Comm& comm, const PythonCall& call, PythonAnswer& answer);

template <class Check>
PythonAnswer call_on_first_rank(const Comm& comm, PythonFunction& function, const PythonCall& call,
                                const Check& check) {
  PythonAnswer answer;
  comm.run_phase("python", [&] {
    if (comm.rank() != 0) return;
    answer = function.call(call);
    check(answer);
  });
  share_answer(comm, call, answer);
  return answer;
}

/// Where ranks put a matrix together for rank 0. Ranks of one node write into memory that all of them see, which is
/// kept between rounds; otherwise rows are sent.
class GatheringPlace {
 public:
  /// A matrix as one array, on rank 0. A view of the matrix, which must outlive it, where one rank holds everything and
  /// rows lie at equal distances; otherwise a copy, which lasts until the next call. Collective.
  PythonArray gather(const Comm& comm, const ColumnMatrix& matrix);

 private:
  /// Collective; false where ranks share no memory.
  bool gather_on_node(const Comm& comm, const ColumnMatrix& matrix);
  std::shared_ptr<SharedBlock> shared_;
  bool apart_ = false;  ///< ranks share no memory
  std::vector<float> sent_;
};

/// A view of some columns of rows that lie at equal distances; none where they do not.
std::optional<PythonArray> view_of_rows(std::span<const float* const> row_starts, std::size_t offset,
                                        std::size_t columns);

/// A vector as one array.
template <class T>
PythonArray python_array(const std::vector<T>& values) {
  constexpr PythonNumber type = std::is_same_v<T, float>    ? PythonNumber::float32
                                : std::is_same_v<T, double> ? PythonNumber::float64
                                                            : PythonNumber::int64;
  return {values.data(), type, {values.size()}, {}};
}

/// States on rank 0, as text in the archive. Collective.
void serialize_states(Archive& archive, const Comm& comm, PythonFunction& function);

}  // namespace souk
