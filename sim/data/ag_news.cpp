#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/error.hpp"
#include "sim/data/byte_source.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/table_columns.hpp"
#include "sim/data/text_reader.hpp"
#include "sim/data/text_table.hpp"
#include "sim/data/words.hpp"

namespace souk {
namespace {

constexpr double class_max = 65536;

// A news file in memory: a table of class number and texts. A first row without a class number is its header.
class NewsTable {
 public:
  explicit NewsTable(const std::string& path) : table_(path, ',', false) {
    SOUK_REQUIRE(table_.columns() >= 2, "{}: line {}: has no column of text beside the class", path, table_.line(0));
    first_ = parse_number(table_.cell(0, 0)) ? 0 : 1;
    for (std::size_t row = first_; row < table_.rows(); ++row) {
      check_class(row);
      std::string& text = texts_.emplace_back();
      for (std::size_t c = 1; c < table_.columns(); ++c) text.append(table_.cell(row, c)).push_back(' ');
    }
    SOUK_REQUIRE(!texts_.empty(), "{}: has no row beside its header", path);
  }

  LabelledTexts news() const {
    LabelledTexts news{table_.path(), {}, {}, {}};
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      news.add(table_.cell(first_ + i, 0), texts_[i], table_.line(first_ + i));
    }
    return news;
  }

 private:
  void check_class(std::size_t row) const {
    const auto number = parse_number(table_.cell(row, 0));
    const bool whole = number && *number >= 1 && *number <= class_max && *number == static_cast<std::int32_t>(*number);
    SOUK_REQUIRE(whole, "{}: line {}: class {}: must be a whole number from 1 to {:.0f}", table_.path(),
                 table_.line(row), quote_cell(table_.cell(row, 0)), class_max);
  }

  TextTable table_;
  std::size_t first_ = 0;  // row of the table
  std::vector<std::string> texts_;
};

// News in the format of Zhang, Zhao, LeCun. Classes are named by their numbers: the file holds no other names.
class AgNewsReader final : public TextReader {
 public:
  AgNewsReader(const scenario::AgNews& config, const ReaderContext& context)
      : TextReader(config.text()), train_(data_path("task.data.ag_news.train", config.train())) {
    if (config.test().empty()) {
      take(train_.news(), TestDraw{.share = config.test_fraction(),
                                   .seed = config.split_seed() > 0 ? config.split_seed() : context.seed});
      return;
    }
    test_ = std::make_unique<NewsTable>(data_path("task.data.ag_news.test", config.test()));
    take(train_.news(), test_->news());
  }

 private:
  NewsTable train_;
  std::unique_ptr<NewsTable> test_;
};

// Class numbers in the first column, sentences in the last one, with or without a header.
bool holds_news(const TextTable& table) {
  constexpr std::size_t sentence = 5, classes_max = 1000;
  std::size_t sentences = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto number = parse_number(table.cell(row, 0));
    const bool is_class = number && *number >= 1 && *number <= classes_max && *number == std::floor(*number);
    if (!is_class && (row > 0 || number)) return false;
    sentences += count_words(table.cell(row, table.columns() - 1)) >= sentence;
  }
  return table.columns() >= 2 && 2 * sentences > table.rows();
}

std::optional<Recognised> recognise_news(const std::string& path, const RecognitionHints& hints) {
  if (!path.ends_with(".csv") && !path.ends_with(".csv.gz")) return std::nullopt;
  if (!hints.label.empty()) return std::nullopt;
  try {
    if (!holds_news(TextTable(path, ',', false))) return std::nullopt;
  } catch (const InputError&) {  // no table with commas
    return std::nullopt;
  }
  Recognised found = recognised_as("news with class numbers (AG_NEWS)");
  found.data->mutable_ag_news()->set_train(path);
  const std::filesystem::path file(path);
  if (file.filename().string().starts_with("train.csv")) {
    const std::array<std::string, 1> beside{"test.csv"};
    found.data->mutable_ag_news()->set_test(find_data_file(file.parent_path().string(), beside));
  }
  return found;
}

const RegisterRecogniser news_recogniser(70, recognise_news);

const RegisterReader<AgNewsReader, scenario::AgNews> register_ag_news_reader;

}  // namespace
}  // namespace souk
