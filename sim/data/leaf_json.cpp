#include "sim/data/leaf_json.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <istream>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/base/contract.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/source_buffer.hpp"
#include "sim/data/table_columns.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

float token_of(char character) {
  const std::size_t place = leaf_characters.find(character);
  return place == std::string_view::npos ? 1.0F : static_cast<float>(2 + place);
}

/// Takes the events of one file. What lies at a value's place is known by the keys above it.
class LeafHandler final : public nlohmann::json_sax<json> {
 public:
  LeafHandler(const std::string& path, LeafUsers& into) : path_(path), into_(into) {}

  /// Once the file has been read.
  void check_counts() const {
    SOUK_REQUIRE(has_user_data_, "{}: has no \"user_data\": it is not in LEAF's format", path_);
    SOUK_REQUIRE(counts_.empty() || counts_.size() == names_.size(), "{}: {} values of \"num_samples\" for {} users",
                 path_, counts_.size(), names_.size());
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const auto found = samples_of_.find(names_[i]);
      SOUK_REQUIRE(found != samples_of_.end(), "{}: user {} has no \"user_data\"", path_, quote_cell(names_[i]));
      SOUK_REQUIRE(counts_.empty() || counts_[i] == found->second,
                   "{}: user {} has {} samples, \"num_samples\" says {}", path_, quote_cell(names_[i]), found->second,
                   counts_[i]);
    }
  }

  bool null() override { return value("null"); }
  bool boolean(bool value_read) override { return value(value_read ? "true" : "false"); }
  bool number_integer(number_integer_t number) override {
    return this->number(static_cast<double>(number), std::to_string(number));
  }
  bool number_unsigned(number_unsigned_t number) override {
    return this->number(static_cast<double>(number), std::to_string(number));
  }
  bool number_float(number_float_t number, const string_t&) override {
    return this->number(number, fmt::format("{}", number));
  }
  bool binary(binary_t&) override { return value("binary data"); }

  bool string(string_t& text) override {
    if (skipping()) return skip_scalar();
    switch (place()) {
      case Place::users:
        names_.push_back(text);
        return true;
      case Place::x:
        add_text(text);
        return true;
      case Place::y:
        user().labels.push_back(text);
        return true;
      default:
        return value(quote_cell(text));
    }
  }

  bool start_object(std::size_t) override {
    if (skipping()) return ++skipped_depth_, true;
    if (path_in_.empty()) {
      path_in_.emplace_back();
    } else if (place() == Place::user_data || place() == Place::user) {
      path_in_.emplace_back();
    } else {
      return value("an object");
    }
    if (path_in_.size() == 3) begin_user(path_in_[1]);
    return true;
  }
  bool key(string_t& name) override {
    if (skipped_depth_ > 0) return true;
    path_in_.back() = name;
    if (path_in_.size() == 1) has_user_data_ = has_user_data_ || name == "user_data";
    skip_next_ = (path_in_.size() == 1 && name != "users" && name != "num_samples" && name != "user_data") ||
                 (path_in_.size() == 3 && name != "x" && name != "y");
    return true;
  }
  bool end_object() override {
    if (skipped_depth_ > 0) return end_skipped();
    if (path_in_.size() == 3) end_user();
    path_in_.pop_back();
    return true;
  }

  bool start_array(std::size_t) override {
    if (skipping()) return ++skipped_depth_, true;
    ++arrays_;
    const std::size_t most = place() == Place::x ? 2 : 1;
    const bool fits =
        place() == Place::users || place() == Place::num_samples || place() == Place::x || place() == Place::y;
    SOUK_REQUIRE(fits && arrays_ <= most, "{}: {}: a list where none belongs (samples are flat lists of numbers)",
                 path_, where());
    sample_begin_ = arrays_ == 2 ? user().x.size() : sample_begin_;
    return true;
  }
  bool end_array() override {
    if (skipped_depth_ > 0) return end_skipped();
    if (arrays_ == 2) end_sample(user().x.size() - sample_begin_, false);
    --arrays_;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) override {
    const std::string text = error.what();
    const std::size_t begin = text.find("] ");
    throw_input_error("{}: byte {}: {}", path_, position, begin == std::string::npos ? text : text.substr(begin + 2));
  }

 private:
  enum class Place { top, users, num_samples, user_data, user, x, y };

  Place place() const {
    if (path_in_.size() == 1 && path_in_[0] == "users") return Place::users;
    if (path_in_.size() == 1 && path_in_[0] == "num_samples") return Place::num_samples;
    if (path_in_.size() == 1 && path_in_[0] == "user_data") return Place::user_data;
    if (path_in_.size() == 2) return Place::user;
    if (path_in_.size() == 3 && path_in_[2] == "x") return Place::x;
    if (path_in_.size() == 3 && path_in_[2] == "y") return Place::y;
    return Place::top;
  }

  std::string where() const {
    if (path_in_.empty()) return "at its top";
    if (path_in_.size() == 3) return fmt::format("user {}, \"{}\"", quote_cell(path_in_[1]), path_in_[2]);
    return fmt::format("\"{}\"", path_in_.back());
  }

  bool skipping() const { return skip_next_ || skipped_depth_ > 0; }
  bool skip_scalar() {
    skip_next_ = skip_next_ && skipped_depth_ > 0;
    return true;
  }
  bool end_skipped() {
    if (--skipped_depth_ == 0) skip_next_ = false;
    return true;
  }

  bool value(const std::string& what) {
    if (skipping()) return skip_scalar();
    throw_input_error("{}: {}: {} does not belong here", path_, where(), what);
  }

  bool number(double number, const std::string& spelling) {
    if (skipping()) return skip_scalar();
    const bool fits = std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max());
    if (place() == Place::num_samples && arrays_ == 1 && number >= 0 && number == std::floor(number)) {
      counts_.push_back(static_cast<std::size_t>(number));
    } else if (place() == Place::x && arrays_ == 2 && fits) {
      user().x.push_back(static_cast<float>(number));
    } else if (place() == Place::y && arrays_ == 1) {
      user().labels.push_back(spelling);
    } else {
      return value(spelling);
    }
    return true;
  }

  LeafUser& user() { return into_.users.back(); }

  void begin_user(const std::string& name) {
    constexpr double left_over = 64e6;
    SOUK_REQUIRE(available_memory() > left_over, "{}: its samples do not fit into memory; this node has {} left", path_,
                 bytes_text(available_memory()));
    into_.users.push_back({name, {}, {}});
    samples_ = 0;
  }

  void add_text(const std::string& text) {
    if (arrays_ == 2) throw_input_error("{}: {}: samples that are lists of texts are not read", path_, where());
    for (const char character : text) user().x.push_back(token_of(character));
    end_sample(text.size(), true);
  }

  void end_sample(std::size_t width, bool text) {
    const bool first = into_.width == 0;
    if (first) into_.width = width, into_.texts = text;
    SOUK_REQUIRE(width > 0 && width == into_.width, "{}: {}: sample {} has {} values, the first one {}", path_, where(),
                 samples_, width, into_.width);
    SOUK_REQUIRE(text == into_.texts, "{}: {}: sample {} is {}, the first one {}", path_, where(), samples_,
                 text ? "a text" : "a list of numbers", text ? "a list of numbers" : "a text");
    ++samples_;
  }

  void end_user() {
    LeafUser& read = user();
    SOUK_REQUIRE(read.labels.size() == samples_, "{}: user {}: {} samples in \"x\", {} in \"y\"", path_,
                 quote_cell(read.name), samples_, read.labels.size());
    read.x.shrink_to_fit();
    SOUK_REQUIRE(samples_of_.emplace(read.name, samples_).second, "{}: user {} is there twice", path_,
                 quote_cell(read.name));
  }

  std::string path_;
  LeafUsers& into_;
  std::vector<std::string> path_in_;            // the key that is being read, of every open object
  std::size_t arrays_ = 0;                      // open ones
  std::size_t skipped_depth_ = 0;               // open containers of a value that is passed over
  bool skip_next_ = false;                      // whether the next value is
  std::size_t sample_begin_ = 0, samples_ = 0;  // of the user
  std::vector<std::string> names_;
  std::vector<std::size_t> counts_;
  std::map<std::string, std::size_t> samples_of_;
  bool has_user_data_ = false;
};

std::vector<std::string> json_files(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name[0] != '.' && (name.ends_with(".json") || name.ends_with(".json.gz")))
      files.push_back(entry->path().string());
  }
  SOUK_REQUIRE(!error, "{}: cannot be listed: {}", path, error.message());
  SOUK_REQUIRE(!files.empty(), "{}: has no .json file", path);
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::size_t LeafUsers::samples() const {
  std::size_t sum = 0;
  for (const LeafUser& user : users) sum += user.labels.size();
  return sum;
}

LeafUsers read_leaf(const std::string& path) {
  LeafUsers all;
  std::map<std::string, std::string> file_of;
  for (const std::string& file : json_files(path)) {
    const std::size_t before = all.users.size();
    SourceBuffer buffer(file);
    std::istream stream(&buffer);
    stream.exceptions(std::ios::badbit);  // or what the source says would be lost
    LeafHandler handler(file, all);
    json::sax_parse(stream, &handler);
    handler.check_counts();
    for (std::size_t i = before; i < all.users.size(); ++i) {
      const auto [known, is_new] = file_of.try_emplace(all.users[i].name, file);
      SOUK_REQUIRE(is_new, "{}: user {} is in {}, too", file, quote_cell(all.users[i].name), known->second);
    }
  }
  SOUK_REQUIRE(all.samples() > 0, "{}: has no sample", path);
  return all;
}

}  // namespace souk
