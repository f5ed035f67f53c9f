#pragma once

#include <cmath>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

using Rows = std::vector<std::vector<float>>;

/// n rows of normal values, from a fixed seed.
inline Rows random_rows(std::size_t n, std::size_t dimension, double scale = 1.0) {
  Rows rows(n, std::vector<float>(dimension));
  for (std::size_t i = 0; i < n; ++i) {
    Stream random(99, StreamKey{Purpose::update_attack, {static_cast<std::uint32_t>(i)}, {}});
    for (float& value : rows[i]) value = static_cast<float>(scale * random.normal());
  }
  return rows;
}

/// These rows as the engine would hold them: agent i on rank i mod size, turned into columns.
class TestMatrix {
 public:
  TestMatrix(const Comm& comm, const Rows& rows) {
    std::vector<AgentId> agents;
    std::vector<int> owners;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      agents.push_back({static_cast<std::uint32_t>(i)});
      owners.push_back(static_cast<int>(i) % comm.size());
    }
    const std::size_t dimension = rows.front().size();
    rows_.reset(comm, agents, owners, dimension);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows_.is_local(i)) std::copy(rows[i].begin(), rows[i].end(), rows_.row(i).begin());
    }
    to_columns(comm, rows_, {0, dimension}, columns_);
  }
  const ColumnMatrix& columns() const { return columns_; }

 private:
  RowMatrix rows_;
  ColumnMatrix columns_;
};

inline std::vector<float> whole(const Comm& comm, const ColumnMatrix& like, const ColumnVector& vector) {
  std::vector<float> values(like.dimension());
  replicate(comm, like.plan(), vector, values);
  return values;
}

}  // namespace souk
