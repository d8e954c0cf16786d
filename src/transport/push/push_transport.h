// A session's messages as the endless response to one request; what the client has to say comes by
// requests of their own.
#pragma once

#include <memory>
#include <optional>

#include "http/server.h"
#include "session/session.h"
#include "session/transport_link.h"
#include "session/uplinks.h"
#include "transport/push/first_answer.h"
#include "transport/push/push_framing.h"

namespace parley::transport::push {

// What: the push half of a session over HTTP (docs/adr/0015-push-and-uplink.md). A PushFormat marks
// the borders of messages in the body. Owner: its io::Socket, and before that the PushHandler's
// call. Shard: the socket's. Failure: a peer that keeps sending on this half is closed.
class PushTransport final : public io::SocketHandler, public session::TransportLink {
 public:
  // What of a client that should be silent is ignored before it is closed.
  static constexpr size_t kMaxIgnoredBytes = 64 * 1024;
  // What may wait while the session takes no input; above, it is ended.
  static constexpr size_t kHeldMessages = 64;
  static constexpr size_t kHeldBytes = 256 * 1024;

  PushTransport(http::Server& server, PushFormat format, bool chunked);
  ~PushTransport() override;

  // Before the session exists: messages that show the key reach it from start() on.
  std::string open_uplink(session::Uplinks& uplinks, session::MessageType type);

  // The session has ended while the request was still unanswered: why, and the protocol's word for
  // it.
  std::optional<session::EndReason> ended() const { return ended_; }
  const session::EndCode& end_code() const { return end_code_; }

  // Before the socket has this handler: `unsent` is of earlier responses, `answer` of this one.
  // Where it is open whether the session is let in, the answer waits for its first words or its
  // end.
  void start(session::Session& session, Buffer unsent, FirstAnswer answer, bool open);

 private:
  class Uplink;

  // io::SocketHandler
  void on_opened(io::Socket& socket) override;
  void on_input(std::span<char> bytes) override;
  ByteView gather_shared(size_t most) override;
  void gather(io::OutSlices& out) override;
  void consumed(size_t n) override;
  void on_closed(io::CloseReason reason) override;

  // session::TransportLink
  const session::Framing& framing() const override { return framing_; }
  void wake(bool reply) override;
  void end(session::EndReason reason, const session::EndCode& code) override;
  void pause_input(bool paused) override;
  bool unheard(Duration time) const override {
    return socket_ != nullptr && socket_->unheard(time);
  }

  void settle_answer();

  http::Server& server_;
  const session::Framing& framing_;
  io::Socket* socket_ = nullptr;  // null until the request is answered
  session::Session* session_ = nullptr;
  std::unique_ptr<Uplink> uplink_;       // null: the session goes one way
  std::unique_ptr<FirstAnswer> answer_;  // null: given, or in front_
  Buffer front_;                         // the head, or the end of the body
  size_t front_sent_ = 0;
  uint32_t front_lent_ = 0;  // bytes of the last gather() that were not the session's
  uint32_t ignored_ = 0;
  std::optional<session::EndReason> ended_;
  const bool chunked_;
  bool last_chunk_written_ = false;
  bool gathered_ = false;  // the last gather() asked the session
  session::EndCode end_code_;
};

static_assert(sizeof(PushTransport) + sizeof(io::Socket) <= 208,
              "an idle connection is paid for a million times");

}  // namespace parley::transport::push
