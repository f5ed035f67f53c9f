#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "scenarios/scenario.pb.h"
#include "sim/app/commands.hpp"
#include "sim/app/scenario_loading.hpp"
#include "sim/base/contract.hpp"
#include "sim/engine/message_walk.hpp"
#include "sim/engine/schema_info.hpp"

namespace souk {
namespace {

namespace pb = google::protobuf;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string first_sentence(const std::string& text) {
  const auto end = text.find(". ");
  return end == std::string::npos ? text : text.substr(0, end + 1);
}

/// Breaks a paragraph into lines of at most 100 columns, each starting with `indent`.
std::string wrap(const std::string& text, const std::string& indent) {
  std::string out;
  std::string line = indent;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.size() > indent.size() && line.size() + word.size() + 1 > 100) {
      out += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + word;
  }
  return out + line + "\n";
}

std::string enum_values(const pb::FieldDescriptor& field, const std::string& indent) {
  std::string text;
  if (field.cpp_type() != pb::FieldDescriptor::CPPTYPE_ENUM) return text;
  for (int v = 0; v < field.enum_type()->value_count(); ++v) {
    const auto& value = *field.enum_type()->value(v);
    text += wrap(fmt::format("{}: {}", value.name(), comment_of(value)), indent);
  }
  return text;
}

std::string description(const std::string& name, const pb::Descriptor& type) {
  std::string text = fmt::format("{}\n", name) + wrap(comment_of(type), "  ");
  if (type.field_count() > 0) text += "\nparameters\n";
  for (int f = 0; f < type.field_count(); ++f) {
    const auto& field = *type.field(f);
    text += fmt::format("  {} ({})\n", field.name(), facts_of(field)) + wrap(comment_of(field), "      ");
    text += enum_values(field, "        ");
  }
  for (const std::string& entry : bibtex_of(type)) text += "\n" + entry + "\n";
  return text;
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const PluginKind& kind : plugin_kinds()) {
    for (int f = 0; f < kind.choice->field_count(); ++f) names.push_back(kind.choice->field(f)->name());
  }
  for (const pb::Descriptor* type : schema_messages()) names.push_back(type->name());
  return names;
}

/// A commented scenario: every field at its default, the choices not taken as comments. `around` are the types that
/// `type` is in: a message nested in itself is not opened again.
std::string template_of(const pb::Descriptor& type, const std::string& indent,
                        std::vector<const pb::Descriptor*> around = {}) {
  std::string text;
  around.push_back(&type);
  for (int f = 0; f < type.field_count(); ++f) {
    const auto& field = *type.field(f);
    const bool message = field.type() == pb::FieldDescriptor::TYPE_MESSAGE;
    const bool choice = field.containing_oneof() != nullptr;
    if (message && std::find(around.begin(), around.end(), field.message_type()) != around.end()) {
      text += wrap(comment_of(field), indent + "# ") + fmt::format("{}# {} {{ … }}\n", indent, field.name());
      continue;
    }
    text += wrap(fmt::format("{}{}", comment_of(field), message ? "" : fmt::format(" ({})", facts_of(field))),
                 indent + "# ");
    if (choice) text += indent + fmt::format("# One of the choices for '{}':\n", field.containing_oneof()->name());
    const std::string lead = indent + (choice || field.is_repeated() ? "# " : "");
    if (!message) {
      text += fmt::format("{}{}: {}\n", lead, field.name(), field.is_repeated() ? "[]" : default_text(field));
    } else if (choice || field.is_repeated()) {
      text += fmt::format("{}{} {{\n{}{}}}\n", lead, field.name(),
                          template_of(*field.message_type(), lead + "  ", around), lead);
    } else {
      text += fmt::format("{}{} {{\n{}{}}}\n", indent, field.name(),
                          template_of(*field.message_type(), indent + "  ", around), indent);
    }
  }
  return text;
}

void collect_bibtex(const pb::Message& message, std::set<std::string>& out) {
  for (const std::string& entry : bibtex_of(*message.GetDescriptor())) out.insert(entry);
  std::vector<const pb::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->type() != pb::FieldDescriptor::TYPE_MESSAGE) continue;
    for (int i = 0; i < element_count(message, *field); ++i) {
      collect_bibtex(nested(message, *field, field->is_repeated() ? i : -1), out);
    }
  }
}

}  // namespace

int list_command(const std::string& wanted) {
  std::vector<std::string> kinds;
  bool found = wanted.empty();
  for (const PluginKind& kind : plugin_kinds()) {
    kinds.push_back(kind.name);
    if (!wanted.empty() && kind.name != wanted) continue;
    found = true;
    print(kind.name + "\n");
    for (int f = 0; f < kind.choice->field_count(); ++f) {
      const auto& field = *kind.choice->field(f);
      print(fmt::format("  {:<20} {}\n", field.name(), first_sentence(comment_of(field))));
    }
  }
  SOUK_REQUIRE(found, "list: there is no kind '{}'; known: {}.{}", wanted, fmt::join(kinds, ", "),
               did_you_mean(wanted, kinds));
  return exit_done;
}

int describe_command(const std::string& name) {
  std::string text;
  for (const PluginKind& kind : plugin_kinds()) {
    for (int f = 0; f < kind.choice->field_count(); ++f) {
      const auto& field = *kind.choice->field(f);
      if (field.name() != name) continue;
      text += (text.empty() ? "" : "\n") + description(fmt::format("{} ({})", name, kind.name), *field.message_type());
    }
  }
  for (const pb::Descriptor* type : schema_messages()) {
    if (text.empty() && type->name() == name) text = description(name, *type);
  }
  SOUK_REQUIRE(!text.empty(), "describe: there is no '{}'.{} 'souk list' shows what there is.", name,
               did_you_mean(name, all_names()));
  print(text);
  return exit_done;
}

int template_command() {
  print("# Every field of a scenario, at its default. Lines of choices not taken are comments.\n");
  print(template_of(*scenario::Scenario::descriptor(), ""));
  return exit_done;
}

int reference_command() {
  print(
      "# Scenario reference\n\nGenerated by `souk reference` from the comments in `scenarios/*.proto`; do not "
      "edit.\n\n");
  for (const pb::Descriptor* type : schema_messages()) {
    print(fmt::format("## {}\n\n{}\n\n", type->name(), comment_of(*type)));
    if (type->field_count() == 0) continue;
    print("| field | type, default, range, unit | meaning |\n|---|---|---|\n");
    for (int f = 0; f < type->field_count(); ++f) {
      const auto& field = *type->field(f);
      std::string meaning = comment_of(field);
      if (field.containing_oneof() != nullptr)
        meaning += fmt::format(" *(one of `{}`)*", field.containing_oneof()->name());
      if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_ENUM) {
        for (int v = 0; v < field.enum_type()->value_count(); ++v) {
          meaning +=
              fmt::format(" `{}`: {}", field.enum_type()->value(v)->name(), comment_of(*field.enum_type()->value(v)));
        }
      }
      print(fmt::format("| `{}` | {} | {} |\n", field.name(), facts_of(field), meaning));
    }
    print("\n");
  }
  return exit_done;
}

int citations_command(const ScenarioArguments& arguments) {
  const ResolvedScenario resolved = load_scenario(Comm::self(), arguments);
  std::set<std::string> entries;
  collect_bibtex(*resolved.scenario, entries);
  for (const std::string& entry : entries) print(entry + "\n");
  return exit_done;
}

}  // namespace souk
