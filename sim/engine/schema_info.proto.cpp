#include "sim/engine/schema_info.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include "scenarios/options.pb.h"
#include "scenarios/scenario.pb.h"
#include "scenarios/sweep.pb.h"
#include "sim/base/contract.hpp"
#include "sim/engine/message_walk.hpp"

extern const unsigned char souk_schema_description[];
extern const std::size_t souk_schema_description_size;

namespace souk {
namespace {

namespace pb = google::protobuf;

/// The compiled-in schema has no comments; this second pool, built from the embedded description, has.
const pb::DescriptorPool& commented_pool() {
  static const auto* pool = [] {
    pb::FileDescriptorSet files;
    const bool parsed = files.ParseFromArray(souk_schema_description, static_cast<int>(souk_schema_description_size));
    SOUK_EXPECT(parsed);
    auto* made = new pb::DescriptorPool();
    for (const auto& file : files.file()) SOUK_EXPECT(made->BuildFile(file) != nullptr);
    return made;
  }();
  return *pool;
}

template <class Descriptor>
std::string comment_text(const Descriptor* commented) {
  pb::SourceLocation place;
  if (commented == nullptr || !commented->GetSourceLocation(&place)) return "";
  const std::string& raw = place.leading_comments.empty() ? place.trailing_comments : place.leading_comments;
  std::string text;
  for (const char c : raw) {
    const char plain = c == '\n' ? ' ' : c;
    if (plain != ' ' || (!text.empty() && text.back() != ' ')) text += plain;
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  // Notes to those who edit the schema are not part of the manual.
  return text.rfind("next: ", 0) == 0 ? "" : text;
}

void collect_types(const pb::Descriptor& type, std::vector<const pb::Descriptor*>& out) {
  if (std::find(out.begin(), out.end(), &type) != out.end()) return;
  out.push_back(&type);
  for (int f = 0; f < type.field_count(); ++f) {
    if (type.field(f)->type() == pb::FieldDescriptor::TYPE_MESSAGE) collect_types(*type.field(f)->message_type(), out);
  }
}

}  // namespace

std::string schema_descriptors() {
  return {reinterpret_cast<const char*>(souk_schema_description), souk_schema_description_size};
}

std::string comment_of(const pb::Descriptor& type) {
  return comment_text(commented_pool().FindMessageTypeByName(type.full_name()));
}

std::string comment_of(const pb::FieldDescriptor& field) {
  const auto* type = commented_pool().FindMessageTypeByName(field.containing_type()->full_name());
  const std::string own = type == nullptr ? "" : comment_text(type->FindFieldByName(field.name()));
  if (!own.empty() || field.type() != pb::FieldDescriptor::TYPE_MESSAGE) return own;
  return comment_of(*field.message_type());
}

std::string comment_of(const pb::EnumValueDescriptor& value) {
  return comment_text(commented_pool().FindEnumValueByName(value.full_name()));
}

std::string default_text(const pb::FieldDescriptor& field) {
  if (field.is_repeated() || field.type() == pb::FieldDescriptor::TYPE_MESSAGE) return "";
  scenario::Scenario unused;
  const auto* prototype = pb::MessageFactory::generated_factory()->GetPrototype(field.containing_type());
  const std::unique_ptr<pb::Message> message(prototype->New());
  set_to_default(*message, field);
  return value_text(*message, field, -1);
}

std::string facts_of(const pb::FieldDescriptor& field) {
  std::string facts = field.is_repeated() ? "list of " : "";
  if (field.type() == pb::FieldDescriptor::TYPE_MESSAGE) return facts + field.message_type()->name();
  facts += field.cpp_type() == pb::FieldDescriptor::CPPTYPE_ENUM ? field.enum_type()->name() : field.cpp_type_name();
  const bool choice = field.containing_oneof() != nullptr;
  if (!field.is_repeated() && (!choice || field.has_default_value())) facts += ", default " + default_text(field);
  if (field.options().HasExtension(scenario::range)) {
    facts += ", " + range_text(field.options().GetExtension(scenario::range));
  }
  if (field.options().HasExtension(scenario::unit)) facts += ", " + field.options().GetExtension(scenario::unit);
  return facts;
}

std::vector<std::pair<std::string, std::string>> method_facts_of(const pb::Descriptor& type) {
  std::vector<std::pair<std::string, std::string>> facts;
  const scenario::Method& method = type.options().GetExtension(scenario::method);
  if (method.has_formula()) facts.emplace_back("formula", method.formula());
  if (method.has_breakdown()) facts.emplace_back("withstands", method.breakdown());
  if (method.has_cost()) facts.emplace_back("cost", method.cost());
  return facts;
}

std::vector<std::string> bibtex_of(const pb::Descriptor& type) {
  std::vector<std::string> entries;
  for (int i = 0; i < type.options().ExtensionSize(scenario::bibtex); ++i) {
    entries.push_back(type.options().GetExtension(scenario::bibtex, i));
  }
  return entries;
}

std::vector<const pb::Descriptor*> schema_messages() {
  std::vector<const pb::Descriptor*> messages;
  collect_types(*scenario::Scenario::descriptor(), messages);
  collect_types(*scenario::Grid::descriptor(), messages);
  return messages;
}

std::vector<PluginKind> plugin_kinds() {
  std::vector<PluginKind> kinds;
  for (const pb::Descriptor* type : schema_messages()) {
    for (int o = 0; o < type->oneof_decl_count(); ++o) {
      const pb::OneofDescriptor* choice = type->oneof_decl(o);
      const bool of_messages = choice->field(0)->type() == pb::FieldDescriptor::TYPE_MESSAGE;
      if (!of_messages || choice->field_count() < 2)
        continue;  // a single member is there or not, and nothing to choose
      const std::string& kind = choice->options().GetExtension(scenario::kind);
      kinds.push_back({kind.empty() ? type->name() + "." + choice->name() : kind, choice});
    }
  }
  std::sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return kinds;
}

std::vector<std::string> plugin_names(const std::string& wanted) {
  std::vector<std::string> names;
  for (const PluginKind& kind : plugin_kinds()) {
    for (int f = 0; kind.name == wanted && f < kind.choice->field_count(); ++f) {
      names.push_back(kind.choice->field(f)->name());
    }
  }
  return names;
}

}  // namespace souk
