#pragma once

#include <cstddef>

#include "sim/params/dense_matrix.hpp"

namespace souk {

/// What stands in for a missing value at first: the mean or median of what is known of its column.
enum class ColumnFill { mean, median };

/// The matrix with missing values (NaN) replaced by that of their columns, and by `empty` in columns of which nothing
/// is known.
DenseMatrix impute_by_column(DenseMatrix matrix, ColumnFill fill, double empty);

/// The matrix with missing values (NaN) predicted from the other columns, again and again (van Buuren and
/// Groothuis-Oudshoorn, "mice", J. Stat. Software 2011), as scikit-learn's IterativeImputer does by default: starting
/// from impute_by_column, one column after the other, those with fewest missing values first, each by a Bayesian ridge
/// regression (MacKay, Neural Computation 1992; Tipping, JMLR 2001) on the rows where it is known. Ends after 10
/// rounds, or one whose largest row sum of changes is below 1e-3 times the largest known magnitude. For n rows and m
/// columns a regression costs about min(n, m)^2 (m + 10 n) operations.
DenseMatrix impute_iteratively(const DenseMatrix& matrix, ColumnFill fill, double empty);

}  // namespace souk
