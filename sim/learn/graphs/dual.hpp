#pragma once

#include <cmath>
#include <type_traits>

namespace souk {

/// A number and its derivative along one direction. Arithmetic on dual numbers differentiates what it computes: a
/// gradient computed in them, at parameters whose derivatives are v, has the product of the Hessian with v as its
/// derivatives (Pearlmutter, "Fast Exact Multiplication by the Hessian", Neural Computation 1994).
template <class Scalar>
struct Dual {
  Scalar value{};
  Scalar slope{};

  constexpr Dual() = default;
  constexpr Dual(Scalar v) : value(v) {}  // NOLINT: a plain number is a constant
  constexpr Dual(Scalar v, Scalar s) : value(v), slope(s) {}

  constexpr Dual& operator+=(Dual b) { return *this = *this + b; }
  constexpr Dual& operator-=(Dual b) { return *this = *this - b; }
  constexpr Dual& operator*=(Dual b) { return *this = *this * b; }
  friend constexpr Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.slope + b.slope}; }
  friend constexpr Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.slope - b.slope}; }
  friend constexpr Dual operator*(Dual a, Dual b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }
  friend constexpr Dual operator/(Dual a, Dual b) {
    const Scalar quotient = a.value / b.value;
    return {quotient, (a.slope - quotient * b.slope) / b.value};
  }
};

template <class T>
struct ScalarOf {
  using type = T;
};
template <class S>
struct ScalarOf<Dual<S>> {
  using type = S;
};
/// What a number is made of: itself, or the two of a dual number.
template <class T>
using Scalar = typename ScalarOf<T>::type;
/// How many of them.
template <class T>
inline constexpr std::size_t scalars = sizeof(T) / sizeof(Scalar<T>);

template <class T>
constexpr Scalar<T> value_of(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    return x;
  } else {
    return x.value;
  }
}

template <class T>
T exponential(T x) {
  const Scalar<T> e = std::exp(value_of(x));
  if constexpr (std::is_floating_point_v<T>) {
    return e;
  } else {
    return {e, e * x.slope};
  }
}

}  // namespace souk
