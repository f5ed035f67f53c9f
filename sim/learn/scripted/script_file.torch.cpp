#include "sim/learn/scripted/script_file.torch.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <torch/csrc/jit/serialization/import.h>

#include "sim/base/contract.hpp"
#include "sim/data/zip_archive.hpp"
#include "sim/learn/scripted/script_operators.torch.hpp"
#include "sim/learn/torch_body.torch.hpp"

namespace souk {
namespace {

/// Most bytes of a file of code, unpacked.
constexpr std::uint64_t most_code = 64U << 20U;

std::string text_in(const std::string& path, const ZipMember& member) {
  SOUK_REQUIRE(member.bytes <= most_code, "{}: holds {} with {} bytes of code, more than any network needs", path,
               member.name, member.bytes);
  std::string text(member.bytes, '\0');
  ByteSource source(path, member.extent);
  source.read({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return text;
}

/// What can be said before LibTorch reads the file: it would run __setstate__ while it reads.
void check_archive(const std::string& path) {
  const std::vector<ZipMember> members = list_zip_members(path);
  const auto is_code = [](const ZipMember& member) {
    return member.name.find("/code/") != std::string::npos && member.name.ends_with(".py");
  };
  SOUK_REQUIRE(std::ranges::any_of(members, is_code),
               "{}: holds no TorchScript: a module is saved by torch.jit.script(net).save(...) or "
               "torch.jit.trace(net, batch).save(...), and torch.save keeps values alone",
               path);
  for (const ZipMember& member : members) {
    if (!is_code(member)) continue;
    SOUK_REQUIRE(text_in(path, member).find("def __setstate__(") == std::string::npos,
                 "{}: {} has a __setstate__, which would run while the file is read: a network may have none", path,
                 member.name);
  }
}

void check_forward(const std::string& path, const torch::jit::Module& module) {
  const auto forward = module.find_method("forward");
  SOUK_REQUIRE(forward.has_value(), "{}: the module has no method forward", path);
  const auto& arguments = forward->function().getSchema().arguments();
  const auto needed = std::ranges::count_if(arguments, [](const auto& argument) { return !argument.default_value(); });
  SOUK_REQUIRE(arguments.size() >= 2 && needed <= 2,
               "{}: forward takes {} arguments without a default beside the module, must take one: the batch", path,
               needed - 1);
}

}  // namespace

torch::jit::Module load_script(const std::string& path) {
  check_archive(path);
  torch::jit::Module module;
  try {
    module = torch::jit::load(path, at::kCPU);
  } catch (const std::exception& error) {
    throw_input_error("{}: LibTorch cannot read it: {}", path, complaint_of(error));
  }
  check_forward(path, module);
  check_operators(path, module);
  return module;
}

}  // namespace souk
