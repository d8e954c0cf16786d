// The negotiation of permessage-deflate (RFC 7692 7.1), as a pure function of a header.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::codec::websocket {

// The windows that a server compresses with, in bits; descending. Few, because each is one more
// encoding of everything. 8 is not among them: zlib cannot do it.
inline constexpr std::array<uint8_t, 3> kServerWindows = {15, 12, 9};

// What both sides have agreed on. Whatever was offered, neither side keeps context between
// messages.
struct DeflateTerms {
  uint8_t server_window = kServerWindows.front();  // one of kServerWindows
  bool window_named = false;                       // the client asked, so the answer must tell

  // Sec-WebSocket-Extensions of the response.
  std::string answer() const;
  bool operator==(const DeflateTerms&) const = default;
};

// The header is not of the form of RFC 6455 9.1.
struct MalformedExtensions {};

// Judges the offers of a Sec-WebSocket-Extensions header in the client's order and takes the first
// that can be honoured to the letter; nothing: none can. An unknown, repeated or ill-valued
// parameter makes an offer one that cannot (7.1). Linear in the size of the header.
Result<std::optional<DeflateTerms>, MalformedExtensions> negotiate_deflate(
    std::string_view extensions);

}  // namespace parley::codec::websocket
