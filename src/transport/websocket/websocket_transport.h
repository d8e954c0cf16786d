// A session's messages over a WebSocket.
#pragma once

#include <memory>
#include <optional>

#include "codec/websocket/decoder.h"
#include "http/server.h"
#include "session/session.h"
#include "session/transport_link.h"

namespace parley::transport::websocket {

// What: the server's end of one WebSocket (RFC 6455), after its handshake. Owner: its io::Socket.
// Shard: the socket's. Failure: a peer that breaks the protocol gets a close frame with the code of
// what it broke, and its session ends. A frame of our own (pong, close) goes out only where no
// frame of the session is partly sent.
class WebSocketTransport final : public io::SocketHandler,
                                 public session::TransportLink,
                                 private codec::websocket::MessageSink {
 public:
  // How messages travel, as agreed in the handshake. Borrows what it points to.
  struct Carriage {
    size_t message_bytes;
    size_t first_message_bytes;  // of one whose session is not known yet, if that is less
    const session::Framing* framing = nullptr;               // null: plain
    const codec::websocket::Inflation* inflation = nullptr;  // null: none comes compressed
  };
  // `first` goes out before everything else: the handshake's response.
  WebSocketTransport(http::Server& server, const Carriage& carriage, Buffer first);
  ~WebSocketTransport() override;

  // Once, after the socket has this handler.
  void start(session::Session& session) { session_ = &session; }

 private:
  struct Spare;  // what only a busy connection needs

  // io::SocketHandler
  void on_opened(io::Socket& socket) override;
  void on_input(std::span<char> bytes) override;
  void on_input_lag(const io::InputLag& lag) override;
  ByteView gather_shared(size_t most) override;
  void gather(io::OutSlices& out) override;
  void consumed(size_t n) override;
  void on_closed(io::CloseReason reason) override;

  // session::TransportLink
  const session::Framing& framing() const override { return framing_; }
  void wake(bool reply) override;
  void end(session::EndReason reason, const session::EndCode& code) override;
  void pause_input(bool paused) override;
  void admit() override { decoder_.raise_limit(message_bytes_); }
  bool unheard(Duration time) const override {
    return socket_ != nullptr && socket_->unheard(time);
  }

  // codec::websocket::MessageSink
  void on_message(bool text, ByteView payload) override;
  void on_ping(ByteView payload) override;
  void on_pong(ByteView payload) override;
  void on_close(uint16_t code, ByteView reason) override;
  void on_inflated(size_t received, size_t inflated) override;

  void decode(std::span<char> bytes);
  void refuse(const codec::websocket::DecodeFailure& failure);
  void resume();
  void begin_close(uint16_t code, std::string_view text);
  void leave(session::EndReason reason);
  void release_session();
  bool at_border() const { return session_ == nullptr || session_->at_frame_border(); }
  bool wants_border() const;
  void append_own_frame();
  void append_close_frame();
  void lend_front(io::OutSlices& out);
  Spare& spare();
  void release_spare();

  http::Server& server_;
  io::Socket* socket_ = nullptr;
  session::Session* session_ = nullptr;
  const session::Framing& framing_;
  codec::websocket::Decoder decoder_;
  std::unique_ptr<Spare> spare_;
  uint32_t front_lent_ = 0;  // bytes of the last gather() that were not the session's
  const uint32_t message_bytes_;
  bool gathered_ = false;  // the last gather() asked the session
  bool paused_ = false;
  bool closing_ = false;                       // a close frame has been decided on; input is over
  bool close_written_ = false;                 // ... and stands in the front
  std::optional<session::EndReason> leaving_;  // the session is to be told at the next border
};

static_assert(sizeof(WebSocketTransport) + sizeof(io::Socket) <= 200,
              "an idle connection is paid for a million times");

}  // namespace parley::transport::websocket
