#pragma once

#include <array>
#include <ostream>

namespace souk::vectors {

/// Epsilon of `rounds` releases. RDP, PLD and the central limit were computed by an implementation of its own; in seven
/// rows the second agrees with Google's dp_accounting to 1e-6, and `rdp_original` has the published 3.01, 1.19 and 7.10
/// of TensorFlow Privacy's table for MNIST.
struct Row {
  double sampling, noise;
  unsigned rounds;
  double delta;
  double rdp, order, rdp_original, pld, limit;
};

inline std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << "q = " << row.sampling << ", sigma = " << row.noise << ", T = " << row.rounds;
}

inline constexpr double mnist = 256.0 / 60000.0;

inline constexpr std::array<Row, 13> rows{{
    {1.0, 1.0, 1, 1e-5, 4.728507, 5.4, 5.298526, 4.377178, 4.377178},
    {1.0, 5.0, 100, 1e-5, 10.725510, 3.3, 11.597052, 9.997282, 9.997256},
    {0.01, 1.0, 1000, 1e-5, 2.101365, 7.8, 2.537983, 1.828934, 1.617712},
    {0.04, 1.5, 2250, 1e-5, 7.329111, 3.9, 8.073848, 6.769479, 6.601567},
    {0.1, 1.0, 100, 1e-5, 7.899255, 3.2, 8.793778, 7.046629, 6.007077},
    {0.1, 0.5, 20, 1e-5, 18.139160, 1.9, 19.599546, 15.596767, 18.686040},
    {0.25, 1.0, 150, 1e-5, 25.427869, 2.0, 26.814164, 23.387739, 24.493339},
    {0.25, 2.0, 150, 1e-5, 8.795409, 3.4, 9.632694, 8.097255, 7.801944},
    {0.2, 1.0, 50, 1e-3, 8.249500, 2.4, 9.413831, 7.065779, 6.863909},
    {mnist, 1.1, 14062, 1e-5, 2.596556, 8.1, 3.008272, 2.390530, 2.324269},
    {mnist, 1.3, 3515, 1e-5, 0.954430, 17.0, 1.192130, 0.869290, 0.834382},
    {mnist, 0.7, 10546, 1e-5, 6.318101, 3.8, 7.100268, 5.642549, 5.065910},
    {0.5, 1.0, 10, 1e-5, 11.537107, 2.7, 12.580693, 10.459929, 10.447089},
}};

}  // namespace souk::vectors
