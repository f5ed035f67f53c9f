#pragma once

#include <memory>

#include "sim/base/plugin_registry.hpp"
#include "sim/data/dataset_reader.hpp"

namespace souk {

/// A public format of data sets: what the registry makes from the `source` of scenario::Data.
class DatasetFormat {
 public:
  virtual ~DatasetFormat() = default;
  virtual std::unique_ptr<DatasetReader> open(const ReaderContext& context) const = 0;
};

/// The format whose reader is constructed from its message and the context.
template <class Reader, class Config>
class FormatOf final : public DatasetFormat {
 public:
  explicit FormatOf(const Config& config) : config_(config) {}
  std::unique_ptr<DatasetReader> open(const ReaderContext& context) const override {
    return std::make_unique<Reader>(config_, context);
  }

 private:
  Config config_;
};

/// `const RegisterReader<IdxReader, scenario::Idx> register_idx_reader;` at the end of idx.cpp.
template <class Reader, class Config>
using RegisterReader = Register<DatasetFormat, FormatOf<Reader, Config>, Config>;

}  // namespace souk
