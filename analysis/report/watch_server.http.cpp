#include "analysis/report/watch_server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include <httplib.h>

#include "sim/base/contract.hpp"

namespace souk {

/// A document that is made by one thread at a time, at most once a second and at most a tenth of the time: what is
/// watched needs the processor.
class CachedDocument {
 public:
  explicit CachedDocument(WatchServer::Document make) : make_(std::move(make)) {}
  std::string get() {
    const std::lock_guard lock(mutex_);
    const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    if (text_.empty() || begin - made_ > age_limit_) {
      text_ = make_();
      made_ = std::chrono::steady_clock::now();
      age_limit_ = std::max<std::chrono::steady_clock::duration>(std::chrono::seconds(1), 10 * (made_ - begin));
    }
    return text_;
  }

 private:
  WatchServer::Document make_;
  std::mutex mutex_;
  std::string text_;
  std::chrono::steady_clock::time_point made_;
  std::chrono::steady_clock::duration age_limit_{};
};

namespace {

constexpr std::size_t threads = 32;

/// Whether a host is this machine by its own word: a name that merely begins like an address belongs to somebody else.
bool is_loopback(const std::string& host) {
  in_addr address{};
  const bool is_address = inet_pton(AF_INET, host.c_str(), &address) == 1;
  return (is_address && ntohl(address.s_addr) >> 24 == 127) || host == "localhost" || host == "::1" || host == "[::1]";
}

std::string without_port(const std::string& host) {
  const std::size_t colon = host.rfind(':');
  const bool inside_brackets = host.find(']') != std::string::npos && colon < host.find(']');
  return colon == std::string::npos || inside_brackets ? host : host.substr(0, colon);
}

void answer(CachedDocument& document, const char* type, httplib::Response& response) {
  try {
    response.set_content(document.get(), type);
  } catch (const std::exception& error) {
    response.status = 503;
    response.set_content(error.what(), "text/plain; charset=utf-8");
  }
}

}  // namespace

struct WatchServer::State {
  State(Document make_page, Document make_data) : page(std::move(make_page)), data(std::move(make_data)) {}
  CachedDocument page, data;
  httplib::Server server;
  int port = 0;
};

WatchServer::WatchServer(const std::string& address, int port, Document page, Document data)
    : state_(std::make_unique<State>(std::move(page), std::move(data))) {
  httplib::Server& server = state_->server;
  server.set_default_headers({{"Cache-Control", "no-store"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"X-Frame-Options", "DENY"},
                              {"Referrer-Policy", "no-referrer"}});
  // Connections that send nothing hold a thread each until they time out.
  server.set_read_timeout(std::chrono::seconds(1));
  server.set_keep_alive_timeout(1);
  server.new_task_queue = [] { return new httplib::ThreadPool(threads); };
  // Without SO_REUSEPORT, which the library would set: two servers on one port would share its requests.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  const bool local = is_loopback(address);
  server.set_pre_routing_handler([local](const httplib::Request& request, httplib::Response& response) {
    using Handled = httplib::Server::HandlerResponse;
    if (request.method != "GET" && request.method != "HEAD") {
      response.status = 405;
      response.set_header("Allow", "GET, HEAD");
      return Handled::Handled;
    }
    if (local && !is_loopback(without_port(request.get_header_value("Host")))) {
      response.status = 403;
      return Handled::Handled;
    }
    return Handled::Unhandled;
  });
  server.Get("/", [this](const httplib::Request&, httplib::Response& response) {
    answer(state_->page, "text/html; charset=utf-8", response);
  });
  server.Get("/data.json", [this](const httplib::Request&, httplib::Response& response) {
    answer(state_->data, "application/json", response);
  });
  if (port == 0) {
    state_->port = server.bind_to_any_port(address.c_str());
  } else {
    state_->port = server.bind_to_port(address.c_str(), port) ? port : -1;
  }
  SOUK_REQUIRE(state_->port > 0,
               "cannot listen on {} port {}: the address is not of this machine, or the port is taken", address, port);
}

WatchServer::~WatchServer() = default;

int WatchServer::port() const { return state_->port; }

void WatchServer::serve(const std::function<bool()>& stop) {
  std::atomic<bool> ended = false;
  std::jthread listener([&] {
    state_->server.listen_after_bind();
    ended = true;
  });
  // A server that has not begun cannot be stopped: it would go on for ever.
  while (!ended && !(state_->server.is_running() && stop()))
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  state_->server.stop();
}

}  // namespace souk
