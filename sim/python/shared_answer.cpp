#include "sim/python/shared_answer.hpp"

#include <algorithm>
#include <stdexcept>

#include "sim/base/archive.hpp"

namespace souk {
namespace {

template <class T>
void share_values(const Comm& comm, std::vector<T>& values) {
  values.resize(comm.broadcast(values.size(), 0));
  comm.broadcast_into(std::span(values), 0);
}

void share_diagnostics(const Comm& comm, std::map<std::string, double>& diagnostics) {
  const std::size_t count = comm.broadcast(diagnostics.size(), 0);
  auto next = diagnostics.cbegin();
  std::map<std::string, double> shared;
  for (std::size_t k = 0; k < count; ++k) {
    const bool here = comm.rank() == 0;
    const std::string name = comm.broadcast_text(here ? next->first : "", 0);
    shared[name] = comm.broadcast(here ? next->second : 0.0, 0);
    if (here) ++next;
  }
  diagnostics = std::move(shared);
}

}  // namespace

void share_answer(const Comm& comm, const PythonCall& call, PythonAnswer& answer) {
  if (comm.size() == 1) return;
  answer.none = comm.broadcast(answer.none ? 1 : 0, 0) != 0;
  for (const PythonWanted& part : call.wanted) {
    // No array that is wanted is empty: what has no values was not answered.
    if (part.type == PythonNumber::float32) {
      share_values(comm, answer.vectors[part.name]);
      if (answer.vectors[part.name].empty()) answer.vectors.erase(part.name);
    } else {
      share_values(comm, answer.numbers[part.name]);
      if (answer.numbers[part.name].empty()) answer.numbers.erase(part.name);
    }
  }
  share_diagnostics(comm, answer.diagnostics);
}

std::optional<PythonArray> view_of_rows(std::span<const float* const> row_starts, std::size_t offset,
                                        std::size_t columns) {
  std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(columns);
  if (row_starts.size() > 1) stride = row_starts[1] - row_starts[0];
  for (std::size_t i = 1; i < row_starts.size(); ++i) {
    if (row_starts[i] - row_starts[i - 1] != stride) return std::nullopt;
  }
  const auto bytes = static_cast<std::ptrdiff_t>(sizeof(float));
  return PythonArray{
      row_starts[0] + offset, PythonNumber::float32, {row_starts.size(), columns}, {stride * bytes, bytes}};
}

bool GatheringPlace::gather_on_node(const Comm& comm, const ColumnMatrix& matrix) {
  const std::size_t bytes = matrix.rows() * matrix.dimension() * sizeof(float);
  if (!apart_ && (shared_ == nullptr || shared_->bytes().size() < bytes)) {
    apart_ = comm.all_max(comm.node().size() == comm.size() ? 0 : 1) == 1;
    try {
      if (!apart_) shared_ = comm.shared_block(bytes);
    } catch (const std::runtime_error&) {  // on all ranks
      apart_ = true;
    }
  }
  if (apart_) return false;
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    const auto mine = std::as_bytes(matrix.row(i));
    const std::size_t first = (i * matrix.dimension() + matrix.local_columns().begin) * sizeof(float);
    std::ranges::copy(mine, shared_->bytes().subspan(first, mine.size()).begin());
  }
  comm.barrier();
  return true;
}

PythonArray GatheringPlace::gather(const Comm& comm, const ColumnMatrix& matrix) {
  if (comm.size() == 1 && !matrix.panels().empty()) {
    if (auto view = view_of_rows(matrix.panels().front().row_starts, 0, matrix.dimension())) return *view;
  }
  PythonArray whole{nullptr, PythonNumber::float32, {matrix.rows(), matrix.dimension()}, {}};
  if (comm.size() > 1 && gather_on_node(comm, matrix)) {
    whole.first = shared_->bytes().data();
    return whole;
  }
  std::vector<RowRange> wanted(static_cast<std::size_t>(comm.size()));
  wanted.front() = {0, matrix.rows()};
  sent_ = gather_rows(comm, matrix, wanted);
  whole.first = sent_.data();
  return whole;
}

void serialize_states(Archive& archive, const Comm& comm, PythonFunction& function) {
  std::string states;
  if (!archive.loading() && comm.rank() == 0) states = function.save_states();
  if (!archive.loading() && archive.portion() == Portion::whole) states = comm.broadcast_text(states, 0);
  archive.field("python states", states);
  if (archive.loading() && comm.rank() == 0) function.load_states(states);
}

}  // namespace souk
