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
void share(const Comm& comm, const PythonCall& call, PythonAnswer& answer);

template <class Check>
PythonAnswer call_on_first_rank(const Comm& comm, PythonFunction& function, const PythonCall& call,
                                const Check& check) {
  PythonAnswer answer;
  comm.run_phase("python", [&] {
    if (comm.rank() != 0) return;
    answer = function.call(call);
    check(answer);
  });
  share(comm, call, answer);
  return answer;
}

/// A matrix as one array, on rank 0.
class WholeMatrix {
 public:
  WholeMatrix() = default;
  /// A view of the matrix, which must outlive it, where one rank holds everything and rows lie at equal distances; a
  /// copy on rank 0 otherwise. Collective.
  WholeMatrix(const Comm& comm, const ColumnMatrix& matrix);
  const PythonArray& array() const { return array_; }

 private:
  std::vector<float> copied_;
  PythonArray array_;
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
