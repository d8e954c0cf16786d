// A session's messages as server-sent events, one way.
#pragma once

#include <optional>

#include "http/server.h"
#include "session/session.h"
#include "session/transport_link.h"

namespace parley::transport::sse {

// What: the endless response to one request. A message of the session is one or more whole events
// (WHATWG HTML 9.2); the transport adds the framing of the body only. Owner: its io::Socket, and
// before that the SseHandler's call. Shard: the socket's. Failure: a peer that keeps sending is
// closed.
class SseTransport final : public io::SocketHandler, public session::TransportLink {
 public:
  // What of a client that should be silent is ignored before it is closed.
  static constexpr size_t kMaxIgnoredBytes = 64 * 1024;

  SseTransport(http::Server& server, bool chunked);
  ~SseTransport() override;

  // The session has ended while the request was still unanswered: why, and the protocol's word for
  // it.
  std::optional<session::EndReason> ended() const { return ended_; }
  const session::EndCode& end_code() const { return end_code_; }
  // Before the socket has this handler: `first` is the head of the response.
  void start(session::Session& session, Buffer first);

 private:
  // io::SocketHandler
  void on_opened(io::Socket& socket) override;
  void on_input(std::span<char> bytes) override;
  void gather(io::OutSlices& out) override;
  void consumed(size_t n) override;
  void on_closed(io::CloseReason reason) override;

  // session::TransportLink
  const session::Framing& framing() const override;
  void wake(bool reply) override;
  void end(session::EndReason reason, const session::EndCode& code) override;
  void pause_input(bool) override {}

  http::Server& server_;
  io::Socket* socket_ = nullptr;  // null until the request is answered
  session::Session* session_ = nullptr;
  Buffer front_;  // the head, or the end of the body
  size_t front_sent_ = 0;
  uint32_t front_lent_ = 0;  // bytes of the last gather() that were not the session's
  uint32_t ignored_ = 0;
  std::optional<session::EndReason> ended_;
  session::EndCode end_code_;
  const bool chunked_;
  bool last_chunk_written_ = false;
  bool gathered_ = false;  // the last gather() asked the session
};

static_assert(sizeof(SseTransport) + sizeof(io::Socket) <= 200,
              "an idle connection is paid for a million times");

}  // namespace parley::transport::sse
