#include "sim/serve/requests.hpp"

namespace souk {

std::string_view to_string(RequestKind kind) {
  constexpr std::array<std::string_view, request_kinds> names{"read", "write", "registration", "edge"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view to_string(Right right) {
  constexpr std::array<std::string_view, right_kinds> names{"READ_OWN",   "READ_ANY",   "WRITE_OWN",     "WRITE_ANY",
                                                            "REGISTER",   "CONNECT",    "KNOW_FEATURES", "KNOW_EDGES",
                                                            "KNOW_MODEL", "KNOW_DESIGN"};
  return names[static_cast<std::size_t>(right)];
}

}  // namespace souk
