#pragma once

#include <string>
#include <vector>

#include "analysis/report/libraries.hpp"

namespace souk {

/// Stands in the head of every page.
inline constexpr const char* page_mark = " – Souk</title>";

/// The whole page as one HTML file: data as JSON, libraries and scripts inlined. It loads nothing, and its
/// Content-Security-Policy forbids it to: scripts run only if their SHA-256 is listed, so no text of a run can become
/// one, and nothing evaluates strings (Vega reads its expressions with an interpreter). A live page may ask its own
/// server.
std::string render_page(const std::string& title, const std::string& data_json,
                        const std::vector<ReportLibrary>& libraries, bool live);

/// `text` with the characters that have a meaning in HTML escaped, for elements and quoted attributes.
std::string html_escaped(const std::string& text);

}  // namespace souk
