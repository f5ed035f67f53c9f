#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/byte_source.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/recognition.hpp"

namespace souk {
namespace {

constexpr std::size_t image_bytes = 3 * 32 * 32;

constexpr std::string_view cifar10_names = "airplane automobile bird cat deer dog frog horse ship truck";
constexpr std::string_view cifar100_coarse_names =
    "aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices "
    "household_furniture insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes "
    "large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees "
    "vehicles_1 vehicles_2";
constexpr std::string_view cifar100_fine_names =
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle "
    "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant "
    "flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man "
    "maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree "
    "plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper "
    "snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train "
    "trout tulip turtle wardrobe whale willow_tree wolf woman worm";

// How the records of a variant look: label bytes, then the image, channel after channel.
struct Variant {
  std::string_view names;
  std::size_t label_bytes;
  std::size_t label_at;  // the label byte we use
};

Variant variant_of(scenario::Cifar::Labels labels) {
  if (labels == scenario::Cifar::CIFAR100_FINE) return {cifar100_fine_names, 2, 1};
  if (labels == scenario::Cifar::CIFAR100_COARSE) return {cifar100_coarse_names, 2, 0};
  return {cifar10_names, 1, 0};
}

std::vector<std::string> split_words(std::string_view words) {
  std::vector<std::string> result;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    result.emplace_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return result;
}

// https://www.cs.toronto.edu/~kriz/cifar.html, binary version.
class CifarReader final : public DatasetReader {
 public:
  CifarReader(const scenario::Cifar& config, const ReaderContext&)
      : directory_(data_path("task.data.cifar.directory", config.directory())),
        variant_(variant_of(config.labels())),
        class_names_(split_words(variant_.names)) {
    if (config.labels() == scenario::Cifar::CIFAR10) {
      find_training_batches();
      parts_[1].push_back(open_required("test_batch.bin"));
    } else {
      parts_[0].push_back(open_required("train.bin"));
      parts_[1].push_back(open_required("test.bin"));
    }
  }

  DatasetShape shape(Split split) override {
    DatasetShape shape;
    for (const Part& part : parts(split)) shape.samples += part.samples;
    shape.sample_shape = {3, 32, 32};
    shape.element = Element::u8;
    shape.class_names = class_names_;
    return shape;
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    SOUK_EXPECT(rows.begin <= rows.end && out.labels.size() == rows.end - rows.begin);
    SOUK_EXPECT(out.u8.size() == out.labels.size() * image_bytes);
    std::size_t first = 0;  // row number of the part's first record
    for (const Part& part : parts(split)) {
      const RowRange wanted{std::max(rows.begin, first), std::min(rows.end, first + part.samples)};
      if (wanted.begin < wanted.end) {
        const std::size_t at = wanted.begin - rows.begin, count = wanted.end - wanted.begin;
        DatasetBuffers some;
        some.u8 = out.u8.subspan(at * image_bytes, count * image_bytes);
        some.labels = out.labels.subspan(at, count);
        read_part(part, {wanted.begin - first, wanted.end - first}, some);
      }
      first += part.samples;
    }
    SOUK_EXPECT(rows.end <= first);
  }

  bool rows_are_independent() const override { return !packed_; }
  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  struct Part {
    std::string path;
    std::size_t samples = 0;
  };

  const std::vector<Part>& parts(Split split) const { return parts_[split == Split::train ? 0 : 1]; }
  std::size_t record_bytes() const { return variant_.label_bytes + image_bytes; }

  std::string find(const std::string& name) const {
    const std::array<std::string, 1> names{name};
    return find_data_file(directory_, names);
  }

  void find_training_batches() {
    std::string missing;
    for (int batch = 1; batch <= 5; ++batch) {
      const std::string name = fmt::format("data_batch_{}.bin", batch);
      const std::string path = find(name);
      if (path.empty()) {
        missing += (missing.empty() ? "" : ", ") + name;
      } else {
        parts_[0].push_back(open_part(path));
      }
    }
    SOUK_REQUIRE(!parts_[0].empty(), "{}: has no file data_batch_1.bin to data_batch_5.bin, nor one with .gz",
                 directory_);
    if (!missing.empty()) warnings_.push_back(fmt::format("{}: training without {}", directory_, missing));
  }

  Part open_required(const std::string& name) {
    const std::string path = find(name);
    SOUK_REQUIRE(!path.empty(), "{}: has no file {} or {}.gz", directory_, name, name);
    return open_part(path);
  }

  Part open_part(const std::string& path) {
    const ByteSource source(path);
    const std::uint64_t bytes = source.size_claim();
    packed_ = packed_ || source.packed();
    if (bytes > source.size_bound()) source.fail(fmt::format("cannot unpack to the {} bytes it claims", bytes));
    if (bytes == 0 || bytes % record_bytes() != 0) {
      source.fail(fmt::format("{} bytes are not a positive multiple of the record size, {}", bytes, record_bytes()));
    }
    return {path, bytes / record_bytes()};
  }

  void read_part(const Part& part, RowRange rows, const DatasetBuffers& out) const {
    ByteSource source(part.path);
    source.skip(rows.begin * record_bytes());
    std::array<std::uint8_t, 2> labels{};
    for (std::size_t i = 0; i < rows.end - rows.begin; ++i) {
      source.read(std::span(labels).first(variant_.label_bytes));
      source.read(out.u8.subspan(i * image_bytes, image_bytes));
      const std::uint8_t label = labels[variant_.label_at];
      if (label >= class_names_.size()) {
        source.fail(fmt::format("label {} of record {} is not below {}", label, rows.begin + i, class_names_.size()));
      }
      out.labels[i] = label;
    }
    if (rows.end == part.samples) source.expect_end();
  }

  std::string directory_;
  Variant variant_;
  std::vector<std::string> class_names_;
  std::array<std::vector<Part>, 2> parts_;
  std::vector<std::string> warnings_;
  bool packed_ = false;
};

std::optional<Recognised> recognise_cifar(const std::string& path, const RecognitionHints&) {
  if (!std::filesystem::is_directory(path)) return std::nullopt;
  const auto has = [&path](const std::string& name) {
    const std::array<std::string, 1> names{name};
    return !find_data_file(path, names).empty();
  };
  Recognised found = recognised_as("CIFAR-10 directory");
  found.data->mutable_cifar()->set_directory(path);
  if (has("test_batch.bin")) return found;
  if (!has("train.bin") || !has("test.bin")) return std::nullopt;
  found.format = "CIFAR-100 directory";
  found.data->mutable_cifar()->set_labels(scenario::Cifar::CIFAR100_FINE);
  return found;
}

const RegisterRecogniser cifar_recogniser(20, recognise_cifar);

const RegisterReader<CifarReader, scenario::Cifar> register_cifar_reader;

}  // namespace
}  // namespace souk
