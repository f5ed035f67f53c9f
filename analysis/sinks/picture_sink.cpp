#include "analysis/sinks/picture_sink.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "analysis/png.hpp"
#include "sim/base/atomic_file.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

class PictureSink final : public MetricSink {
 public:
  PictureSink(MetricSink& inner, fs::path directory) : inner_(inner), directory_(std::move(directory)) {}

  void describe(const std::map<std::string, std::string>& facts) override { inner_.describe(facts); }
  void commit_set_up(const SetUpRecord& record) override { inner_.commit_set_up(record); }

  void commit(const RoundRecord& record) override {
    inner_.commit(record);
    if (record.pictures.empty()) return;
    fs::create_directories(directory_);
    for (const PictureRow& picture : record.pictures) {
      write_file_atomically(directory_ / (picture.name + ".png"), png_of(magnified(picture)));
    }
  }

  /// Pictures of later rounds stay until they are written again, to the same bytes.
  void rewind(RoundIndex last_kept) override { inner_.rewind(last_kept); }

 private:
  /// By a whole number, to 240 pixels of width or less.
  static PictureRow magnified(const PictureRow& picture) {
    const std::size_t factor = std::max<std::size_t>(1, 240 / picture.width);
    PictureRow large{.name = picture.name,
                     .channels = picture.channels,
                     .height = factor * picture.height,
                     .width = factor * picture.width,
                     .values = {}};
    for (std::size_t y = 0; y < large.height; ++y) {
      for (std::size_t x = 0; x < large.width; ++x) {
        const std::size_t pixel = (y / factor * picture.width + x / factor) * picture.channels;
        for (std::size_t c = 0; c < picture.channels; ++c) large.values.push_back(picture.values[pixel + c]);
      }
    }
    return large;
  }

  MetricSink& inner_;
  fs::path directory_;
};

}  // namespace

std::unique_ptr<MetricSink> with_pictures(MetricSink& inner, const fs::path& directory) {
  return std::make_unique<PictureSink>(inner, directory);
}

}  // namespace souk
