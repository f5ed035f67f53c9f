#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "analysis/metrics/metric_info.hpp"
#include "analysis/results/view_schema.hpp"
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

/// A whole scenario that runs as it is, with what most studies change.
constexpr const char* starter = R"(# A federation to start from; it runs as it is:
#   souk run FILE --ranks 2
# 'souk template --all' shows every field, 'souk describe NAME' explains one, 'souk list' shows what else there is.
name: "my_study"
seed: 1
rounds: 20

task {
  # Drawn images, for a first try. For data of your own: 'souk data describe PATH' prints the lines to put here.
  data { glyphs { train_samples: 5000 test_samples: 1000 } }
  model { mlp { hidden: [64] } }                     # or: logreg {}, cnn_small {}, resnet20 {}, text_cnn {} …
  training { local_epochs: 1 batch_size: 32 learning_rate: 0.1 }
}

participants { clients: 50 per_round: 10 }           # or: everyone: true
partition { dirichlet { alpha: 0.5 } min_samples: 10 }

aggregator { trimmed_mean {} tolerated_f: 2 }        # the rule; tolerated_f: how many attackers it is told to withstand

attacks {                                            # leave it out, and there are none
  fraction: 0.2
  sign_flip { scale: 4 }
}

evaluation { every: 1 }
)";

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

/// A section of the scenario ("root"), or of a section ("task.training"), by the path of its field.
const pb::Descriptor* section_of(const std::string& path) {
  const pb::Descriptor* type = scenario::Scenario::descriptor();
  for (const std::string& name : split_path(path)) {
    const auto* field = type == nullptr ? nullptr : type->FindFieldByName(name);
    type = field == nullptr ? nullptr : field->message_type();
  }
  return type;
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
  if (pages.empty()) {
    const pb::Descriptor* section = section_of(wanted);
    if (section != nullptr) pages.push_back({.name = wanted, .kind = "", .type = section, .facts = {}});
  }
  return pages;
}

/// What is said about a metric, or a table of results; "" if there is none of this name.
std::string about_results(const std::string& name) {
  const MetricInfo metric = metric_info(name);
  if (!metric.meaning.empty()) {
    const char* better = metric.better == Better::larger    ? "larger is better for the defender"
                         : metric.better == Better::smaller ? "smaller is better for the defender"
                                                            : "";
    return fmt::format("{} (metric)\n\n{}\n{}{}{}Formulas: docs/metrics.md\n", name, wrap(metric.meaning, ""),
                       metric.unit.empty() ? "" : fmt::format("Unit: {}\n", metric.unit), better,
                       *better == '\0' ? "" : "\n");
  }
  for (const ViewTable& table : view_tables()) {
    if (table.name != name) continue;
    std::string text =
        fmt::format("{} (table of results)\n\n{}\nKey: {}\n\n", name, wrap(std::string(table.meaning), ""), table.key);
    for (const ViewColumn& column : table.columns) {
      text += fmt::format("  {:<20} {:<8} {}\n", column.name, column.type, column.meaning);
    }
    return text;
  }
  return "";
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
  if (const std::string results = pages.empty() ? about_results(name) : ""; !results.empty()) {
    print(results);
    return exit_done;
  }
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

int template_command(bool all) {
  if (!all) {
    print(starter);
    return exit_done;
  }
  print("# Every field of a scenario, at its default. Lines of choices not taken are comments.\n");
  print(template_of(*scenario::Scenario::descriptor(), ""));
  return exit_done;
}

int descriptors_command() {
  const std::string bytes = schema_descriptors();
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
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
