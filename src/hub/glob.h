// The smallest pattern language: what the server API filters channel names with.
#pragma once

#include <string_view>

namespace parley::hub {

// '*' stands for any run of characters, '?' for one; over the whole text. "" matches everything.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace parley::hub
