#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "scenarios/scenario.pb.h"
#include "sim/app/commands.hpp"
#include "sim/app/method_page.hpp"
#include "sim/app/scenario_loading.hpp"
#include "sim/base/atomic_file.hpp"
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

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const PluginKind& kind : plugin_kinds()) {
    for (int f = 0; f < kind.choice->field_count(); ++f) names.push_back(kind.choice->field(f)->name());
  }
  for (const pb::Descriptor* type : schema_messages()) names.push_back(type->name());
  return names;
}

/// Whether a kind is the one wanted, or below it.
bool is_of(const PluginKind& kind, const std::string& wanted) {
  return kind.name == wanted || kind.name.starts_with(wanted + "/");
}

/// The plug-ins of this name or of this kind, or else the message of the schema.
std::vector<MethodPage> pages_of(const std::string& wanted) {
  std::vector<MethodPage> pages;
  for (const PluginKind& kind : plugin_kinds()) {
    for (int f = 0; f < kind.choice->field_count(); ++f) {
      const auto& field = *kind.choice->field(f);
      if (field.name() == wanted || is_of(kind, wanted)) pages.push_back(method_page(kind.name, field));
    }
  }
  for (const pb::Descriptor* type : schema_messages()) {
    if (pages.empty() && type->name() == wanted) {
      pages.push_back({.name = wanted, .kind = "", .type = type, .facts = {}});
    }
  }
  return pages;
}

void write_page(const std::string& directory, const MethodPage& page) {
  const std::string path = fmt::format("{}/{}.md", directory, page.name);
  require_writable(path);
  write_file_atomically(path, as_markdown(page));
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

/// Of what a scenario chooses or says something about. Sections that are used where a rule asks for them or `always` is
/// set count where the scenario mentions them; a rule that asks for one is cited itself.
void collect_bibtex(const ResolvedScenario& resolved, const pb::Message& message, const std::string& path,
                    std::set<std::string>& out) {
  for (const std::string& entry : bibtex_of(*message.GetDescriptor())) out.insert(entry);
  std::vector<const pb::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->type() != pb::FieldDescriptor::TYPE_MESSAGE) continue;
    for (int i = 0; i < element_count(message, *field); ++i) {
      const int index = field->is_repeated() ? i : -1;
      const std::string below = element_path(path, *field, index);
      const bool given =
          std::ranges::any_of(resolved.places, [&](const auto& place) { return covers_field(below, place.first); });
      if (!given && field->message_type()->FindFieldByName("always") != nullptr) continue;
      collect_bibtex(resolved, nested(message, *field, index), below, out);
    }
  }
}

}  // namespace

int list_command(const std::string& wanted) {
  std::vector<std::string> kinds;
  bool found = wanted.empty();
  for (const PluginKind& kind : plugin_kinds()) {
    kinds.push_back(kind.name);
    if (!wanted.empty() && !is_of(kind, wanted)) continue;
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

int describe_command(const std::string& name, bool markdown, const std::string& directory) {
  const std::vector<MethodPage> pages = pages_of(name);
  SOUK_REQUIRE(!pages.empty(), "describe: there is no '{}'.{} 'souk list' shows what there is.", name,
               did_you_mean(name, all_names()));
  for (const MethodPage& page : pages) {
    if (!directory.empty()) {
      write_page(directory, page);
    } else {
      print(&page == &pages.front() ? "" : "\n");
      print(markdown ? as_markdown(page) : as_text(page));
    }
  }
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
  collect_bibtex(resolved, *resolved.scenario, "", entries);
  for (const std::string& entry : entries) print(entry + "\n");
  return exit_done;
}

}  // namespace souk
