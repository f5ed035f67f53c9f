#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/data_set.hpp"
#include "analysis/report/page.hpp"

namespace souk::report_page_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

DataSet small_data() {
  DataSet data({"rule", "value", "count"});
  data.add({"krum", 0.5, 3});
  data.add({"mean", std::numeric_limits<double>::quiet_NaN(), 4});
  data.add({"krum", std::numeric_limits<double>::infinity(), ReportValue()});
  data.add({ReportValue(), 1.0 / 3.0, 5});
  return data;
}

TEST(ReportData, columns_list_every_text_once_and_keep_what_does_not_exist) {
  EXPECT_EQ(json::parse(small_data().to_columns_json()), json::parse(R"({"columns": [
    {"name": "rule", "levels": ["krum", "mean"], "codes": [0, 1, 0, -1]},
    {"name": "value", "values": [0.5, null, null, 0.333333]},
    {"name": "count", "values": [3, 4, null, 5]}]})"));
}

TEST(ReportData, rows_are_the_same_values_as_objects) {
  EXPECT_EQ(json::parse(small_data().to_rows_json()), json::parse(R"([
    {"rule": "krum", "value": 0.5, "count": 3}, {"rule": "mean", "value": null, "count": 4},
    {"rule": "krum", "value": null, "count": null}, {"rule": null, "value": 0.333333, "count": 5}])"));
}

TEST(ReportData, texts_with_any_bytes_become_json) {
  EXPECT_EQ(json::parse(json_text("a\"b\\c\n\x01</script>")).get<std::string>(), "a\"b\\c\n\x01</script>");
  EXPECT_EQ(json::parse(json_text("bad \xff byte")).get<std::string>(), "bad \xEF\xBF\xBD byte");
}

/// The page between two texts.
std::string between(const std::string& page, const std::string& from, const std::string& to) {
  const std::size_t begin = page.find(from) + from.size();
  return page.substr(begin, page.find(to, begin) - begin);
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(ReportPage, neither_title_nor_data_can_leave_their_place) {
  const std::string evil = "</title></script><script>alert(1)</script><!-- & \u2028 {{data}}";
  const std::string page = render_page(evil, json({{"title", evil}}).dump(), {}, false);

  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_EQ(between(page, "<title>", "</title>"),
            "&lt;/title&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!-- &amp; \u2028 {{data}} – Souk");
  const std::string data = between(page, "id=\"report-data\">", "</script>");
  EXPECT_THAT(data, Not(HasSubstr("<")));
  EXPECT_EQ(json::parse(data)["title"].get<std::string>(), evil);
}

TEST(ReportPage, a_library_cannot_end_its_element_early_and_brings_its_licence) {
  const std::vector<ReportLibrary> libraries{{"lib", "f('</script><!--')", "May be used */ by all"}};
  const std::string page = render_page("t", "{}", libraries, false);
  const std::string script = between(page, "<script>/*! lib", "</script>");
  EXPECT_THAT(script, HasSubstr("May be used * / by all"));
  EXPECT_THAT(script, HasSubstr(R"(f('<\/script><\!--'))"));
}

TEST(ReportPage, its_policy_names_every_script_and_lets_only_a_live_page_ask_its_server) {
  const std::vector<ReportLibrary> libraries{{"lib", "1", ""}};
  const std::string page = render_page("t", "{}", libraries, false);
  const std::string policy = between(page, "Content-Security-Policy\" content=\"", "\"");
  EXPECT_EQ(count_of(policy, "'sha256-"), count_of(page, "<script>"));
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, HasSubstr("connect-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe-eval")));
  // printf '/*! lib\n\n*/\n1' | openssl dgst -sha256 -binary | base64
  EXPECT_THAT(policy, HasSubstr("'sha256-UxbefK0BYicf+uf93Xtr36rp9Qn29mHd5V8QxP+CDGI='"));
  EXPECT_THAT(render_page("t", "{}", libraries, true), HasSubstr("connect-src 'self'"));
}

TEST(ReportPage, without_libraries_it_says_what_is_missing) {
  EXPECT_THAT(render_page("t", "{}", {}, false), HasSubstr(no_libraries));
  EXPECT_THAT(render_page("t", "{}", {{"lib", "1", ""}}, false), Not(HasSubstr(no_libraries)));
}

TEST(ReportPage, loads_nothing_from_elsewhere) {
  const std::string page = render_page("t", "{}", {}, false);
  for (const char* what : {" src=", "<link", "@import", "url(http", "http://", "https://"}) {
    EXPECT_THAT(page, Not(HasSubstr(what))) << what;
  }
}

}  // namespace
}  // namespace souk::report_page_test
