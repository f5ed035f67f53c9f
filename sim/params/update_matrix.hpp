#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/panel_plan.hpp"

namespace souk {

class Archive;
class ColumnVector;

/// One update per agent, [n, d] float32, rows in ascending AgentId, each row on the rank that made it. Memory is kept
/// between rounds: fresh pages cost more than the arithmetic on them.
class RowMatrix {
 public:
  /// Forgets the rows held and takes these. `owners[i]` is the rank that makes the row of `agents[i]`; both are the
  /// same on every rank, agents ascending.
  void reset(const Comm& comm, std::span<const AgentId> agents, std::span<const int> owners, std::size_t dimension);
  std::size_t rows() const noexcept { return agents_.size(); }
  std::size_t dimension() const noexcept { return dimension_; }
  std::span<const AgentId> agents() const noexcept { return agents_; }
  std::span<const int> owners() const noexcept { return owners_; }
  bool is_local(std::size_t row) const noexcept { return places_[row] != elsewhere; }
  std::span<float> row(std::size_t row);              ///< [d]; contract: the row is local
  std::span<const float> row(std::size_t row) const;  ///< [d]; contract: the row is local

 private:
  static constexpr std::size_t elsewhere = static_cast<std::size_t>(-1);
  std::vector<AgentId> agents_;
  std::vector<int> owners_;
  std::vector<std::size_t> places_;  ///< [n] index of the row in values_, or elsewhere
  std::size_t dimension_ = 0;
  std::vector<float> values_;
};

/// The part of an [n, d] matrix in one panel's columns.
struct Panel {
  std::size_t index = 0;  ///< in the plan, the same for any rank count
  ColumnRange columns;
  std::span<const float* const> row_starts;  ///< [n] first value of each row in this panel
  std::size_t offset = 0;                    ///< of this panel in the rank's columns
  std::span<const float> row(std::size_t i) const { return {row_starts[i] + offset, columns.size()}; }
};

/// The same [n, d]; each rank holds all n rows of the columns it owns. What rules and attacks work on. Where one rank
/// holds everything it is a view of the RowMatrix, which must outlive it unchanged.
class ColumnMatrix {
 public:
  ColumnMatrix() : plan_(0) {}
  ColumnMatrix(ColumnMatrix&&) = default;
  ColumnMatrix& operator=(ColumnMatrix&&) = default;
  std::size_t rows() const noexcept { return row_starts_.size(); }
  std::size_t dimension() const noexcept { return plan_.dimension(); }
  const PanelPlan& plan() const noexcept { return plan_; }
  ColumnRange local_columns() const noexcept { return local_columns_; }
  std::span<const Panel> panels() const noexcept { return panels_; }  ///< this rank's, ascending
  /// All of this rank's columns of one row.
  std::span<const float> row(std::size_t i) const { return {row_starts_[i], local_columns_.size()}; }
  /// These rows, in this order, as a view: copies pointers, not values.
  ColumnMatrix select(const Comm& comm, std::span<const std::size_t> rows) const;
  /// These rows and one more behind them, as a view; `last` must outlive it.
  ColumnMatrix with_row(const Comm& comm, const ColumnVector& last) const;
  /// A view in which row which[k] is row k of `replacement`, which must be laid out alike and outlive the view.
  ColumnMatrix replaced(const Comm& comm, std::span<const std::size_t> which, const ColumnMatrix& replacement) const;

 private:
  friend void to_columns(const Comm& comm, const RowMatrix& rows, ColumnRange range, ColumnMatrix& out);
  friend class ColumnMatrixBuilder;
  void lay_out(const Comm& comm, std::size_t dimension, std::vector<const float*> row_starts);
  PanelPlan plan_;
  ColumnRange local_columns_;
  std::vector<const float*> row_starts_;
  std::vector<Panel> panels_;
  std::vector<float> storage_;
};

/// A [d] result laid out like a ColumnMatrix: this rank's columns.
class ColumnVector {
 public:
  ColumnVector() = default;
  explicit ColumnVector(const ColumnMatrix& like) : columns_(like.local_columns()), values_(columns_.size()) {}
  /// This rank's columns of a [d] vector, all 0.
  ColumnVector(const Comm& comm, const PanelPlan& plan)
      : columns_(plan.columns_of(comm.rank(), comm.size())), values_(columns_.size()) {}
  /// This rank's columns of a vector that every rank holds.
  ColumnVector(const Comm& comm, std::span<const float> whole);
  std::span<float> values() noexcept { return values_; }              ///< this rank's columns
  std::span<const float> values() const noexcept { return values_; }  ///< this rank's columns
  std::span<float> panel(const Panel& panel) { return values().subspan(panel.offset, panel.columns.size()); }
  std::span<const float> panel(const Panel& panel) const {
    return values().subspan(panel.offset, panel.columns.size());
  }

 private:
  ColumnRange columns_;
  std::vector<float> values_;
};

/// Turns columns `range` of the rows into a ColumnMatrix of that many columns. Collective; n*d floats travel in all,
/// straight from row to place.
void to_columns(const Comm& comm, const RowMatrix& rows, ColumnRange range, ColumnMatrix& out);

/// Builds a ColumnMatrix column block by column block: what an attack returns, and tests.
class ColumnMatrixBuilder {
 public:
  /// Room for `rows` rows, laid out on the ranks like any matrix of this dimension.
  ColumnMatrixBuilder(const Comm& comm, std::size_t rows, std::size_t dimension);
  std::span<float> row(std::size_t i);  ///< this rank's columns
  ColumnMatrix finish() && { return std::move(matrix_); }

 private:
  ColumnMatrix matrix_;
};

/// The same rows in memory of their own, which outlives what the matrix may be a view of.
ColumnMatrix copy_of(const Comm& comm, const ColumnMatrix& matrix);

/// One row in memory of its own.
ColumnVector copy_of_row(const ColumnMatrix& matrix, std::size_t row);

/// The step that leaves a model as it is, [1, d].
ColumnMatrix zero_step(const Comm& comm, std::size_t dimension);

/// Saves or loads a [d] vector whose columns are spread over the ranks, or none (d = 0), in pieces of 4 MB at most.
/// Collective, unless the archive takes each rank's own part.
void serialize_columns(Archive& archive, std::string_view name, const Comm& comm, std::size_t dimension,
                       ColumnVector& vector);

/// Hands every rank whole rows: `wanted[r]` is what rank r gets, the same list on every rank. Returns this rank's, row
/// after row, [rows, d]. Collective; the inverse of to_columns where ranges do not overlap.
std::vector<float> gather_rows(const Comm& comm, const ColumnMatrix& matrix, std::span<const RowRange> wanted);

/// [d] on every rank. Collective.
void replicate(const Comm& comm, const PanelPlan& plan, const ColumnVector& vector, std::span<float> out);

}  // namespace souk
