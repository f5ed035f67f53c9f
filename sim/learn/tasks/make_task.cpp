#include "sim/learn/tasks/classification.hpp"
#include "sim/learn/tasks/regression.hpp"

namespace souk {

std::unique_ptr<Task> make_task(const scenario::Task& config, const Dataset& train, const Dataset& test,
                                const std::string& device) {
  if (train.shape().numbers) return std::make_unique<Regression>(config, train, test, device);
  return std::make_unique<Classification>(config, train, test, device);
}

}  // namespace souk
