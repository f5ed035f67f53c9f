#include <algorithm>
#include <charconv>
#include <memory>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "sim/base/contract.hpp"
#include "sim/engine/message_walk.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

namespace pb = google::protobuf;

int parse_element_index(const std::string& path, const std::string& text, int size) {
  int index = -1;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), index);
  SOUK_REQUIRE(result.ec == std::errc() && result.ptr == text.data() + text.size(),
               "--set {}: '{}' is not a list index", path, text);
  SOUK_REQUIRE(index >= 0 && index <= size, "--set {}: index {} is outside the list of {} elements", path, index, size);
  return index;
}

class TextErrors final : public pb::io::ErrorCollector {
 public:
  void AddError(int, pb::io::ColumnNumber, const std::string& text) override {
    if (first_.empty()) first_ = text;
  }
  const std::string& first() const { return first_; }

 private:
  std::string first_;
};

std::string expected_type(const pb::FieldDescriptor& field) {
  if (field.cpp_type() != pb::FieldDescriptor::CPPTYPE_ENUM) {
    return field.type() == pb::FieldDescriptor::TYPE_MESSAGE ? field.message_type()->name() + " as {…}"
                                                             : field.cpp_type_name();
  }
  std::vector<std::string> names;
  for (int v = 0; v < field.enum_type()->value_count(); ++v) names.push_back(field.enum_type()->value(v)->name());
  return fmt::format("one of {}", fmt::join(names, ", "));
}

/// "aggregator=fltrust" is meant as "aggregator.fltrust={}".
std::string hint_for(const pb::FieldDescriptor& field, const std::string& path, const std::string& value) {
  if (field.type() != pb::FieldDescriptor::TYPE_MESSAGE) return "";
  const auto* chosen = field.message_type()->FindFieldByName(value);
  const bool is_message = chosen != nullptr && chosen->type() == pb::FieldDescriptor::TYPE_MESSAGE;
  return is_message ? fmt::format(". Did you mean {}.{}={{}}?", path, value) : "";
}

/// Parses "field: value" into an empty message like `message` and merges that: a value that says more than this one
/// field is refused, and one that is refused changes nothing.
void merge_text(pb::Message& message, const pb::FieldDescriptor& field, const std::string& text,
                const std::string& path, const std::string& value) {
  const std::unique_ptr<pb::Message> parsed(message.New());
  TextErrors errors;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.AllowPartialMessage(true);
  const bool good = parser.ParseFromString(text, parsed.get());
  SOUK_REQUIRE(good, "--set {} = {}: expected {} ({}){}", path, value, expected_type(field), errors.first(),
               hint_for(field, path, value));
  const std::string octal = octal_number(text);
  SOUK_REQUIRE(octal.empty(), "--set {} = {}: {} is not a decimal number", path, value, octal);
  std::vector<const pb::FieldDescriptor*> set;
  parsed->GetReflection()->ListFields(*parsed, &set);
  for (const auto* other : set) {
    SOUK_REQUIRE(other == &field, "--set {} = {}: sets {} as well; give that a --set of its own", path, value,
                 other->name());
  }
  message.MergeFrom(*parsed);
  // What parses to nothing, an empty message or a default, is set all the same.
  if (field.type() == pb::FieldDescriptor::TYPE_MESSAGE && !field.is_repeated()) {
    message.GetReflection()->MutableMessage(&message, &field);
  }
}

/// Parses `value` for this field, in the type the schema gives it, and merges it into `message`.
void assign(pb::Message& message, const pb::FieldDescriptor& field, const std::string& path, const std::string& value) {
  std::string text = value;
  if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING && (value.empty() || value.front() != '"')) {
    text.clear();
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text = '"' + text + '"';
  }
  const bool is_message = field.type() == pb::FieldDescriptor::TYPE_MESSAGE;
  if (is_message && (text.empty() || text.front() != '{')) text = "{" + text + "}";
  if (field.is_repeated() && !is_message && text.find(',') != std::string::npos && text.front() != '[') {
    text = "[" + text + "]";
  }
  merge_text(message, field, fmt::format("{}{} {}", field.name(), is_message ? "" : ":", text), path, value);
}

/// Paths of the fields of this name below a message, nearest first. Members of lists and choices have none.
std::vector<std::string> paths_of_field(const pb::Descriptor& type, const std::string& name) {
  std::vector<std::string> found;
  std::vector<std::pair<const pb::Descriptor*, std::string>> queue{{&type, ""}};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto [message, prefix] = queue[i];
    const bool has_choice = message->FindOneofByName(name) != nullptr;
    if (has_choice || message->FindFieldByName(name) != nullptr) found.push_back(prefix + name);
    for (int f = 0; f < message->field_count(); ++f) {
      const pb::FieldDescriptor& field = *message->field(f);
      if (field.is_repeated() || field.message_type() == nullptr || field.containing_oneof() != nullptr) continue;
      queue.emplace_back(field.message_type(), prefix + field.name() + ".");
    }
  }
  return found;
}

const pb::FieldDescriptor& find_field(const pb::Message& message, const std::string& path, const std::string& name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  if (field != nullptr) return *field;
  const std::vector<std::string> elsewhere =
      path == name ? paths_of_field(*message.GetDescriptor(), name) : std::vector<std::string>();
  throw_input_error("--set {}: {} has no field '{}'.{}", path, message.GetDescriptor()->name(), name,
                    elsewhere.empty() ? did_you_mean(name, field_names(*message.GetDescriptor()))
                                      : fmt::format(" Did you mean '{}'?", fmt::join(elsewhere, "' or '")));
}

/// Replaces element `index` of a list, or adds it at the end.
void assign_element(pb::Message& message, const pb::FieldDescriptor& field, int index, const std::string& path,
                    const std::string& value) {
  const auto* reflection = message.GetReflection();
  const int size = reflection->FieldSize(message, &field);
  assign(message, field, path, value);
  SOUK_REQUIRE(reflection->FieldSize(message, &field) == size + 1, "--set {} = {}: expected one value", path, value);
  if (index == size) return;
  reflection->SwapElements(&message, &field, index, size);
  reflection->RemoveLast(&message, &field);
}

}  // namespace

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c == '.' || c == '[') {
      parts.emplace_back();
    } else if (c != ']') {
      parts.back() += c;
    }
  }
  return parts;
}

void set_path(pb::Message& root, const std::string& path, const std::string& value) {
  const std::vector<std::string> parts = split_path(path);
  pb::Message* message = &root;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const pb::FieldDescriptor& field = find_field(*message, path, parts[p]);
    const auto* reflection = message->GetReflection();
    const bool is_message = field.type() == pb::FieldDescriptor::TYPE_MESSAGE;
    if (p + 1 == parts.size()) {
      if (is_message || field.is_repeated()) reflection->ClearField(message, &field);
      if (field.is_repeated() && value.empty()) return;
      return assign(*message, field, path, value);
    }
    if (!field.is_repeated()) {
      SOUK_REQUIRE(is_message, "--set {}: '{}' has no fields below it", path, parts[p]);
      message = reflection->MutableMessage(message, &field);
      continue;
    }
    const int size = reflection->FieldSize(*message, &field);
    const int index = parse_element_index(path, parts[++p], size);
    if (p + 1 == parts.size()) return assign_element(*message, field, index, path, value);
    SOUK_REQUIRE(is_message, "--set {}: '{}' has no fields below it", path, parts[p - 1]);
    message = index == size ? reflection->AddMessage(message, &field)
                            : reflection->MutableRepeatedMessage(message, &field, index);
  }
}

}  // namespace souk
