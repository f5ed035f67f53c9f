#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/error.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/table_survey.hpp"
#include "sim/data/text_lines.hpp"
#include "sim/data/text_reader.hpp"
#include "sim/data/text_table.hpp"
#include "sim/data/vocabulary.hpp"
#include "sim/data/words.hpp"

namespace souk {
namespace {

// A file of labelled texts of either kind, in memory.
class TextSource {
 public:
  TextSource(const scenario::Lines& config, const std::string& path) : path_(path) {
    if (config.layout() == scenario::Lines::TABLE) {
      read_table(config);
    } else {
      read_lines(config.layout() == scenario::Lines::LABEL_TAB_TEXT ? '\t' : ' ');
    }
    SOUK_REQUIRE(!texts_.texts.empty(), "{}: has no text", path);
  }
  const LabelledTexts& texts() const { return texts_; }

 private:
  void read_lines(char between) {
    texts_.path = path_;
    lines_ = std::make_unique<TextLines>(path_);
    lines_->for_each([&](std::string_view text, std::size_t line) {
      const std::size_t at = text.find(between);
      SOUK_REQUIRE(at != std::string_view::npos, "{}: line {}: has no {} between a label and a text", path_, line,
                   between == '\t' ? "tab" : "space");
      const std::string_view label = trimmed(text.substr(0, at));
      SOUK_REQUIRE(!is_blank(label), "{}: line {}: the label is missing", path_, line);
      texts_.add(label, trimmed(text.substr(at + 1)), line);
    });
  }

  void read_table(const scenario::Lines& config) {
    texts_.path = path_;
    SOUK_REQUIRE(config.separator().size() == 1, "task.data.lines.separator = \"{}\": must be one character",
                 config.separator());
    table_ = std::make_unique<TextTable>(path_, config.separator()[0], true, config.quotes());
    const std::size_t label = column(config.label_column(), "label_column");
    std::vector<std::size_t> columns;
    for (const std::string& name : config.text_column()) columns.push_back(column(name, "text_column"));
    if (columns.empty()) columns.push_back(column("text", "text_column"));
    for (std::size_t row = 0; row < table_->rows(); ++row) {
      std::string& text = joined_.emplace_back();
      for (const std::size_t c : columns) text.append(table_->cell(row, c)).push_back(' ');
    }
    for (std::size_t row = 0; row < table_->rows(); ++row) {
      SOUK_REQUIRE(!is_blank(table_->cell(row, label)), "{}: line {}: column \"{}\": the label is missing", path_,
                   table_->line(row), config.label_column());
      texts_.add(table_->cell(row, label), joined_[row], table_->line(row));
    }
  }

  std::size_t column(const std::string& name, const char* field) const {
    const auto& names = table_->names();
    const auto found = std::ranges::find(names, name);
    SOUK_REQUIRE(found != names.end(), "task.data.lines.{} = \"{}\": {} has no such column; it has: {}", field, name,
                 path_, fmt::format("{}", fmt::join(names, ", ")));
    return static_cast<std::size_t>(found - names.begin());
  }

  std::string path_;
  std::unique_ptr<TextLines> lines_;
  std::unique_ptr<TextTable> table_;
  std::vector<std::string> joined_;  // [rows] of a table
  LabelledTexts texts_;              // views of these
};

class LinesReader final : public TextReader {
 public:
  LinesReader(const scenario::Lines& config, const ReaderContext& context)
      : TextReader(config.text()), train_(config, data_path("task.data.lines.train", config.train())) {
    if (config.test().empty()) {
      take(train_.texts(), TestDraw{.share = config.test_fraction(),
                                    .seed = config.split_seed() > 0 ? config.split_seed() : context.seed});
      return;
    }
    test_ = std::make_unique<TextSource>(config, data_path("task.data.lines.test", config.test()));
    take(train_.texts(), test_->texts());
  }

 private:
  TextSource train_;
  std::unique_ptr<TextSource> test_;
};

constexpr std::size_t words_of_a_text = 4;

// Whether the lines of a file are labels, `between`, and texts: few labels of one word, texts of several words.
bool holds_lines(const std::string& path, char between) {
  std::set<std::string, std::less<>> labels;
  std::size_t lines = 0, words = 0;
  bool fits = true;
  TextLines(path).for_each([&](std::string_view line, std::size_t) {
    const std::size_t at = line.find(between);
    fits = fits && at != std::string_view::npos && at > 0 && line.substr(0, at).find(' ') == std::string_view::npos;
    if (!fits) return;
    ++lines;
    labels.emplace(line.substr(0, at));
    for (const std::string& word : words_of(line.substr(at + 1))) words += !parse_number(word).has_value();
  });
  return fits && labels.size() >= 2 && 5 * labels.size() <= lines && words >= words_of_a_text * lines;
}

// A table with a header: a column of texts, and one of labels.
std::optional<Recognised> recognise_text_table(const std::string& path, char separator, bool quotes,
                                               const std::string& wanted) {
  const TextTable table(path, separator, true, quotes);
  const std::vector<ColumnSurvey> columns = survey(table);
  const auto text = std::ranges::max_element(columns, {}, &ColumnSurvey::length);
  if (columns.size() < 2 || text->length < static_cast<double>(words_of_a_text) || 2 * text->values <= text->cells)
    return {};
  for (const ColumnSurvey& column : columns) {
    if (parse_number(column.name)) return {};  // no header
  }
  const auto label = choose_label(columns, table.rows(), wanted, path);
  if (!label || &columns[label->column] == &*text) return {};
  Recognised found = recognised_as("table of labelled texts");
  scenario::Lines& lines = *found.data->mutable_lines();
  lines.set_layout(scenario::Lines::TABLE);
  lines.set_label_column(columns[label->column].name);
  lines.add_text_column(text->name);
  if (separator != ',') lines.set_separator(std::string(1, separator));
  if (!quotes) lines.set_quotes(false);
  found.remarks = remarks_on(*label, columns, table.rows());
  found.remarks.push_back(
      fmt::format("the text is column \"{}\", of {:.1f} words in the mean", text->name, text->length));
  return found;
}

std::optional<Recognised> recognise_layout(const std::string& path, const RecognitionHints& hints) {
  if (hints.label.empty()) {
    for (const auto& [between, layout] :
         {std::pair('\t', scenario::Lines::LABEL_TAB_TEXT), std::pair(' ', scenario::Lines::LABEL_SPACE_TEXT)}) {
      if (has_extension(path, {".csv"}) || !holds_lines(path, between)) continue;
      Recognised found = recognised_as("labelled lines of text");
      found.data->mutable_lines()->set_layout(layout);
      return found;
    }
  }
  const bool tabs = !has_extension(path, {".csv"});
  for (const bool quotes : {true, false}) {
    try {
      if (auto found = recognise_text_table(path, tabs ? '\t' : ',', quotes, hints.label)) return found;
    } catch (const InputError&) {  // no such table
    }
  }
  return std::nullopt;
}

std::optional<Recognised> recognise_lines(const std::string& path, const RecognitionHints& hints) {
  if (!has_extension(path, {".csv", ".tsv", ".txt", ".tab", ".label", ".train"})) return std::nullopt;
  auto found = recognise_layout(path, hints);
  if (!found) return std::nullopt;
  found->data->mutable_lines()->set_train(path);
  if (const std::string test = test_file_beside(path); !test.empty()) found->data->mutable_lines()->set_test(test);
  return found;
}

const RegisterRecogniser lines_recogniser(80, recognise_lines);

const RegisterReader<LinesReader, scenario::Lines> register_lines_reader;

}  // namespace
}  // namespace souk
