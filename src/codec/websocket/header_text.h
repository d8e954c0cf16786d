// What the handshake's headers are made of (RFC 9110 5.6).
#pragma once

#include <string_view>

namespace parley::codec::websocket {

bool is_token_character(char c);
bool equals_ignoring_case(std::string_view text, std::string_view lower_case);

}  // namespace parley::codec::websocket
