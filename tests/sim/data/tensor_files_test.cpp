// Models in files; that NumPy and PyTorch read them is tested where those are (analysis/souk_py, sim/app).
#include "sim/data/tensor_files.hpp"

#include <numeric>

#include <gmock/gmock.h>

#include "sim/data/zip_archive.hpp"
#include "tests/sim/data/npz.hpp"

namespace souk::tensor_files_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

class TensorFiles : public testing::Test {
 protected:
  TensorFiles() : weights(6) { std::iota(weights.begin(), weights.end(), -2.5F); }
  std::vector<TensorView> views() const { return {{"1.weight", {2, 3}, weights}, {"1.bias", {2}, bias}}; }
  std::string refusal_of(const std::vector<Member>& members) const {
    write_file(archive, zip(members, false));
    try {
      read_npz(archive);
    } catch (const InputError& error) {
      return error.what();
    }
    return {};
  }
  TempDirectory directory;
  std::string archive = directory / "model.npz";
  std::vector<float> weights, bias{0.1F, -0.0F};
};

TEST_F(TensorFiles, are_read_as_they_were_written) {
  write_npz(archive, views());
  const std::vector<NamedTensor> read = read_npz(archive);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].name, "1.weight");
  EXPECT_THAT(read[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(bytes_of(read[0].values), bytes_of(weights));
  EXPECT_THAT(read[1].shape, ElementsAre(2));
  EXPECT_EQ(bytes_of(read[1].values), bytes_of(bias));  // minus zero as well
}

TEST_F(TensorFiles, hold_the_arrays_that_numpy_writes) {
  write_npz(archive, views());
  const std::vector<ZipMember> members = list_zip_members(archive);
  ASSERT_EQ(members.size(), 2U);
  const Bytes file = read_file(archive), expected = npy("'<f4'", "(2, 3)", bytes_of(weights));
  const auto begin = file.begin() + static_cast<std::ptrdiff_t>(members[0].extent.offset);
  EXPECT_EQ(members[0].name, "1.weight.npy");
  EXPECT_EQ(Bytes(begin, begin + static_cast<std::ptrdiff_t>(members[0].bytes)), expected);
  EXPECT_EQ(members[0].crc32, crc32(0, expected.data(), static_cast<uInt>(expected.size())));
}

TEST_F(TensorFiles, are_the_same_for_the_same_tensors) {
  for (const auto& write : {write_npz, write_pt}) {
    write(directory / "a", views());
    write(directory / "b", views());
    EXPECT_EQ(read_file(directory / "a"), read_file(directory / "b"));
  }
}

TEST_F(TensorFiles, of_torch_have_storages_where_they_can_be_mapped) {
  write_pt(directory / "model.pt", views());
  std::vector<std::string> names;
  for (const ZipMember& member : list_zip_members(directory / "model.pt")) {
    names.push_back(member.name);
    EXPECT_EQ(member.extent.offset % 64, 0U) << member.name;
  }
  EXPECT_THAT(names, ElementsAre("archive/data.pkl", "archive/byteorder", "archive/data/0", "archive/data/1",
                                 "archive/version"));
}

TEST_F(TensorFiles, of_doubles_are_rounded_and_of_others_refused) {
  write_file(archive, zip({{"w.npy", npy("'<f8'", "(2,)", bytes_of<double>({0.1, 2}))}}, true));
  EXPECT_THAT(read_npz(archive)[0].values, ElementsAre(0.1F, 2.0F));
  EXPECT_THAT(refusal_of({{"w.npy", npy("'<i4'", "(1,)", bytes_of<std::int32_t>({1}))}}),
              HasSubstr("model.npz: w.npy: holds int32, must hold float32 or float64"));
  EXPECT_THAT(refusal_of({{"w.npy", npy("'<f4'", "(1,)", bytes_of<float>({NAN}))}}),
              HasSubstr("w.npy: a value is not a finite float32 number"));
  const Member one{"w.npy", npy("'<f4'", "(1,)", bytes_of<float>({1}))};
  EXPECT_THAT(refusal_of({one, one}), HasSubstr("model.npz: holds two arrays \"w\""));
  EXPECT_THAT(refusal_of({{"readme.txt", {'n', 'o'}}}), HasSubstr("model.npz: holds no array"));
}

TEST_F(TensorFiles, leave_nothing_where_they_cannot_be_written) {
  EXPECT_THROW(write_npz(directory / "nowhere/model.npz", views()), std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(directory / "nowhere"));
}

}  // namespace
}  // namespace souk::tensor_files_test
