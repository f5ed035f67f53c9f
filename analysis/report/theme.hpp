#pragma once

#include <string>

namespace souk {

/// How figures look, as configurations of Vega-Lite (JSON). Lines and areas have the eight colours of Okabe and Ito
/// (2008), which people with any kind of colour vision tell apart, with a black that suits the background; maps have
/// viridis.
std::string light_theme();
std::string dark_theme();

}  // namespace souk
