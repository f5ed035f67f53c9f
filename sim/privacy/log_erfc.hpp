#pragma once

namespace souk {

/// ln(erfc(x)), also where erfc(x) is no double any more.
double log_erfc(double x);

}  // namespace souk
