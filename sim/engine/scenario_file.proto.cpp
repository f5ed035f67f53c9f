#include "sim/engine/scenario_file.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <sstream>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include "scenarios/options.pb.h"
#include "scenarios/scenario.pb.h"
#include "scenarios/sweep.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/engine/message_walk.hpp"

namespace souk {
namespace {

namespace pb = google::protobuf;

/// Turns protobuf's messages into ours: "file:line:column: text", with a suggestion for unknown names.
class ErrorList final : public pb::io::ErrorCollector {
 public:
  explicit ErrorList(const ScenarioSource& source) : file_name_(source.file_name), text_(source.text) {}
  void AddError(int line, pb::io::ColumnNumber column, const std::string& text) override {
    lines_.push_back(fmt::format("{}:{}:{}: {}{}", file_name_, line + 1, column_of_name(line, column, text) + 1, text,
                                 suggestion(text)));
  }
  // The parser is told to go on after an unknown field, so that all of them are reported; it calls them warnings.
  void AddWarning(int line, pb::io::ColumnNumber column, const std::string& text) override {
    AddError(line, column, text);
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  /// The parser points behind an unknown name; a reader looks for the name.
  int column_of_name(int line, int column, const std::string& text) const {
    if (text.find("has no field named") == std::string::npos) return column;
    std::istringstream lines(text_);
    std::string content;
    for (int l = 0; l <= line; ++l) std::getline(lines, content);
    const auto found = content.rfind(quoted(text, 1), static_cast<std::size_t>(column));
    return found == std::string::npos ? column : static_cast<int>(found);
  }
  /// "Message type "T" has no field named "F"." and "Unknown enumeration value of "V" for field "F"." are protobuf's.
  static std::string suggestion(const std::string& text) {
    if (text.find("Unknown enumeration value") != std::string::npos) {
      return fmt::format(" 'souk describe' and 'souk template' list the values of {}.", quoted(text, 1));
    }
    if (text.find("has no field named") == std::string::npos) return "";
    const auto* type = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(quoted(text, 0));
    return type == nullptr ? "" : did_you_mean(quoted(text, 1), field_names(*type));
  }
  /// The n-th text between quotation marks.
  static std::string quoted(const std::string& text, int n) {
    std::size_t begin = text.find('"');
    while (n-- > 0) begin = text.find('"', text.find('"', begin + 1) + 1);
    return text.substr(begin + 1, text.find('"', begin + 1) - begin - 1);
  }
  std::string file_name_, text_;
  std::vector<std::string> lines_;
};

struct Token {
  std::string text;
  int line = 0, column = 0;
};

/// The first number with a 0 in front; protobuf would take it for octal or hexadecimal, and nobody means that.
std::optional<Token> first_octal(const std::string& text) {
  class Silent final : public pb::io::ErrorCollector {
    void AddError(int, pb::io::ColumnNumber, const std::string&) override {}
  } silent;
  pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  pb::io::Tokenizer tokens(&stream, &silent);
  tokens.set_comment_style(pb::io::Tokenizer::SH_COMMENT_STYLE);
  while (tokens.Next()) {
    const auto& token = tokens.current();
    if (token.type != pb::io::Tokenizer::TYPE_INTEGER || token.text.size() < 2 || token.text[0] != '0') continue;
    return Token{token.text, token.line, token.column};
  }
  return std::nullopt;
}

void collect_places(const pb::Message& message, const pb::TextFormat::ParseInfoTree& tree, const std::string& prefix,
                    FieldPlaces& out) {
  std::vector<const pb::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const auto* field : fields) {
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const int index = field->is_repeated() ? i : -1;
      const std::string path = element_path(prefix, *field, index);
      const auto place = tree.GetLocation(field, index);
      if (place.line >= 0) out[path] = fmt::format("{}:{}", place.line + 1, place.column + 1);
      if (field->type() != pb::FieldDescriptor::TYPE_MESSAGE) continue;
      const auto* below = tree.GetTreeForNested(field, index);
      if (below != nullptr) collect_places(nested(message, *field, index), *below, path, out);
    }
  }
}

/// Windows' editors begin UTF-8 with a mark, or write UTF-16.
ScenarioSource without_mark(ScenarioSource source) {
  SOUK_REQUIRE(!source.text.starts_with("\xFF\xFE") && !source.text.starts_with("\xFE\xFF"),
               "{}: is UTF-16: save it as UTF-8", source.file_name);
  if (source.text.starts_with("\xEF\xBB\xBF")) source.text.erase(0, 3);
  return source;
}

void parse_json(const ScenarioSource& source, scenario::Scenario& out) {
  pb::util::JsonParseOptions options;
  options.case_insensitive_enum_parsing = true;
  const auto status = pb::util::JsonStringToMessage(source.text, &out, options);
  SOUK_REQUIRE(status.ok(), "{}: {}", source.file_name, status.message().ToString());
}

/// Whether a text is one of this message, with nothing that it does not know.
bool is_text_of(const std::string& text, pb::Message&& message) {
  class Silent final : public pb::io::ErrorCollector {
    void AddError(int, pb::io::ColumnNumber, const std::string&) override {}
  } silent;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&silent);
  return parser.ParseFromString(text, &message);
}

/// A grid given where a scenario belongs has a dozen errors, all for one reason.
void require_no_other_kind(const ScenarioSource& source, const pb::Descriptor& wanted) {
  const bool grid_wanted = &wanted == scenario::Grid::descriptor();
  SOUK_REQUIRE(grid_wanted || !is_text_of(source.text, scenario::Grid()),
               "{}: is a grid, not a scenario: 'souk sweep {}' runs it", source.file_name, source.file_name);
  SOUK_REQUIRE(!grid_wanted || !is_text_of(source.text, scenario::Scenario()),
               "{}: is a scenario, not a grid: 'souk run {}' runs it; a grid names one as its base", source.file_name,
               source.file_name);
}

/// Unknown fields go to `errors`, so that the rest of the file is checked too; what is no text format throws.
FieldPlaces parse_text(const ScenarioSource& source, pb::Message& out, std::vector<std::string>& errors) {
  ErrorList found(source);
  pb::TextFormat::ParseInfoTree tree;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&found);
  parser.WriteLocationsTo(&tree);
  parser.AllowUnknownField(true);
  const bool parsed = parser.ParseFromString(source.text, &out);
  errors = found.lines();
  if (const auto octal = first_octal(source.text)) {
    errors.push_back(fmt::format("{}:{}:{}: {} is not a decimal number", source.file_name, octal->line + 1,
                                 octal->column + 1, octal->text));
  }
  if (!errors.empty()) require_no_other_kind(source, *out.GetDescriptor());
  if (!parsed) throw InputError(fmt::format("{}", fmt::join(errors, "\n")));
  FieldPlaces places;
  collect_places(out, tree, "", places);
  return places;
}

/// Ten clients per round is a default that a smaller federation cannot have.
void limit_default_sampling(scenario::Scenario& scenario) {
  scenario::Participants& participants = *scenario.mutable_participants();
  const bool chosen = participants.sampling_case() != scenario::Participants::SAMPLING_NOT_SET;
  if (!chosen && participants.clients() < participants.per_round()) participants.set_per_round(participants.clients());
}

bool starts_as_json(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && text[first] == '{';
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  std::iota(cost[0].begin(), cost[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

void remove_cosmetic(pb::Message& message) {
  std::vector<const pb::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->options().GetExtension(scenario::cosmetic)) {
      message.GetReflection()->ClearField(&message, field);
    } else if (field->type() == pb::FieldDescriptor::TYPE_MESSAGE) {
      for_each_nested(message, *field, [](pb::Message& below) { remove_cosmetic(below); });
    }
  }
}

const pb::Message& empty_message(const pb::FieldDescriptor& field) {
  return *pb::MessageFactory::generated_factory()->GetPrototype(field.message_type());
}

void add_differences(const pb::Message& a, const pb::Message& b, const std::string& prefix,
                     std::vector<Difference>& out) {
  const auto* type = a.GetDescriptor();
  for (int f = 0; f < type->field_count(); ++f) {
    const pb::FieldDescriptor& field = *type->field(f);
    if (field.options().GetExtension(scenario::cosmetic)) continue;
    const int size_a = element_count(a, field);
    const int size_b = element_count(b, field);
    for (int i = 0; i < std::max(size_a, size_b); ++i) {
      const int index = field.is_repeated() ? i : -1;
      const std::string path = element_path(prefix, field, index);
      const bool message = field.type() == pb::FieldDescriptor::TYPE_MESSAGE;
      if (message) {
        const std::size_t before = out.size();
        const auto below = [&](const pb::Message& holder, int size) -> const pb::Message& {
          return i < size ? nested(holder, field, index) : empty_message(field);
        };
        add_differences(below(a, size_a), below(b, size_b), path, out);
        if (out.size() > before || (i < size_a && i < size_b)) continue;
      }
      const auto text = [&](const pb::Message& holder, int size) -> std::optional<std::string> {
        if (i >= size) return std::nullopt;
        return message ? "set" : value_text(holder, field, index);
      };
      Difference difference{path, text(a, size_a), text(b, size_b)};
      if (difference.first != difference.second) out.push_back(std::move(difference));
    }
  }
}

/// `around` are the types of the messages that `message` is in: one nested in itself is filled in where it is given,
/// but never created, for there would be no end to it.
void fill_defaults(pb::Message& message, std::vector<const pb::Descriptor*>& around) {
  const auto* type = message.GetDescriptor();
  const auto* reflection = message.GetReflection();
  around.push_back(type);
  for (int f = 0; f < type->field_count(); ++f) {
    const pb::FieldDescriptor& field = *type->field(f);
    const auto* group = field.containing_oneof();
    const bool wanted =
        group == nullptr || reflection->HasField(message, &field) ||
        (!reflection->HasOneof(message, group) && field.options().GetExtension(scenario::chosen_by_default));
    if (!wanted) continue;
    const bool nested = field.type() == pb::FieldDescriptor::TYPE_MESSAGE;
    if (field.is_repeated()) {
      if (nested) for_each_nested(message, field, [&](pb::Message& below) { fill_defaults(below, around); });
    } else if (nested) {
      const bool endless = std::find(around.begin(), around.end(), field.message_type()) != around.end();
      if (endless && !reflection->HasField(message, &field)) continue;
      fill_defaults(*reflection->MutableMessage(&message, &field), around);
    } else if (!reflection->HasField(message, &field)) {
      set_to_default(message, field);
    }
  }
  around.pop_back();
}

}  // namespace

bool is_plain_name(const std::string& name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), plain);
}

ResolvedScenario::ResolvedScenario() : scenario(std::make_unique<scenario::Scenario>()) {}
ResolvedScenario::~ResolvedScenario() = default;
ResolvedScenario::ResolvedScenario(ResolvedScenario&&) noexcept = default;
ResolvedScenario& ResolvedScenario::operator=(ResolvedScenario&&) noexcept = default;

void ResolvedScenario::note_override(const std::string& path) {
  std::string plain;  // "a.0.b" as "a[0].b", as errors name fields
  for (const std::string& part : split_path(path)) {
    const bool index =
        !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    plain += index ? fmt::format("[{}]", part) : (plain.empty() ? part : "." + part);
  }
  std::erase_if(places, [&](const auto& place) { return covers_field(plain, place.first); });
  places[plain] = "--set";
}

bool covers_field(const std::string& above, const std::string& path) {
  if (path.compare(0, above.size(), above) != 0) return false;
  return path.size() == above.size() || path[above.size()] == '.' || path[above.size()] == '[';
}

std::string octal_number(const std::string& text) {
  const auto octal = first_octal(text);
  return octal ? octal->text : "";
}

FieldPlaces parse_text_format(const ScenarioSource& source, pb::Message& out) {
  std::vector<std::string> errors;
  FieldPlaces places = parse_text(without_mark(source), out, errors);
  if (!errors.empty()) throw InputError(fmt::format("{}", fmt::join(errors, "\n")));
  return places;
}

ResolvedScenario resolve_scenario(const ScenarioSource& given) {
  const ScenarioSource source = without_mark(given);
  ResolvedScenario resolved;
  resolved.file_name = source.file_name;
  std::vector<std::string> errors;
  if (starts_as_json(source.text)) {
    parse_json(source, *resolved.scenario);
  } else {
    resolved.places = parse_text(source, *resolved.scenario, errors);
  }
  for (const std::string& change : source.overrides) {
    const auto equals = change.find('=');
    SOUK_REQUIRE(equals != std::string::npos && equals > 0, "--set {}: expected path=value", change);
    try {
      set_path(*resolved.scenario, change.substr(0, equals), change.substr(equals + 1));
      resolved.note_override(change.substr(0, equals));
    } catch (const InputError& error) {
      errors.push_back(error.what());
    }
  }
  limit_default_sampling(*resolved.scenario);
  fill_defaults(*resolved.scenario);
  if (!is_plain_name(resolved.scenario->name())) {
    errors.push_back(
        with_place(resolved, fmt::format("name = \"{}\": takes letters, digits, '.', '_' and '-', and does "
                                         "not start with '.'",
                                         resolved.scenario->name())));
  }
  for (const std::string& error : range_errors(*resolved.scenario)) {
    errors.push_back(with_place(resolved, error));
  }
  if (!errors.empty()) throw InputError(fmt::format("{}", fmt::join(errors, "\n")));
  return resolved;
}

std::string with_place(const ResolvedScenario& resolved, const std::string& message) {
  const std::string path = message.substr(0, message.find_first_of(" :"));
  for (const auto& [above, origin] : resolved.places) {
    if (origin == "--set" && covers_field(above, path)) return "--set " + message;
  }
  const auto place = resolved.places.find(path);
  if (place == resolved.places.end()) return message;
  return fmt::format("{}:{}: {}", resolved.file_name, place->second, message);
}

void fill_defaults(pb::Message& message) {
  std::vector<const pb::Descriptor*> around;
  fill_defaults(message, around);
}

std::vector<std::string> range_errors(const pb::Message& message) {
  std::vector<std::string> errors;
  walk(message, "",
       [&](const pb::Message& holder, const pb::FieldDescriptor& field, int index, const std::string& path) {
         if (!field.options().HasExtension(scenario::range)) return;
         const scenario::Range& range = field.options().GetExtension(scenario::range);
         const double value = numeric_value(holder, field, index);
         const bool inside =
             (!range.has_min() || value >= range.min()) && (!range.has_above() || value > range.above()) &&
             (!range.has_below() || value < range.below()) && (!range.has_max() || value <= range.max());
         if (!inside)
           errors.push_back(
               fmt::format("{} = {} is outside {}", path, value_text(holder, field, index), range_text(range)));
       });
  return errors;
}

std::string to_text(const scenario::Scenario& scenario) {
  std::string text;
  pb::TextFormat::Printer printer;
  printer.SetUseShortRepeatedPrimitives(true);
  printer.PrintToString(scenario, &text);
  return text;
}

std::string identity_of(const scenario::Scenario& scenario) {
  scenario::Scenario canonical = scenario;
  remove_cosmetic(canonical);
  return sha256_hex(to_text(canonical));
}

std::vector<Difference> differences(const pb::Message& a, const pb::Message& b) {
  std::vector<Difference> found;
  add_differences(a, b, "", found);
  return found;
}

std::optional<std::string> first_difference(const pb::Message& a, const pb::Message& b) {
  const std::vector<Difference> found = differences(a, b);
  if (found.empty()) return std::nullopt;
  const auto& [path, in_a, in_b] = found.front();
  if (!in_a || !in_b) return fmt::format("{} is set in one and not in the other", path);
  return fmt::format("{} is {} in one and {} in the other", path, *in_a, *in_b);
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const std::string* best = nullptr;
  std::size_t best_distance = word.size() / 3 + 2;
  const auto take = [&](const std::string& candidate, std::size_t distance) {
    if (distance >= best_distance) return;
    best = &candidate;
    best_distance = distance;
  };
  for (const std::string& candidate : known) take(candidate, edit_distance(word, candidate));
  if (best_distance > 1) {  // nearer than a word of other letters is one that was not written in full
    constexpr std::size_t later = 1000;
    best_distance = std::string::npos;
    for (const std::string& candidate : known) {
      if (word.size() >= 3 && candidate.starts_with(word)) {
        take(candidate, candidate.size());
      } else if (word.size() >= 4 && candidate.find(word) != std::string::npos) {
        take(candidate, later + candidate.size());
      }
    }
  }
  return best == nullptr ? "" : fmt::format(" Did you mean '{}'?", *best);
}

}  // namespace souk
