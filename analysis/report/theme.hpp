#pragma once

#include <cstddef>
#include <string>

namespace souk {

/// Colours of categories in either theme; no two are alike.
inline constexpr std::size_t category_colours = 12;

/// How figures look, as configurations of Vega-Lite (JSON). Lines and areas have the eight colours of Okabe and Ito
/// (2008), which people with any kind of colour vision tell apart, with a black that suits the background, and then
/// four more; maps have viridis.
std::string light_theme();
std::string dark_theme();

}  // namespace souk
