#include "attacks/least_squares.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "sim/base/contract.hpp"

extern "C" void dgelsy_(const int* m, const int* n, const int* nrhs, double* a, const int* lda, double* b,
                        const int* ldb, int* jpvt, const double* rcond, int* rank, double* work, const int* lwork,
                        int* info);

namespace souk {
namespace {

int to_int(std::size_t size) {
  SOUK_EXPECT(size > 0 && size <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  return static_cast<int>(size);
}

}  // namespace

std::vector<double> shortest_least_squares(Equations equations, double tolerance) {
  const int rows = to_int(equations.rows), unknowns = to_int(equations.unknowns), one = 1;
  const int longer = std::max(rows, unknowns);
  std::vector<double> x = std::move(equations.right);
  x.resize(static_cast<std::size_t>(longer));
  std::vector<int> pivots(equations.unknowns, 0);
  int rank = 0, info = 0;
  const auto solve = [&](std::vector<double>& work, int size) {
    dgelsy_(&rows, &unknowns, &one, equations.matrix.data(), &rows, x.data(), &longer, pivots.data(), &tolerance, &rank,
            work.data(), &size, &info);
    SOUK_EXPECT(info == 0);
  };
  std::vector<double> work(1);
  solve(work, -1);  // how much memory it would like
  work.resize(static_cast<std::size_t>(work.front()));
  solve(work, to_int(work.size()));
  x.resize(equations.unknowns);
  return x;
}

}  // namespace souk
