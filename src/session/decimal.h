// Comparing numbers as they are written, exactly: 0.1 is a tenth, and 9007199254740993 is not
// 9007199254740992.
#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace parley::session {

// nullopt: one of the two is no decimal number: [+-] digits [. digits] [e [+-] up to five digits].
std::optional<std::strong_ordering> compare_decimals(std::string_view a, std::string_view b);

}  // namespace parley::session
