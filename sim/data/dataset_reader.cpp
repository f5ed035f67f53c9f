#include "sim/data/dataset_reader.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/dataset_format.hpp"

namespace souk {
namespace {

const char* name_of(Split split) { return split == Split::train ? "training" : "test"; }

// The first samples of another reader's splits, and the checks that hold for every format.
class LimitedReader final : public DatasetReader {
 public:
  LimitedReader(std::unique_ptr<DatasetReader> reader, std::size_t train_limit, std::size_t test_limit)
      : reader_(std::move(reader)), train_limit_(train_limit), test_limit_(test_limit) {}

  DatasetShape shape(Split split) override {
    DatasetShape shape = reader_->shape(split);
    const std::size_t limit = split == Split::train ? train_limit_ : test_limit_;
    if (limit > 0) shape.samples = std::min(shape.samples, limit);
    SOUK_REQUIRE(shape.samples > 0, "data: the {} split has no samples", name_of(split));
    SOUK_REQUIRE(shape.samples <= std::numeric_limits<SampleIndex>::max(),
                 "data: the {} split has {} samples, more than {}", name_of(split), shape.samples,
                 std::numeric_limits<SampleIndex>::max());
    SOUK_REQUIRE(shape.numbers || shape.class_names.size() >= 2, "data: the data set has {} class, needs at least 2",
                 shape.class_names.size());
    SOUK_REQUIRE(shape.features() > 0, "data: the {} samples have no features", name_of(split));
    return shape;
  }
  void read(Split split, RowRange rows, const DatasetBuffers& out) override { reader_->read(split, rows, out); }
  const StoredGraph* graph() const override { return reader_->graph(); }
  bool rows_are_independent() const override { return reader_->rows_are_independent(); }
  std::vector<std::string> warnings() const override { return reader_->warnings(); }

 private:
  std::unique_ptr<DatasetReader> reader_;
  std::size_t train_limit_, test_limit_;
};

}  // namespace

std::unique_ptr<DatasetReader> open_dataset(const scenario::Data& data, const ReaderContext& context) {
  ReaderContext limited = context;
  limited.train_limit = data.train_limit();
  limited.test_limit = data.test_limit();
  auto reader = PluginRegistry<DatasetFormat>::instance().create(data, "source")->open(limited);
  return std::make_unique<LimitedReader>(std::move(reader), data.train_limit(), data.test_limit());
}

std::string expand_environment(const std::string& path) {
  std::string expanded;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t dollar = path.find("${", begin);
    if (dollar == std::string::npos) return expanded + path.substr(begin);
    const std::size_t end = path.find('}', dollar);
    SOUK_REQUIRE(end != std::string::npos, "path \"{}\": ${{ without }}", path);
    const std::string name = path.substr(dollar + 2, end - dollar - 2);
    const char* value = std::getenv(name.c_str());
    SOUK_REQUIRE(value != nullptr, "path \"{}\": the environment variable {} is not set", path, name);
    expanded += path.substr(begin, dollar - begin) + value;
    begin = end + 1;
  }
}

}  // namespace souk
