#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "analysis/report/watch_server.hpp"
#include "sim/base/error.hpp"

namespace souk::report_watch_test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A server on a free port of the loopback, in a thread of its own, that is asked over plain sockets: no client tidies
/// up what is sent.
class ReportWatch : public testing::Test {
 protected:
  ReportWatch()
      : server_(
            "127.0.0.1", 0, [] { return std::string("<html>page</html>"); },
            [this] {
              if (fails_) throw std::runtime_error("the disk is gone");
              std::this_thread::sleep_for(std::chrono::milliseconds(slow_ms_));
              return "{\"made\":" + std::to_string(++made_) + "}";
            }),
        thread_([this] { server_.serve([this] { return stopped_.load(); }); }) {}
  ~ReportWatch() override { stopped_ = true; }

  /// A connection that has sent these bytes.
  int connected(const std::string& request) const {
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(server_.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(send(connection, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    return connection;
  }
  /// The whole answer to these bytes.
  std::string answer(const std::string& request) const {
    const int connection = connected(request);
    std::string text;
    char bytes[4096];
    for (ssize_t got = 0; (got = recv(connection, bytes, sizeof bytes, 0)) > 0;) {
      text.append(bytes, static_cast<std::size_t>(got));
    }
    close(connection);
    return text;
  }
  std::string ask(const std::string& method, const std::string& path, const std::string& host = "127.0.0.1") const {
    return answer(method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  }

  std::atomic<bool> stopped_ = false, fails_ = false;
  std::atomic<int> made_ = 0, slow_ms_ = 0;
  WatchServer server_;
  std::jthread thread_;
};

TEST_F(ReportWatch, serves_the_page_and_its_data) {
  EXPECT_THAT(ask("GET", "/"), testing::AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("text/html"), HasSubstr("page")));
  EXPECT_THAT(ask("GET", "/data.json"), testing::AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("{\"made\":1}")));
  EXPECT_THAT(ask("GET", "/data.json?x=../.."), StartsWith("HTTP/1.1 200"));  // a query is no path
  EXPECT_THAT(ask("HEAD", "/"), testing::AllOf(StartsWith("HTTP/1.1 200"), Not(HasSubstr("page"))));
}

TEST_F(ReportWatch, serves_no_file_however_it_is_named) {
  for (const char* path :
       {"/results.sqlite", "/scenario.textproto", "/../etc/passwd", "/../../../../../../etc/passwd", "/etc/passwd",
        "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/data.json/../../etc/passwd",
        "/data.json%00/etc/passwd", "/./data.json", "/proc/self/environ", "/index.html", "/data.json/", "/DATA.JSON"}) {
    EXPECT_THAT(ask("GET", path), StartsWith("HTTP/1.1 404")) << path;
  }
  EXPECT_THAT(ask("GET", "file:///etc/passwd"), Not(StartsWith("HTTP/1.1 200")));
  EXPECT_THAT(ask("GET", "../etc/passwd"), Not(StartsWith("HTTP/1.1 200")));
  EXPECT_EQ(made_, 0);
}

TEST_F(ReportWatch, only_reads) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    EXPECT_THAT(ask(method, "/"), StartsWith("HTTP/1.1 405")) << method;
    EXPECT_THAT(ask(method, "/data.json"), StartsWith("HTTP/1.1 405")) << method;
  }
  EXPECT_THAT(answer("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(ReportWatch, answers_only_requests_to_a_loopback_name) {
  for (const char* host : {"localhost", "localhost:80", "127.0.0.1:9999", "[::1]:80"}) {
    EXPECT_THAT(ask("GET", "/", host), StartsWith("HTTP/1.1 200")) << host;
  }
  for (const char* host : {"example.org", "127.0.0.1.example.org", "localhost.example.org:80", ""}) {
    EXPECT_THAT(ask("GET", "/", host), StartsWith("HTTP/1.1 403")) << host;
  }
}

TEST_F(ReportWatch, an_error_is_said_and_is_not_the_end) {
  fails_ = true;
  EXPECT_THAT(ask("GET", "/data.json"), testing::AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("the disk is gone")));
  fails_ = false;
  EXPECT_THAT(ask("GET", "/data.json"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ReportWatch, what_takes_long_is_made_less_often) {
  slow_ms_ = 300;
  EXPECT_THAT(ask("GET", "/data.json"), HasSubstr("{\"made\":1}"));
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_THAT(ask("GET", "/data.json"), HasSubstr("{\"made\":1}"));
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  EXPECT_THAT(ask("GET", "/data.json"), HasSubstr("{\"made\":2}"));
}

TEST_F(ReportWatch, half_sent_requests_do_not_hold_it_up) {
  std::vector<int> connections;
  for (int i = 0; i < 60; ++i) connections.push_back(connected("GET / HTTP/1.1\r\nHost: "));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(ask("GET", "/"), StartsWith("HTTP/1.1 200"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  for (const int connection : connections) close(connection);
}

TEST_F(ReportWatch, a_port_that_is_taken_is_said) {
  const auto text = [] { return std::string(); };
  EXPECT_THROW(WatchServer("127.0.0.1", server_.port(), text, text), InputError);
  EXPECT_THROW(WatchServer("203.0.113.1", 0, text, text), InputError);  // an address that no machine has (RFC 5737)
}

}  // namespace
}  // namespace souk::report_watch_test
