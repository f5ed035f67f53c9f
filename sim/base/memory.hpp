#pragma once

#include <string>

namespace souk {

/// Bytes this node could still give out: the kernel's estimate, or the control group's limit if that is lower.
double available_memory();

/// "1.5 GB", "12 MB", ….
std::string bytes_text(double bytes);

}  // namespace souk
