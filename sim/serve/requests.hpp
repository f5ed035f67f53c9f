#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace souk {

/// What a principal may ask a service for.
enum class RequestKind : std::uint8_t { read, write, registration, edge };
inline constexpr std::size_t request_kinds = 4;
inline constexpr std::array<RequestKind, request_kinds> all_request_kinds{RequestKind::read, RequestKind::write,
                                                                          RequestKind::registration, RequestKind::edge};
std::string_view to_string(RequestKind kind);

/// Numbers of requests, by kind.
struct RequestCounts {
  std::array<std::uint64_t, request_kinds> of{};

  std::uint64_t& operator[](RequestKind kind) { return of[static_cast<std::size_t>(kind)]; }
  std::uint64_t operator[](RequestKind kind) const { return of[static_cast<std::size_t>(kind)]; }
  RequestCounts& operator+=(const RequestCounts& more) {
    for (std::size_t k = 0; k < request_kinds; ++k) of[k] += more.of[k];
    return *this;
  }
  std::uint64_t sum() const { return of[0] + of[1] + of[2] + of[3]; }
  bool operator==(const RequestCounts&) const = default;
};

/// What a piece of work asked for.
struct Usage {
  RequestCounts asked;        ///< refused ones included
  std::uint64_t refused = 0;  ///< edges that were not accepted
  std::uint64_t ticks = 0;    ///< of the clock that went by
};

/// What a principal may do, and what it knows; names as in scenarios.
enum class Right : std::uint8_t {
  read_own,
  read_any,
  write_own,
  write_any,
  register_nodes,
  connect,
  know_features,
  know_edges,
  know_model,
  know_design
};
inline constexpr std::size_t right_kinds = 10;
std::string_view to_string(Right right);

/// A set of rights.
class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(std::initializer_list<Right> rights) {
    for (const Right right : rights) add(right);
  }
  constexpr void add(Right right) { bits_ |= bit(right); }
  constexpr bool has(Right right) const { return (bits_ & bit(right)) != 0; }
  constexpr Rights operator|(Rights other) const {
    Rights both;
    both.bits_ = bits_ | other.bits_;
    return both;
  }

 private:
  static constexpr std::uint32_t bit(Right right) { return 1U << static_cast<unsigned>(right); }
  std::uint32_t bits_ = 0;
};

}  // namespace souk
