// Which build this is.
#pragma once

#include <string>

namespace parley::cli {

// "parley 0.1.0 (0a1b2c3)"; without the parenthesis when built outside of a git checkout.
std::string version_text();
// {"version":"0.1.0","commit":"0a1b2c3"}; the commit may be "".
std::string version_json();
// What the client commands call themselves: "parley/0.1.0".
std::string user_agent();

}  // namespace parley::cli
