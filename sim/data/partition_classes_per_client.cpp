#include <algorithm>

#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

// Classes are handed out in rounds, each a fresh random order of all of them, so that the numbers of clients that hold
// a class differ by at most one; the samples of a class are cut evenly among its clients.
class ClassesPerClientPartitioner final : public Partitioner {
 public:
  explicit ClassesPerClientPartitioner(const scenario::ClassesPerClient& config) : per_client_(config.classes()) {}

  Deal deal(const DealInput& input, Stream& random) const override {
    const auto classes = shuffled_classes(input, random);
    std::vector<std::uint32_t> present;
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (!classes[c].empty()) present.push_back(static_cast<std::uint32_t>(c));
    }
    SOUK_REQUIRE(per_client_ <= present.size(),
                 "partition.classes_per_client.classes = {}: the data set has {} classes", per_client_, present.size());
    SOUK_REQUIRE(per_client_ >= (present.size() + input.agents - 1) / input.agents,
                 "partition.classes_per_client.classes = {}: {} clients cannot hold all of the data set's {} classes",
                 per_client_, input.agents, present.size());
    const auto holders = choose_holders(input.agents, present, classes.size(), random);
    std::vector<std::uint32_t> owner(input.labels.size(), no_owner);
    for (const std::uint32_t c : present) {
      SOUK_REQUIRE(holders[c].size() <= classes[c].size(),
                   "partition.classes_per_client: class {} has {} samples for the {} clients that are to hold it", c,
                   classes[c].size(), holders[c].size());
      for (std::size_t h = 0; h < holders[c].size(); ++h) {
        const std::size_t end = even_cut(classes[c].size(), holders[c].size(), h + 1);
        for (std::size_t i = even_cut(classes[c].size(), holders[c].size(), h); i < end; ++i) {
          owner[classes[c][i]] = holders[c][h];
        }
      }
    }
    return deal_by_owner(owner, input.agents);
  }

 private:
  // The clients of every class.
  std::vector<std::vector<std::uint32_t>> choose_holders(std::size_t agents, const std::vector<std::uint32_t>& present,
                                                         std::size_t classes, Stream& random) const {
    std::vector<std::vector<std::uint32_t>> holders(classes);
    std::vector<std::uint32_t> round;  // what is left of it is taken from the back
    std::vector<std::uint32_t> mine;
    for (std::uint32_t agent = 0; agent < agents; ++agent) {
      mine.clear();
      while (mine.size() < per_client_) {
        if (round.empty()) {
          round = present;
          random.shuffle(round);
          // An agent between two rounds must not meet a class twice: those it has go to the front, taken last.
          std::stable_partition(round.begin(), round.end(), [&mine](std::uint32_t c) {
            return std::find(mine.begin(), mine.end(), c) != mine.end();
          });
        }
        mine.push_back(round.back());
        holders[round.back()].push_back(agent);
        round.pop_back();
      }
    }
    // The first holders of a class get the odd samples: chance decides who they are.
    for (auto& agents_of_class : holders) random.shuffle(agents_of_class);
    return holders;
  }

  std::size_t per_client_;
};

const Register<Partitioner, ClassesPerClientPartitioner, scenario::ClassesPerClient>
    register_classes_per_client_partitioner;

}  // namespace
}  // namespace souk
