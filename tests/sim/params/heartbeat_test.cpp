// Long computations show that they move: a watchdog takes a rank that computes in silence for stuck.
#include "sim/base/heartbeat.hpp"

#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "sim/params/columnwise.hpp"
#include "sim/params/linear.hpp"
#include "sim/params/symmetric_eigen.hpp"
#include "tests/support/matrices.hpp"

namespace souk::heartbeat_test {
namespace {

TEST(Heartbeat, beats_within_every_pass_over_updates) {
  const Comm comm = Comm::self();
  constexpr std::size_t n = 40, d = 300000;
  ColumnMatrixBuilder zeros(comm, n, d);
  const ColumnMatrix updates = std::move(zeros).finish();
  const ColumnVector vector(updates);
  const std::vector<double> weights(n, 0.5);
  const std::vector<double> mixture(3 * n, 0.1);
  const SymmetricMatrix square = gram(comm, updates);
  const std::map<std::string, std::function<void()>> passes{
      {"gram", [&] { gram(comm, updates); }},
      {"distances", [&] { squared_distances(comm, updates); }},
      {"dots", [&] { dots(comm, updates, vector); }},
      {"combine", [&] { combine(updates, weights); }},
      {"mix", [&] { mix(comm, updates, mixture); }},
      {"median", [&] { median_of_columns(updates); }},
      {"trimmed mean", [&] { trimmed_mean_of_columns(updates, 3); }},
      {"eigenvectors", [&] { symmetric_eigen(square); }}};
  for (const auto& [name, pass] : passes) {
    const auto before = heartbeat::status().beats;
    pass();
    EXPECT_GT(heartbeat::status().beats, before + 3) << name;
  }
}

}  // namespace
}  // namespace souk::heartbeat_test
