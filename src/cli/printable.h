// Text from the network on its way to a terminal.
#pragma once

#include <string>
#include <string_view>

namespace parley::cli {

// The text on one line, without characters that steer a terminal: control characters but the tab
// become escapes like \n and \x1b.
std::string printable(std::string_view text);

// The same for a message. JSON of several lines becomes JSON of one line.
std::string printable_data(std::string_view data);

}  // namespace parley::cli
