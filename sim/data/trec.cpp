#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/byte_source.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/text_reader.hpp"

namespace souk {
namespace {

constexpr std::uint64_t trec_bytes_max = std::uint64_t{1} << 32;

struct Question {
  std::size_t line = 0;  // of its file, from 1
  std::string_view label, text;
};

// A file of lines "COARSE:fine text", in memory. Its bytes are taken as they are: Latin-1, but nothing depends on it.
class QuestionFile {
 public:
  QuestionFile(const std::string& path, bool fine) : path_(path), content_(read_whole_file(path, trec_bytes_max)) {
    std::string_view left(reinterpret_cast<const char*>(content_.data()), content_.size());
    for (std::size_t line = 1; !left.empty(); ++line) {
      const std::size_t end = std::min(left.find('\n'), left.size());
      std::string_view text = left.substr(0, end);
      if (text.ends_with('\r')) text.remove_suffix(1);
      if (!text.empty()) questions_.push_back(parse(line, text, fine));
      left.remove_prefix(std::min(end + 1, left.size()));
    }
    SOUK_REQUIRE(!questions_.empty(), "{}: has no question", path);
  }

  const std::vector<Question>& questions() const { return questions_; }

  // Texts and classes, by the numbers of the training labels.
  LabelledTexts labelled(const std::map<std::string_view, std::int32_t>& classes) const {
    LabelledTexts result;
    for (const Question& question : questions_) {
      const auto found = classes.find(question.label);
      SOUK_REQUIRE(found != classes.end(), "{}: line {}: label \"{}\" is in no line of the training file", path_,
                   question.line, question.label);
      result.texts.push_back(question.text);
      result.labels.push_back(found->second);
    }
    return result;
  }

 private:
  Question parse(std::size_t line, std::string_view text, bool fine) const {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view label = text.substr(0, space);
    const std::size_t colon = label.find(':');
    const bool has_both = colon != std::string_view::npos && colon > 0 && colon + 1 < label.size();
    SOUK_REQUIRE(has_both, "{}: line {}: does not begin with COARSE:fine and a space", path_, line);
    return {line, fine ? label : label.substr(0, colon), text.substr(space)};
  }

  std::string path_;
  std::vector<std::uint8_t> content_;
  std::vector<Question> questions_;  // views of the content
};

// Questions and their classes, in the ascending order of the labels.
class TrecReader final : public TextReader {
 public:
  TrecReader(const scenario::Trec& config, const ReaderContext&)
      : TextReader(config.text()),
        train_(path_of("train", config.train()), config.labels() == scenario::Trec::FINE),
        test_(path_of("test", config.test()), config.labels() == scenario::Trec::FINE) {
    std::set<std::string_view> labels;
    for (const Question& question : train_.questions()) labels.insert(question.label);
    std::map<std::string_view, std::int32_t> classes;
    for (const std::string_view label : labels) classes.emplace(label, static_cast<std::int32_t>(classes.size()));
    number_words(train_.labelled(classes), test_.labelled(classes), {labels.begin(), labels.end()});
  }

 private:
  static std::string path_of(const char* field, const std::string& path) {
    SOUK_REQUIRE(!path.empty(), "task.data.trec.{}: is empty, must name a file of labelled questions", field);
    return expand_environment(path);
  }

  QuestionFile train_, test_;
};

const RegisterReader<TrecReader, scenario::Trec> registered;

}  // namespace
}  // namespace souk
