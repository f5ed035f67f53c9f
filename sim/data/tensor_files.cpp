#include "sim/data/tensor_files.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/contract.hpp"
#include "sim/data/npy_array.hpp"
#include "sim/data/zip_archive.hpp"
#include "sim/data/zip_writer.hpp"

namespace souk {
namespace {

std::span<const std::byte> bytes_in(const std::string& text) { return std::as_bytes(std::span(text)); }

/// As Python writes a tuple.
std::string tuple_text(std::span<const std::int64_t> shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

/// Opcodes of Python's pickles, protocol 2, in the words that torch.save uses: what torch.load takes with weights_only.
class PickleWriter {
 public:
  PickleWriter() { bytes_ = "\x80\x02"; }
  void op(char code) { bytes_ += code; }
  void global(const char* module, const char* name) { bytes_ += fmt::format("c{}\n{}\n", module, name); }
  void text(const std::string& value) {
    op('X');
    number(value.size(), 4);
    bytes_ += value;
  }
  void integer(std::int64_t value) {
    if (value <= std::numeric_limits<std::int32_t>::max()) {
      op('J');
      number(static_cast<std::uint64_t>(value), 4);
    } else {
      bytes_ += "\x8a\x08";
      number(static_cast<std::uint64_t>(value), 8);
    }
  }
  void tuple(std::span<const std::int64_t> values) {
    op('(');
    for (const std::int64_t value : values) integer(value);
    op('t');
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void number(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  std::string bytes_;
};

/// torch._utils._rebuild_tensor_v2(storage, 0, shape, stride, False, OrderedDict()), the storage named by a number.
void add_tensor(PickleWriter& pickle, const TensorView& tensor, std::size_t storage) {
  std::vector<std::int64_t> strides(tensor.shape.size(), 1);
  for (std::size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * tensor.shape[i];
  pickle.global("torch._utils", "_rebuild_tensor_v2");
  pickle.op('(');
  pickle.op('(');
  pickle.text("storage");
  pickle.global("torch", "FloatStorage");
  pickle.text(std::to_string(storage));
  pickle.text("cpu");
  pickle.integer(static_cast<std::int64_t>(tensor.values.size()));
  pickle.op('t');
  pickle.op('Q');  // persistent id: the storage itself is a member of the archive
  pickle.integer(0);
  pickle.tuple(tensor.shape);
  pickle.tuple(strides);
  pickle.op('\x89');  // requires no gradient
  pickle.global("collections", "OrderedDict");
  pickle.op(')');
  pickle.op('R');  // no hooks
  pickle.op('t');
  pickle.op('R');
}

/// {name: tensor, …}
std::string pickled(std::span<const TensorView> tensors) {
  PickleWriter pickle;
  pickle.op('}');
  pickle.op('(');
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    pickle.text(tensors[i].name);
    add_tensor(pickle, tensors[i], i);
  }
  pickle.op('u');
  pickle.op('.');
  return pickle.bytes();
}

}  // namespace

void write_npz(const std::filesystem::path& path, std::span<const TensorView> tensors) {
  ZipWriter archive(path);
  for (const TensorView& tensor : tensors) {
    const std::string head = npy_head("<f4", tuple_text(tensor.shape));
    archive.add(tensor.name + ".npy", {bytes_in(head), std::as_bytes(tensor.values)});
  }
  archive.finish();
}

void write_pt(const std::filesystem::path& path, std::span<const TensorView> tensors) {
  constexpr std::uint64_t alignment = 64;  // of storages that are mapped into memory
  ZipWriter archive(path);
  const std::string pickle = pickled(tensors);
  archive.add("archive/data.pkl", {bytes_in(pickle)}, alignment);
  archive.add("archive/byteorder", {bytes_in("little")}, alignment);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    archive.add(fmt::format("archive/data/{}", i), {std::as_bytes(tensors[i].values)}, alignment);
  }
  archive.add("archive/version", {bytes_in("3\n")}, alignment);
  archive.finish();
}

std::vector<NamedTensor> read_npz(const std::string& path) {
  std::vector<NamedTensor> tensors;
  for (const ZipMember& member : list_zip_members(path)) {
    if (!member.name.ends_with(".npy")) continue;
    NamedTensor tensor{.name = member.name.substr(0, member.name.size() - 4), .shape = {}, .values = {}};
    const auto before = std::ranges::find(tensors, tensor.name, &NamedTensor::name);
    SOUK_REQUIRE(before == tensors.end(), "{}: holds two arrays \"{}\"", path, tensor.name);
    NpyArray array = open_npy(path, tensor.name);
    SOUK_REQUIRE(array.type.kind == 'f', "{}: holds {}, must hold float32 or float64", array.name, array.type.name());
    tensor.shape.assign(array.shape.begin(), array.shape.end());
    tensor.values.resize(array.values);
    read_npy(array, std::span(tensor.values));
    finish_npy(array);
    tensors.push_back(std::move(tensor));
  }
  SOUK_REQUIRE(!tensors.empty(), "{}: holds no array", path);
  return tensors;
}

}  // namespace souk
