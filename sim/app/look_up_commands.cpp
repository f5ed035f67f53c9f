// What there is: `souk list`, `describe`, `template`, `reference`, and `souk data`; their options.
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sim/app/commands.hpp"
#include "sim/app/subcommands.hpp"

namespace souk {

void add_look_up(CLI::App& app, ChosenCommand& chosen) {
  struct Given {
    std::string name, pages;
    bool markdown = false, every_field = false, descriptors = false;
  };
  const auto given = std::make_shared<Given>();
  CLI::App* list = app.add_subcommand("list", "List what there is: aggregators, attacks, models, …");
  list->add_option("kind", given->name, "One kind only: aggregators, attacks, attacks/data, …");
  list->callback([&chosen, given] { chosen.command = [given] { return list_command(given->name); }; });

  CLI::App* describe = app.add_subcommand(
      "describe", "Describe a rule, attack, model, …, a section of a scenario, a metric or a table of results");
  describe->add_option("name", given->name, "Name or kind, as printed by 'souk list'")->required();
  describe->add_flag("--markdown", given->markdown, "Print a page in Markdown");
  describe->add_option("--out", given->pages, "Directory for one page in Markdown per plug-in, NAME.md");
  describe->callback([&chosen, given] {
    chosen.command = [given] { return describe_command(given->name, given->markdown, given->pages); };
  });

  CLI::App* blank = app.add_subcommand("template", "Print a small scenario to start from");
  blank->add_flag("--all", given->every_field, "Print every field, at its default, with comments");
  blank->callback([&chosen, given] { chosen.command = [given] { return template_command(given->every_field); }; });

  CLI::App* reference = app.add_subcommand("reference", "Print the scenario reference in Markdown");
  reference->add_flag("--descriptors", given->descriptors,
                      "Print the schema as a google.protobuf.FileDescriptorSet, for programs that make scenarios");
  reference->callback(
      [&chosen, given] { chosen.command = given->descriptors ? descriptors_command : reference_command; });
}

void add_data(CLI::App& app, ChosenCommand& chosen) {
  struct Given {
    std::string path, label, name, directory = ".";
    std::vector<std::string> mirrors;
  };
  const auto given = std::make_shared<Given>();
  CLI::App* data = app.add_subcommand("data", "Look at data sets, or download them");
  data->require_subcommand(1);
  CLI::App* describe = data->add_subcommand("describe", "Recognise and summarise a file or directory");
  describe->add_option("path", given->path, "File or directory")->required();
  describe->add_option("--label", given->label, "Column of the class, where the file has columns");
  describe->callback(
      [&chosen, given] { chosen.command = [given] { return data_describe_command(given->path, given->label); }; });

  CLI::App* fetch = data->add_subcommand("fetch", "Download a public data set, resumable and checked");
  fetch->add_option("name", given->name, "Name of the set; 'list' prints them")->required();
  fetch->add_option("--to", given->directory, "Directory to put it in")->capture_default_str();
  fetch
      ->add_option("--mirror", given->mirrors,
                   "Base address to use instead of the known ones (or set SOUK_MIRRORS); may be repeated")
      ->expected(1)
      ->take_all();
  fetch->callback([&chosen, given] {
    chosen.command = [given] { return data_fetch_command(given->name, given->directory, given->mirrors); };
  });
}

}  // namespace souk
