#pragma once

#include <string>
#include <vector>

namespace souk {

/// Writes the regular members of a .tar or .tar.gz archive whose names end in `suffix` into `directory`, under the last
/// part of their names, and returns their paths. A member appears only when it is complete. Folders inside the archive,
/// links and devices are passed over, so no member can be written anywhere else. Throws InputError for damaged
/// archives.
std::vector<std::string> unpack_tar(const std::string& archive, const std::string& directory,
                                    const std::string& suffix);

}  // namespace souk
