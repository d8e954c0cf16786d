// The opening handshake (RFC 6455 4) as pure functions over header values.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/websocket/deflate_terms.h"

namespace parley::codec::websocket {

// What the HTTP layer saw. An absent header is empty; one that came several times is joined by
// commas. The views are borrowed for the call.
struct HandshakeRequest {
  std::string_view method;
  int http_minor = 1;  // of HTTP/1.x
  std::string_view upgrade;
  std::string_view connection;
  std::string_view key;         // Sec-WebSocket-Key
  std::string_view version;     // Sec-WebSocket-Version
  std::string_view protocols;   // Sec-WebSocket-Protocol
  std::string_view extensions;  // Sec-WebSocket-Extensions
};

struct HandshakeAccept {
  std::string accept_key;               // Sec-WebSocket-Accept
  std::string_view subprotocol;         // one of the server's list; empty: send no header
  std::optional<DeflateTerms> deflate;  // nothing: messages are not compressed
};

// Status 400, or 426 whose response needs `Upgrade: websocket` and `Sec-WebSocket-Version: 13`.
struct HandshakeError {
  int status;
  const char* message;
};

// Judges an upgrade over HTTP/1.1. Of the subprotocols that both sides know, the one that the
// client named first is chosen. Offers of extensions are read only if the server does `deflate`.
// Linear in the size of the headers.
Result<HandshakeAccept, HandshakeError> accept_handshake(
    const HandshakeRequest& request, std::span<const std::string_view> subprotocols,
    bool deflate = false);

// Sec-WebSocket-Accept for a Sec-WebSocket-Key (4.2.2): 28 characters.
std::string accept_key(std::string_view key);

}  // namespace parley::codec::websocket
