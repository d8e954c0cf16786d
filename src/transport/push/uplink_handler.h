// Requests with a message for a session.
#pragma once

#include "http/exchange.h"
#include "http/origin_policy.h"
#include "http/router.h"
#include "session/adapter.h"
#include "session/uplinks.h"

namespace parley::transport::push {

// What: hands the message of a `POST` to its session, wherever that lives, and answers 204 when it
// has it (docs/adr/0015-push-and-uplink.md). Owner: the server, one per route and shard; outlives
// its connections. Shard: its own. Failure: 400, 403, 404, 429 or 503 says why the session does not
// have it.
class UplinkHandler final : public http::Handler {
 public:
  // Borrows.
  UplinkHandler(const session::AdapterFactory& protocol, session::Uplinks& uplinks,
                http::OriginPolicy origins)
      : protocol_(protocol), uplinks_(uplinks), origins_(std::move(origins)) {}
  void handle(http::Exchange& exchange) override;

 private:
  const session::AdapterFactory& protocol_;
  session::Uplinks& uplinks_;
  http::OriginPolicy origins_;
};

}  // namespace parley::transport::push
