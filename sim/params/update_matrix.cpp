#include "sim/params/update_matrix.hpp"

#include <algorithm>

#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"

namespace souk {

void RowMatrix::reset(const Comm& comm, std::span<const AgentId> agents, std::span<const int> owners,
                      std::size_t dimension) {
  SOUK_EXPECT(agents.size() == owners.size());
  SOUK_EXPECT(std::is_sorted(agents.begin(), agents.end()));
  agents_.assign(agents.begin(), agents.end());
  owners_.assign(owners.begin(), owners.end());
  dimension_ = dimension;
  places_.assign(agents.size(), elsewhere);
  std::size_t local = 0;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    if (owners[i] == comm.rank()) places_[i] = local++;
  }
  if (values_.size() < local * dimension) values_.resize(local * dimension);
}

std::span<float> RowMatrix::row(std::size_t row) {
  SOUK_EXPECT(is_local(row));
  return std::span(values_).subspan(places_[row] * dimension_, dimension_);
}

std::span<const float> RowMatrix::row(std::size_t row) const {
  SOUK_EXPECT(is_local(row));
  return std::span(values_).subspan(places_[row] * dimension_, dimension_);
}

void ColumnMatrix::lay_out(const Comm& comm, std::size_t dimension, std::vector<const float*> row_starts) {
  plan_ = PanelPlan(dimension);
  local_columns_ = plan_.columns_of(comm.rank(), comm.size());
  row_starts_ = std::move(row_starts);
  panels_.clear();
  for (std::size_t p = plan_.first_panel(comm.rank(), comm.size()); p < plan_.first_panel(comm.rank() + 1, comm.size());
       ++p) {
    const ColumnRange columns = plan_.columns(p);
    panels_.push_back({p, columns, row_starts_, columns.begin - local_columns_.begin});
  }
}

ColumnMatrix ColumnMatrix::select(const Comm& comm, std::span<const std::size_t> rows) const {
  std::vector<const float*> starts;
  for (const std::size_t i : rows) starts.push_back(row_starts_[i]);
  ColumnMatrix view;
  view.lay_out(comm, dimension(), std::move(starts));
  return view;
}

ColumnMatrix ColumnMatrix::with_row(const Comm& comm, const ColumnVector& last) const {
  SOUK_EXPECT(last.values().size() == local_columns_.size());
  std::vector<const float*> starts = row_starts_;
  starts.push_back(last.values().data());
  ColumnMatrix view;
  view.lay_out(comm, dimension(), std::move(starts));
  return view;
}

ColumnMatrix ColumnMatrix::replaced(const Comm& comm, std::span<const std::size_t> which,
                                    const ColumnMatrix& replacement) const {
  SOUK_EXPECT(replacement.rows() == which.size() && replacement.dimension() == dimension());
  std::vector<const float*> starts = row_starts_;
  for (std::size_t k = 0; k < which.size(); ++k) starts[which[k]] = replacement.row_starts_[k];
  ColumnMatrix view;
  view.lay_out(comm, dimension(), std::move(starts));
  return view;
}

ColumnVector::ColumnVector(const Comm& comm, std::span<const float> whole)
    : ColumnVector(comm, PanelPlan(whole.size())) {
  std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(columns_.begin), values_.size(), values_.begin());
}

void to_columns(const Comm& comm, const RowMatrix& rows, ColumnRange range, ColumnMatrix& out) {
  const std::size_t n = rows.rows();
  const PanelPlan plan(range.size());
  std::vector<const float*> starts(n);
  if (comm.size() == 1) {
    for (std::size_t i = 0; i < n; ++i) starts[i] = rows.row(i).data() + range.begin;
    return out.lay_out(comm, range.size(), std::move(starts));
  }
  const std::size_t width = plan.columns_of(comm.rank(), comm.size()).size();
  if (out.storage_.size() < n * width) out.storage_.resize(n * width);
  std::vector<Outgoing> outgoing;
  std::vector<Incoming> incoming;
  for (std::size_t i = 0; i < n; ++i) {
    const std::span<float> place(out.storage_.data() + i * width, width);
    starts[i] = place.data();
    if (width > 0) incoming.push_back({rows.owners()[i], std::as_writable_bytes(place)});
    if (!rows.is_local(i)) continue;
    const auto row = rows.row(i).subspan(range.begin, range.size());
    for (int r = 0; r < comm.size(); ++r) {
      const ColumnRange theirs = plan.columns_of(r, comm.size());
      if (theirs.size() > 0) outgoing.push_back({r, std::as_bytes(row.subspan(theirs.begin, theirs.size()))});
    }
  }
  comm.exchange(outgoing, incoming);
  out.lay_out(comm, range.size(), std::move(starts));
}

ColumnMatrixBuilder::ColumnMatrixBuilder(const Comm& comm, std::size_t rows, std::size_t dimension) {
  const std::size_t width = PanelPlan(dimension).columns_of(comm.rank(), comm.size()).size();
  matrix_.storage_.resize(rows * width);
  std::vector<const float*> starts(rows);
  for (std::size_t i = 0; i < rows; ++i) starts[i] = matrix_.storage_.data() + i * width;
  matrix_.lay_out(comm, dimension, std::move(starts));
}

std::span<float> ColumnMatrixBuilder::row(std::size_t i) {
  const std::size_t width = matrix_.local_columns().size();
  return std::span(matrix_.storage_).subspan(i * width, width);
}

ColumnMatrix copy_of(const Comm& comm, const ColumnMatrix& matrix) {
  ColumnMatrixBuilder copy(comm, matrix.rows(), matrix.dimension());
  for (std::size_t i = 0; i < matrix.rows(); ++i) std::ranges::copy(matrix.row(i), copy.row(i).begin());
  return std::move(copy).finish();
}

ColumnVector copy_of_row(const ColumnMatrix& matrix, std::size_t row) {
  ColumnVector copy(matrix);
  std::ranges::copy(matrix.row(row), copy.values().begin());
  return copy;
}

ColumnMatrix zero_step(const Comm& comm, std::size_t dimension) {
  return ColumnMatrixBuilder(comm, 1, dimension).finish();
}

namespace {

constexpr std::size_t piece_values = std::size_t{1} << 20;  // of a vector saved or loaded at a time

ColumnRange overlap(ColumnRange a, ColumnRange b) {
  const std::size_t begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

/// `range` of a vector, on every rank. Collective.
void replicate_range(const Comm& comm, const PanelPlan& plan, const ColumnVector& vector, ColumnRange range,
                     std::span<float> out) {
  std::vector<std::size_t> counts;
  for (int r = 0; r < comm.size(); ++r) counts.push_back(overlap(range, plan.columns_of(r, comm.size())).size());
  const ColumnRange mine = plan.columns_of(comm.rank(), comm.size());
  const ColumnRange own = overlap(range, mine);
  SOUK_EXPECT(vector.values().size() == mine.size());
  const auto values =
      own.size() == 0 ? vector.values().first(0) : vector.values().subspan(own.begin - mine.begin, own.size());
  comm.all_gather_into(values, counts, out);
}

}  // namespace

void serialize_columns(Archive& archive, std::string_view name, const Comm& comm, std::size_t dimension,
                       ColumnVector& vector) {
  const PanelPlan plan(dimension);
  const ColumnRange mine = plan.columns_of(comm.rank(), comm.size());
  if (archive.loading()) vector = ColumnVector(comm, plan);
  if (archive.portion() == Portion::own) {
    archive.begin_floats(name, mine.size());
    archive.piece(vector.values());
    return;
  }
  archive.begin_floats(name, dimension);
  std::vector<float> piece;
  for (std::size_t begin = 0; begin < dimension; begin += piece_values) {
    const ColumnRange range{begin, std::min(dimension, begin + piece_values)};
    piece.resize(range.size());
    if (!archive.loading()) replicate_range(comm, plan, vector, range, piece);
    archive.piece(piece);
    if (!archive.loading()) continue;
    const ColumnRange own = overlap(range, mine);
    if (own.size() == 0) continue;
    std::ranges::copy(std::span(piece).subspan(own.begin - range.begin, own.size()),
                      vector.values().begin() + static_cast<std::ptrdiff_t>(own.begin - mine.begin));
  }
}

std::vector<float> gather_rows(const Comm& comm, const ColumnMatrix& matrix, std::span<const RowRange> wanted) {
  SOUK_EXPECT(wanted.size() == static_cast<std::size_t>(comm.size()));
  const RowRange mine = wanted[static_cast<std::size_t>(comm.rank())];
  const std::size_t dimension = matrix.dimension();
  std::vector<float> rows((mine.end - mine.begin) * dimension);
  std::vector<Outgoing> outgoing;
  std::vector<Incoming> incoming;
  for (int r = 0; r < comm.size(); ++r) {
    const ColumnRange theirs = matrix.plan().columns_of(r, comm.size());
    for (std::size_t i = mine.begin; i < mine.end && theirs.size() > 0; ++i) {
      const auto place = std::span(rows).subspan((i - mine.begin) * dimension + theirs.begin, theirs.size());
      incoming.push_back({r, std::as_writable_bytes(place)});
    }
    const RowRange asked = wanted[static_cast<std::size_t>(r)];
    for (std::size_t i = asked.begin; i < asked.end && matrix.local_columns().size() > 0; ++i) {
      outgoing.push_back({r, std::as_bytes(matrix.row(i))});
    }
  }
  comm.exchange(outgoing, incoming);
  return rows;
}

void replicate(const Comm& comm, const PanelPlan& plan, const ColumnVector& vector, std::span<float> out) {
  SOUK_EXPECT(out.size() == plan.dimension());
  replicate_range(comm, plan, vector, {0, plan.dimension()}, out);
}

}  // namespace souk
