#pragma once

#include <functional>
#include <memory>
#include <string>

namespace souk {

/// Two documents over HTTP and nothing else: "/" is a page, "/data.json" its data. It reads no file by a name that a
/// request gives, and writes nothing. Other paths are 404, methods other than GET and HEAD 405. Bound to a loopback
/// address it answers only requests whose Host is one too, so that no site can read it through a name of its own (DNS
/// rebinding).
class WatchServer {
 public:
  using Document = std::function<std::string()>;
  /// Port 0 takes any free one. Throws InputError if the address cannot be bound.
  WatchServer(const std::string& address, int port, Document page, Document data);
  ~WatchServer();
  WatchServer(const WatchServer&) = delete;
  WatchServer& operator=(const WatchServer&) = delete;
  int port() const;
  /// Serves until `stop` answers true, asked ten times a second. A document is made at most once a second, and one
  /// that takes long as often as takes a tenth of the time; one that throws is answered with 503 and the reason.
  void serve(const std::function<bool()>& stop);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace souk
