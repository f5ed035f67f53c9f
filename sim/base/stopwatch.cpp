#include "sim/base/stopwatch.hpp"

#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

#include <unistd.h>

namespace souk {

double seconds_since_process_start() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return 0.0;
  std::istringstream fields(text.substr(end_of_name + 1));
  std::string skipped;
  for (int f = 3; f < 22; ++f) fields >> skipped;  // proc(5): starttime is field 22
  double ticks = 0.0;
  fields >> ticks;
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) -
         ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace souk
