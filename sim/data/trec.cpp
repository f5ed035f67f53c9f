#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/byte_source.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/text_lines.hpp"
#include "sim/data/text_reader.hpp"

namespace souk {
namespace {

// Questions and their classes. Bytes are taken as they are: Latin-1, but nothing depends on it.
class TrecReader final : public TextReader {
 public:
  TrecReader(const scenario::Trec& config, const ReaderContext&)
      : TextReader(config.text()),
        fine_(config.labels() == scenario::Trec::FINE),
        train_(data_path("task.data.trec.train", config.train())),
        test_(data_path("task.data.trec.test", config.test())) {
    take(questions_of(train_), questions_of(test_));
  }

 private:
  // Of lines "COARSE:fine text".
  LabelledTexts questions_of(const TextLines& file) const {
    LabelledTexts questions{file.path(), {}, {}, {}};
    file.for_each([&](std::string_view text, std::size_t line) {
      const std::size_t space = std::min(text.find(' '), text.size());
      const std::string_view label = text.substr(0, space);
      const std::size_t colon = label.find(':');
      const bool has_both = colon != std::string_view::npos && colon > 0 && colon + 1 < label.size();
      SOUK_REQUIRE(has_both, "{}: line {}: does not begin with COARSE:fine and a space", file.path(), line);
      questions.add(fine_ ? label : label.substr(0, colon), text.substr(space), line);
    });
    SOUK_REQUIRE(!questions.texts.empty(), "{}: has no question", file.path());
    return questions;
  }

  bool fine_;
  TextLines train_, test_;
};

// The directory of TREC's two files.
std::optional<Recognised> recognise_trec(const std::string& path, const RecognitionHints&) {
  if (!std::filesystem::is_directory(path)) return std::nullopt;
  const std::array<std::string, 1> train{"train_5500.label"}, test{"TREC_10.label"};
  Recognised found = recognised_as("labelled questions (TREC)");
  scenario::Trec& trec = *found.data->mutable_trec();
  trec.set_train(find_data_file(path, train));
  trec.set_test(find_data_file(path, test));
  return trec.train().empty() || trec.test().empty() ? std::nullopt : std::optional(found);
}

const RegisterRecogniser trec_recogniser(30, recognise_trec);

const RegisterReader<TrecReader, scenario::Trec> register_trec_reader;

}  // namespace
}  // namespace souk
