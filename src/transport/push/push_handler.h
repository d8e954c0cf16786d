// Requests for a stream.
#pragma once

#include <optional>

#include "http/admission.h"
#include "http/origin_policy.h"
#include "http/router.h"
#include "session/session_table.h"
#include "session/uplinks.h"
#include "transport/push/push_framing.h"

namespace parley::transport::push {

// What a session's client says first stands in the request: in the body of a POST, in a parameter
// of a GET.
struct FirstMessage {
  std::string_view parameter;
  // Of a GET without the parameter; nothing: that is 400.
  std::optional<std::string_view> otherwise;
};

struct PushOptions {
  std::string_view transport = "sse";  // session::Handshake::transport
  PushFormat format = PushFormat::kEvents;
  // For clients that say `Content-Type: application/octet-stream`; nothing: as for the others.
  std::optional<PushFormat> binary_format{};
  std::optional<FirstMessage> first{};  // nothing: the client says nothing
  session::Uplinks* uplinks = nullptr;  // borrowed; null: one way
  std::string_view methods = "GET";     // what a page of another origin is told
  http::OriginPolicy origins{};
};

// Tells an EventSource to come later. Never by a status, on which it would give up for ever.
void say_later(http::Exchange& exchange, const http::Admission::Refusal& refusal);
// As http::say_unavailable(), for pages of other origins too.
void say_unavailable(http::Exchange& exchange, const http::Admission::Refusal& refusal);

// What: answers `GET` or `POST` with a stream that does not end, and starts a session of the
// factory's protocol on it; the decoded segment of the route is the handshake's path. Owner: the
// server, one per route and shard. Shard: its own. Failure: an origin that is not allowed gets 403;
// a session that ends before it has sent anything is answered by the status that fits its reason;
// while the server stops, 503.
class PushHandler final : public http::Handler {
 public:
  // Borrows both.
  PushHandler(const session::AdapterFactory& adapters, session::SessionTable& sessions,
              PushOptions options);
  void handle(http::Exchange& exchange) override;

 private:
  void open(http::Exchange& exchange, ByteView first);

  const session::AdapterFactory& adapters_;
  session::SessionTable& sessions_;
  PushOptions options_;
};

}  // namespace parley::transport::push
