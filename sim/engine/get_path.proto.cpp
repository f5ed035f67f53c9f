#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "sim/base/contract.hpp"
#include "sim/engine/message_walk.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

namespace pb = google::protobuf;

/// "attack" stands for the list "attacks".
const pb::FieldDescriptor& field_named(const pb::Descriptor& type, const std::string& name, const std::string& path) {
  if (const auto* field = type.FindFieldByName(name)) return *field;
  const auto* list = type.FindFieldByName(name + "s");
  SOUK_REQUIRE(list != nullptr && list->is_repeated(), "'{}': {} has no field '{}'.{}", path, type.name(), name,
               did_you_mean(name, field_names(type)));
  return *list;
}

bool is_choice_of_plugins(const pb::OneofDescriptor& choice) {
  return choice.field(0)->type() == pb::FieldDescriptor::TYPE_MESSAGE;
}

void add_label(const std::string& part, std::string& label) {
  if (part.empty()) return;
  label += (label.empty() ? "" : "+") + part;
}

std::string text_of_field(const pb::Message& message, const pb::FieldDescriptor& field, int index) {
  if (field.cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING) return value_text(message, field, index);
  const auto* reflection = message.GetReflection();
  return index < 0 ? reflection->GetString(message, &field) : reflection->GetRepeatedString(message, &field, index);
}

/// The path's parts from `at` on, below `message`, which is null where a list has no such element: the rest of the path
/// must exist all the same.
std::optional<std::string> value_below(const pb::Message* message, const pb::Descriptor& type,
                                       const std::vector<std::string>& parts, std::size_t at, const std::string& path) {
  const pb::FieldDescriptor& field = field_named(type, parts[at], path);
  const auto* reflection = message == nullptr ? nullptr : message->GetReflection();
  std::size_t next = at + 1;
  int index = -1;
  if (field.is_repeated()) {
    index = 0;
    const bool given = next < parts.size() && !parts[next].empty() &&
                       std::all_of(parts[next].begin(), parts[next].end(), [](char c) { return c >= '0' && c <= '9'; });
    if (given) std::from_chars(parts[next].data(), parts[next].data() + parts[next].size(), index);
    if (given) ++next;
    const int size = reflection == nullptr ? 0 : reflection->FieldSize(*message, &field);
    if (!given && next == parts.size() && field.message_type() != nullptr) {
      std::string label;
      for (int i = 0; i < size; ++i) add_label(plugin_label(nested(*message, field, i)), label);
      return label.empty() ? "none" : label;
    }
    if (index >= size) message = nullptr;
  } else if (message != nullptr && !reflection->HasField(*message, &field)) {
    message = nullptr;
  }
  if (field.message_type() == nullptr) {
    SOUK_REQUIRE(next == parts.size(), "'{}': '{}' has no fields below it", path, parts[at]);
    if (message == nullptr) return std::nullopt;
    return text_of_field(*message, field, index);
  }
  const pb::Message* below = message == nullptr ? nullptr : &nested(*message, field, index);
  if (next < parts.size()) return value_below(below, *field.message_type(), parts, next, path);
  if (below == nullptr) return std::nullopt;
  return plugin_label(*below);
}

}  // namespace

std::string plugin_label(const pb::Message& message) {
  const auto* type = message.GetDescriptor();
  const auto* reflection = message.GetReflection();
  std::string label;
  for (int f = 0; f < type->field_count(); ++f) {
    const pb::FieldDescriptor& field = *type->field(f);
    if (field.message_type() == nullptr) continue;
    const auto* choice = field.containing_oneof();
    if (choice != nullptr && is_choice_of_plugins(*choice) && reflection->HasField(message, &field)) {
      add_label(field.name(), label);
    }
    for (int i = 0; field.is_repeated() && i < reflection->FieldSize(message, &field); ++i) {
      add_label(plugin_label(nested(message, field, i)), label);
    }
  }
  return label;
}

std::optional<std::string> value_at(const pb::Message& message, const std::string& path) {
  return value_below(&message, *message.GetDescriptor(), split_path(path), 0, path);
}

}  // namespace souk
