// LibTorch's own reader of torch.save's files, on those that Souk writes.
#include "sim/data/tensor_files.hpp"

#include <fstream>
#include <iterator>

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include "tests/sim/data/support.hpp"

namespace souk::tensor_files_torch_test {
namespace {

TEST(TorchFile, is_a_dict_of_tensors_to_libtorch) {
  const test::TempDirectory directory;
  std::vector<float> values(24), bias{1.5F};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.1F * static_cast<float>(i) - 1.0F;
  const std::vector<TensorView> views{{"conv.weight", {2, 3, 2, 2}, values}, {"conv.bias", {1}, bias}};
  write_pt(directory / "model.pt", views);

  std::ifstream file(directory / "model.pt", std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const auto state = torch::jit::pickle_load(bytes).toGenericDict();

  ASSERT_EQ(state.size(), views.size());
  for (const TensorView& view : views) {
    const at::Tensor tensor = state.at(view.name).toTensor();
    EXPECT_EQ(tensor.sizes(), at::IntArrayRef(view.shape));
    EXPECT_TRUE(tensor.is_contiguous());
    EXPECT_FALSE(tensor.requires_grad());
    const at::Tensor expected = at::from_blob(const_cast<float*>(view.values.data()), view.shape);
    EXPECT_TRUE(tensor.equal(expected)) << view.name;
  }
}

}  // namespace
}  // namespace souk::tensor_files_torch_test
