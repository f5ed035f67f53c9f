#include "sim/app/method_page.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "aggregators/aggregator.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/engine/schema_info.hpp"

namespace souk {
namespace {

namespace pb = google::protobuf;

std::string listed(const std::vector<std::pair<bool, std::string>>& items) {
  std::vector<std::string> chosen;
  for (const auto& [holds, text] : items) {
    if (holds) chosen.push_back(text);
  }
  return fmt::format("{}", fmt::join(chosen, ", "));
}

/// What a rule with default parameters declares about itself.
void add_declarations(const pb::FieldDescriptor& choice, MethodPage& page) {
  scenario::Aggregator config;
  config.GetReflection()->MutableMessage(&config, &choice);
  const auto rule = make_aggregator(config);
  const RuleNeeds needs = rule->needs();
  const std::string needed = listed({{needs.tolerated_f, "a tolerated number f of malicious updates"},
                                     {needs.root_update, "the server's own update on root data"},
                                     {needs.root_data, "root data to judge models by"},
                                     {needs.validators, "validators"},
                                     {needs.model, "the network"},
                                     {needs.memory && !needs.history, "memory of earlier rounds"},
                                     {needs.history, "a history of every client"},
                                     {needs.everyone, "every client in every round"}});
  const RulePreserves preserves = rule->preserves();
  const std::string preserved = listed({{preserves.permutation, "permutation"},
                                        {preserves.scale, "scale"},
                                        {preserves.translation, "translation"},
                                        {preserves.unanimity, "unanimity"}});
  page.facts.emplace_back("needs", needed.empty() ? "the updates alone" : needed);
  page.facts.emplace_back("preserves", preserved + (preserves.noise ? "; adds noise" : ""));
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

std::string escaped(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  return text;
}

}  // namespace

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

MethodPage method_page(const std::string& kind, const pb::FieldDescriptor& choice) {
  MethodPage page{choice.name(), kind, choice.message_type(), method_facts_of(*choice.message_type())};
  if (kind == "aggregators") add_declarations(choice, page);
  return page;
}

std::string as_text(const MethodPage& page) {
  std::string text = page.name + (page.kind.empty() ? "" : fmt::format(" ({})", page.kind)) + "\n";
  text += wrap(comment_of(*page.type), "  ");
  if (!page.facts.empty()) text += "\n";
  for (const auto& [what, said] : page.facts) text += fmt::format("  {:<11} {}\n", what, said);
  if (page.type->field_count() > 0) text += "\nparameters\n";
  for (int f = 0; f < page.type->field_count(); ++f) {
    const auto& field = *page.type->field(f);
    text += fmt::format("  {} ({})\n", field.name(), facts_of(field)) + wrap(comment_of(field), "      ");
    text += enum_values(field, "        ");
  }
  for (const std::string& entry : bibtex_of(*page.type)) text += "\n" + entry + "\n";
  return text;
}

std::string as_markdown(const MethodPage& page) {
  std::string text = fmt::format("# {}\n\n{}\n", page.name, comment_of(*page.type));
  if (!page.facts.empty()) text += "\n| | |\n|---|---|\n";
  for (const auto& [what, said] : page.facts) {
    const char* quote = what == "formula" ? "`" : "";
    text += fmt::format("| {} | {}{}{} |\n", what, quote, escaped(said), quote);
  }
  if (page.type->field_count() > 0) text += "\n## Parameters\n\n| parameter | | |\n|---|---|---|\n";
  for (int f = 0; f < page.type->field_count(); ++f) {
    const auto& field = *page.type->field(f);
    std::string meaning = comment_of(field);
    for (int v = 0; field.cpp_type() == pb::FieldDescriptor::CPPTYPE_ENUM && v < field.enum_type()->value_count();
         ++v) {
      const auto& value = *field.enum_type()->value(v);
      meaning += fmt::format(" `{}`: {}", value.name(), comment_of(value));
    }
    text += fmt::format("| `{}` | {} | {} |\n", field.name(), facts_of(field), escaped(meaning));
  }
  const std::vector<std::string> sources = bibtex_of(*page.type);
  if (!sources.empty()) text += fmt::format("\n## Source\n\n```bibtex\n{}\n```\n", fmt::join(sources, "\n"));
  return text;
}

}  // namespace souk
