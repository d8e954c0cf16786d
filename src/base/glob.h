// The smallest pattern language: for channel names and web origins.
#pragma once

#include <string_view>

namespace parley {

// '*' stands for any run of characters, '?' for one; over the whole text. "" matches everything.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace parley
