// Requests for a stream of server-sent events.
#pragma once

#include "http/admission.h"
#include "http/origin_policy.h"
#include "http/router.h"
#include "session/session_table.h"

namespace parley::transport::sse {

struct SseOptions {
  http::OriginPolicy origins{};
};

// Tells an EventSource to come later. Never by a status, on which it would give up for ever.
void say_later(http::Exchange& exchange, const http::Admission::Refusal& refusal);

// What: answers `GET <prefix><channel>` with an event stream and starts a session of the factory's
// protocol on it; the decoded segment is the handshake's path. Owner: the server, one per route and
// shard. Shard: its own. Failure: an origin that is not allowed gets 403; a session that ends
// before it has sent anything is answered by the status that fits its reason.
class SseHandler final : public http::Handler {
 public:
  // Borrows both.
  SseHandler(const session::AdapterFactory& adapters, session::SessionTable& sessions,
             SseOptions options);
  void handle(http::Exchange& exchange) override;

 private:
  const session::AdapterFactory& adapters_;
  session::SessionTable& sessions_;
  SseOptions options_;
};

}  // namespace parley::transport::sse
