#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/byte_source.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/image_file.hpp"
#include "sim/data/recognition.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t image_file_bytes_max = std::uint64_t{1} << 28;

struct ImagePath {
  std::string path;
  std::int32_t label = 0;
};

bool is_image_name(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& letter : extension) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

// Names of the folders, or of the images, directly inside a directory, ascending. macOS leaves ._NAME beside NAME, and
// a folder __MACOSX of them beside a folder.
std::vector<std::string> list(const fs::path& directory, bool folders) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const bool is_folder = entry->is_directory(error);
    const std::string name = entry->path().filename().string();
    if (name[0] == '.' || name == "__MACOSX") continue;
    if (folders ? is_folder : !is_folder && is_image_name(entry->path())) names.push_back(name);
  }
  SOUK_REQUIRE(!error, "{}: cannot be listed: {}", directory.string(), error.message());
  std::sort(names.begin(), names.end());
  return names;
}

std::size_t count_hidden_images(const fs::path& directory) {
  std::error_code error;
  std::size_t count = 0;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    count += entry->path().filename().string()[0] == '.' && is_image_name(entry->path());
  }
  return count;
}

class ImageFolderReader final : public DatasetReader {
 public:
  ImageFolderReader(const scenario::ImageFolder& config, const ReaderContext& context)
      : directory_(data_path("task.data.image_folder.directory", config.directory())) {
    const fs::path train = fs::path(directory_) / "train", test = fs::path(directory_) / "test";
    SOUK_REQUIRE(fs::is_directory(train), "{}: no such directory (data.image_folder)", train.string());
    class_names_ = list(train, true);
    SOUK_REQUIRE(class_names_.size() >= 2, "{}: has {} class folders, needs at least 2", train.string(),
                 class_names_.size());
    images_[0] = find_images(train);
    if (fs::is_directory(test)) {
      for (const std::string& name : list(test, true)) {
        SOUK_REQUIRE(std::binary_search(class_names_.begin(), class_names_.end(), name),
                     "{}: class folder \"{}\" has no counterpart in {}", test.string(), name, train.string());
      }
      images_[1] = find_images(test);
    } else {
      split_classes(config.test_fraction(), config.split_seed() > 0 ? config.split_seed() : context.seed);
    }
    if (hidden_ > 0) {
      warnings_.push_back(
          fmt::format("{}: {} image files whose names begin with a dot were passed over", directory_, hidden_));
    }
    SOUK_REQUIRE(!images_[0].empty(), "{}: has no PNG or JPEG image", train.string());
    const std::string& first = images_[0].front().path;
    image_shape_ = image_shape(read_whole_file(first, image_file_bytes_max), first);
  }

  DatasetShape shape(Split split) override {
    return {images(split).size(),
            {image_shape_.channels, image_shape_.height, image_shape_.width},
            Element::u8,
            class_names_,
            0};
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    SOUK_EXPECT(rows.begin <= rows.end && rows.end <= images(split).size());
    const std::size_t features = image_shape_.channels * image_shape_.height * image_shape_.width;
    SOUK_EXPECT(out.labels.size() == rows.end - rows.begin && out.u8.size() == out.labels.size() * features);
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      heartbeat::beat();
      const ImagePath& image = images(split)[row];
      const auto content = read_whole_file(image.path, image_file_bytes_max);
      decode_image(content, image.path, image_shape_, out.u8.subspan((row - rows.begin) * features, features));
      out.labels[row - rows.begin] = image.label;
    }
  }

  bool rows_are_independent() const override { return true; }
  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  const std::vector<ImagePath>& images(Split split) const { return images_[split == Split::train ? 0 : 1]; }

  std::vector<ImagePath> find_images(const fs::path& directory) {
    std::vector<ImagePath> found;
    for (std::size_t c = 0; c < class_names_.size(); ++c) {
      const fs::path folder = directory / class_names_[c];
      if (!fs::is_directory(folder)) continue;
      hidden_ += count_hidden_images(folder);
      for (const std::string& name : list(folder, false)) {
        found.push_back({(folder / name).string(), static_cast<std::int32_t>(c)});
      }
    }
    return found;
  }

  // Draws the test share of every class, at least one image of each class that has two.
  void split_classes(double fraction, std::uint64_t seed) {
    const std::vector<ImagePath> all = std::move(images_[0]);
    images_[0].clear();
    for (std::size_t begin = 0; begin < all.size();) {
      std::size_t end = begin;
      while (end < all.size() && all[end].label == all[begin].label) ++end;
      std::vector<std::uint32_t> order(end - begin);
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
      Stream random(seed, streams::image_split(static_cast<std::uint64_t>(all[begin].label)));
      random.shuffle(order);
      const double share = std::floor(fraction * static_cast<double>(order.size()));
      const std::size_t tested = std::max(static_cast<std::size_t>(share), std::size_t{order.size() > 1});
      std::vector<bool> is_test(order.size());
      for (std::size_t i = 0; i < tested; ++i) is_test[order[i]] = true;
      for (std::size_t i = 0; i < order.size(); ++i) images_[is_test[i] ? 1 : 0].push_back(all[begin + i]);
      begin = end;
    }
  }

  std::string directory_;
  std::vector<std::string> class_names_;
  std::array<std::vector<ImagePath>, 2> images_;
  ImageShape image_shape_;
  std::size_t hidden_ = 0;
  std::vector<std::string> warnings_;
};

std::optional<Recognised> recognise_image_folder(const std::string& path, const RecognitionHints&) {
  const fs::path train = fs::path(path) / "train";
  if (!fs::is_directory(train) || list(train, true).empty()) return std::nullopt;
  Recognised found = recognised_as("image folder");
  found.data->mutable_image_folder()->set_directory(path);
  return found;
}

const RegisterRecogniser image_folder_recogniser(50, recognise_image_folder);

const RegisterReader<ImageFolderReader, scenario::ImageFolder> register_image_folder_reader;

}  // namespace
}  // namespace souk
