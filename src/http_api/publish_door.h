// POST /pub/<channel>: one publication with nothing but curl.
#pragma once

#include <string>

#include "auth/access.h"
#include "http/origin_policy.h"
#include "http/router.h"
#include "http_api/answer.h"
#include "http_api/api_error.h"
#include "http_api/pending_table.h"
#include "hub/hub.h"

namespace parley::http_api {

struct PublishDoorOptions {
  http::OriginPolicy origins;   // pages of other hosts that may publish
  size_t data_bytes = 1 << 20;  // above: 413
  size_t waiting = 10'000;      // publishes that wait for the hub; above: 503
};

// What: publishes the request's body as anonymous, where access allows it. Answers
// {"epoch":..,"offset":..} or {"error":{"code":..,"message":..}} with the status that fits
// (docs/protocols/server-api.md). Owner: the server, one per shard; dies before its hub, and not
// while its router is in use. Shard: its hub's. Failure: a publish whose client has left goes on.
class PublishDoor final : public http::Handler, public hub::Requester {
 public:
  PublishDoor(hub::Hub& hub, const auth::Access& access, PublishDoorOptions options);
  ~PublishDoor() override;

  void add_routes(http::Router& router);
  void handle(http::Exchange& exchange) override;

  // The same without a connection. The method is POST or OPTIONS.
  void serve(Request request, const std::string& channel, ReplyTo reply);

  size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    ReplyTo reply;
    std::string origin;
  };

  void on_answer(hub::StepId step, hub::Answer answer) override;
  Answer preflight(const std::string& origin) const;

  hub::Hub& hub_;
  const auth::Access& access_;
  PublishDoorOptions options_;
  hub::RequesterId who_;
  PendingTable<Waiting> waiting_;
};

}  // namespace parley::http_api
