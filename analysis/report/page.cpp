#include "analysis/report/page.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "analysis/base64.hpp"
#include "analysis/tables/table_text.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"

#define SOUK_PAGE_PART(name)                     \
  extern const unsigned char souk_page_##name[]; \
  extern const std::size_t souk_page_##name##_size;

// Made from analysis/report/page by souk_embed.
SOUK_PAGE_PART(page_html)
SOUK_PAGE_PART(page_css)
SOUK_PAGE_PART(data_js)
SOUK_PAGE_PART(figures_js)
SOUK_PAGE_PART(tables_js)
SOUK_PAGE_PART(run_page_js)
SOUK_PAGE_PART(main_js)

#undef SOUK_PAGE_PART

namespace souk {
namespace {

#define SOUK_TEXT_OF(name) std::string_view(reinterpret_cast<const char*>(souk_page_##name), souk_page_##name##_size)

/// Code that cannot end its element early.
std::string inlined_code(std::string code) {
  return replaced(replaced(std::move(code), "</script", "<\\/script"), "<!--", "<\\!--");
}

/// JSON in which no character has a meaning in HTML, nor ends a line in JavaScript.
std::string inlined_json(std::string json) {
  json = replaced(replaced(replaced(std::move(json), "<", "\\u003c"), ">", "\\u003e"), "&", "\\u0026");
  return replaced(replaced(std::move(json), "\u2028", "\\u2028"), "\u2029", "\\u2029");
}

/// As Content-Security-Policy names a script.
std::string script_hash(const std::string& code) {
  const std::string hex = sha256_hex(code);
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return fmt::format("'sha256-{}'", base64(std::as_bytes(std::span(bytes))));
}

std::string library_code(const ReportLibrary& library) {
  return fmt::format("/*! {}\n\n{}*/\n{}", library.name, replaced(library.licence, "*/", "* /"),
                     inlined_code(library.code));
}

/// The template with `{{name}}` replaced. Each name is met once, and what is put in is not searched.
std::string filled(std::string_view page, const std::vector<std::pair<std::string_view, std::string>>& parts) {
  std::string text;
  for (const auto& [name, part] : parts) {
    const std::size_t at = page.find(name);
    SOUK_EXPECT(at != std::string_view::npos);
    text += page.substr(0, at);
    text += part;
    page.remove_prefix(at + name.size());
  }
  return text += page;
}

}  // namespace

std::string html_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string render_page(const std::string& title, const std::string& data_json,
                        const std::vector<ReportLibrary>& libraries, bool live) {
  std::string scripts, hashes;
  const auto add_script = [&](const std::string& code) {
    scripts += "<script>" + code + "</script>\n";
    hashes += " " + script_hash(code);
  };
  for (const ReportLibrary& library : libraries) add_script(library_code(library));
  std::string own = "'use strict';\n";
  for (const std::string_view part : {SOUK_TEXT_OF(data_js), SOUK_TEXT_OF(figures_js), SOUK_TEXT_OF(tables_js),
                                      SOUK_TEXT_OF(run_page_js), SOUK_TEXT_OF(main_js)}) {
    own += part;
  }
  add_script(own);
  const std::string policy = fmt::format(
      "default-src 'none'; script-src{}; style-src 'unsafe-inline'; img-src data: blob:; connect-src {}; "
      "base-uri 'none'; form-action 'none'",
      hashes, live ? "'self'" : "'none'");
  return filled(SOUK_TEXT_OF(page_html), {{"{{policy}}", policy},
                                          {"{{title}}", html_escaped(title)},
                                          {"{{style}}", std::string(SOUK_TEXT_OF(page_css))},
                                          {"{{live}}", live ? "true" : "false"},
                                          {"{{missing}}", libraries.empty() ? no_libraries : ""},
                                          {"{{data}}", inlined_json(data_json)},
                                          {"{{scripts}}", scripts}});
}

}  // namespace souk
