// Histories as JSON lines: one event a line, as README.md says.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "tests/history/event.h"

namespace parley::history {

// One line without its end. The error says what is wrong with it.
std::expected<Event, std::string> read_event(std::string_view line);

}  // namespace parley::history
