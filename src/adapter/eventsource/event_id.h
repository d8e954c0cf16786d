// The ids of events: a position in the channel's stream, as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/epoch.h"

namespace parley::adapter::eventsource {

// The id by which a client asks for everything that history keeps.
inline constexpr std::string_view kFromTheStart = "0";

// `<epoch>.<offset>`. The position's epoch must be known.
std::string to_event_id(const hub::StreamPosition& position);
// Nothing when no event ever had this id. kFromTheStart gives offset 0 of whatever epoch there is.
std::optional<hub::StreamPosition> parse_event_id(std::string_view id);

}  // namespace parley::adapter::eventsource
