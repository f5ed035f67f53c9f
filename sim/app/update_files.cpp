#include "sim/app/update_files.hpp"

#include "sim/base/contract.hpp"

namespace souk {

void read_updates(const Comm& comm, const std::string& path, Finite finite, RowMatrix& rows) {
  NpyArray array = open_npy(path, "");
  SOUK_REQUIRE(array.shape.size() == 2 && array.shape[0] > 0 && array.shape[1] > 0,
               "{}: must be an n x d matrix with n and d above 0", path);
  constexpr std::size_t most = 10'000'000;
  SOUK_REQUIRE(array.shape[0] <= most, "{}: has {} rows, which are as many updates; at most {} are taken", path,
               array.shape[0], most);
  std::vector<AgentId> agents;
  std::vector<int> owners;
  for (std::uint32_t i = 0; i < array.shape[0]; ++i) {
    agents.push_back({i});
    owners.push_back(static_cast<int>(i % static_cast<std::uint32_t>(comm.size())));
  }
  rows.reset(comm, agents, owners, array.shape[1]);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    if (rows.is_local(i)) {
      read_npy(array, rows.row(i), finite);
    } else {
      skip_npy(array, rows.dimension());
    }
  }
}

std::vector<float> read_vector(const std::string& path, std::size_t dimension) {
  std::vector<float> values;
  if (path.empty()) return values;
  NpyArray array = open_npy(path, "");
  SOUK_REQUIRE(array.values == dimension, "{}: has {} values, the updates have {}", path, array.values, dimension);
  values.resize(dimension);
  read_npy(array, values);
  return values;
}

}  // namespace souk
