// The opening handshake over HTTP/1.1.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/websocket/handshake.h"
#include "http/origin_policy.h"
#include "http/router.h"
#include "session/session_table.h"
#include "transport/websocket/compression.h"

namespace parley::transport::websocket {

struct WebSocketOptions {
  size_t message_bytes = 64 * 1024;  // of one message; more: closed with 1009
  // ... while it is not known whose session it is, if that is less; inflated, too.
  size_t first_message_bytes = SIZE_MAX;
  std::vector<std::string_view>
      subprotocols{};  // static texts; of those the client's first is chosen
  http::OriginPolicy origins{};
  Compression* compression = nullptr;  // borrowed; null: no message is compressed
  size_t inflated_bytes = 0;           // of a message that was compressed; 0: as message_bytes
  std::string_view transport = "websocket";  // session::Handshake::transport
  bool one_way = false;                      // session::Handshake::one_way
  // A parameter of the address that may hold the session's first message; "": there is none.
  std::string_view first_parameter{};
};

// What: answers `GET` with an upgrade (RFC 6455 4.2) and starts a session of the factory's protocol
// on it. Owner: the server, one per route and shard; outlives its connections. Shard: its own.
// Failure: 400, 403 or 426, and the connection closes.
class WebSocketHandler final : public http::Handler {
 public:
  // Borrows both.
  WebSocketHandler(const session::AdapterFactory& adapters, session::SessionTable& sessions,
                   WebSocketOptions options);
  void handle(http::Exchange& exchange) override;

 private:
  void upgrade(http::Exchange& exchange, const codec::websocket::HandshakeAccept& accept);

  const session::AdapterFactory& adapters_;
  session::SessionTable& sessions_;
  WebSocketOptions options_;
  std::optional<codec::websocket::Inflation> inflation_;  // with options_.compression
};

}  // namespace parley::transport::websocket
