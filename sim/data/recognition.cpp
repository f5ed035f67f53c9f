#include "sim/data/recognition.hpp"

#include <filesystem>
#include <map>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

std::map<int, Recogniser>& recognisers() {
  static std::map<int, Recogniser> all;
  return all;
}

}  // namespace

RegisterRecogniser::RegisterRecogniser(int order, Recogniser recogniser) {
  SOUK_EXPECT(recognisers().emplace(order, std::move(recogniser)).second);
}

std::optional<Recognised> recognise(const std::string& path, const RecognitionHints& hints) {
  for (const auto& [order, recogniser] : recognisers()) {
    if (auto found = recogniser(path, hints)) return found;
  }
  return std::nullopt;
}

std::string test_file_beside(const std::string& path) {
  const std::filesystem::path file(path);
  std::string name = file.filename().string();
  const std::size_t at = name.rfind("train");
  if (at == std::string::npos) return {};
  const std::filesystem::path beside = file.parent_path() / name.replace(at, 5, "test");
  return std::filesystem::is_regular_file(beside) ? beside.string() : std::string();
}

bool has_extension(const std::string& path, std::initializer_list<const char*> extensions) {
  const std::string bare = path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path;
  for (const char* extension : extensions) {
    if (bare.ends_with(extension)) return true;
  }
  return false;
}

Recognised recognised_as(const std::string& format) { return {format, std::make_shared<scenario::Data>()}; }

}  // namespace souk
