// POST /pub/<channel>: one publication with nothing but curl.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "auth/access.h"
#include "auth/authenticator.h"
#include "auth/revocations.h"
#include "base/quotas.h"
#include "http/origin_policy.h"
#include "http/router.h"
#include "http_api/answer.h"
#include "http_api/api_error.h"
#include "http_api/api_key.h"
#include "http_api/pending_table.h"
#include "hub/hub.h"

namespace parley::http_api {

struct PublishDoorOptions {
  http::OriginPolicy origins;   // pages of other hosts that may publish
  size_t data_bytes = 1 << 20;  // above: 413
  // Publishes that wait for the hub, or for keys; above: 503. With the key an eighth more may, so
  // that clients do not take the operator's place.
  size_t waiting = 10'000;
  std::string api_key;                             // of the server API; "": nobody has it
  std::string prefix = "/pub";                     // of the path; the channel comes behind it
  Quotas* quotas = nullptr;                        // rates of clients; null: none
  const auth::Revocations* revocations = nullptr;  // null: nothing is taken back
};

// What: publishes the request's body, where access allows it to the user of its token (a connection
// token as `Authorization: Bearer`) or, without one, to anybody; whoever shows the server API's key
// may publish to every channel that exists. Answers
// {"epoch":..,"offset":..} or {"error":{"code":..,"message":..}} with the status that fits
// (docs/protocols/server-api.md). Owner: the server, one per shard; dies before its hub, and not
// while its router is in use. Shard: its hub's. Failure: a publish whose client has left goes on.
class PublishDoor final : public http::Handler, public hub::Requester {
 public:
  // What is passed by reference must outlive the door, and the door's turns end before it dies.
  PublishDoor(hub::Hub& hub, const auth::Access& access, auth::Authenticator& tokens,
              PublishDoorOptions options);
  ~PublishDoor() override;

  void add_routes(http::Router& router);
  void handle(http::Exchange& exchange) override;
  bool admits(const http::Arrival& arrival) override;

  // The same without a connection. The method is POST or OPTIONS; `address` is the hash of the
  // client's, 0 where there is none.
  // `paid`: the rate of the address has been asked.
  void serve(Request request, const std::string& channel, ReplyTo reply, uint64_t address = 0,
             bool paid = false);

  size_t waiting() const { return waiting_.size() + verifying_; }

 private:
  struct Waiting {
    ReplyTo reply;
    std::string origin;
    // By what it may publish.
    enum class By : uint8_t { kKey, kNothing, kToken } by = By::kNothing;
    std::string user = {};
    auth::TokenId token = {};
  };
  // A request on its way through the door.
  struct Call {
    Request request;
    std::string channel;
    Waiting back;
    uint64_t address;
  };
  // Why the head of a request was enough, where it costs something to know.
  struct TurnedAway {
    bool too_often = false;
    auth::TokenError token = auth::TokenError::kInvalid;  // else
  };

  void on_answer(hub::StepId step, hub::Answer answer) override;
  void on_revoked() override;
  bool lets_in(std::string_view token, const http::Arrival& arrival);
  Answer preflight(const std::string& origin) const;
  // Who it is without a token and a key; nullopt: nobody.
  std::optional<auth::Principal> without_token(const Request& request) const;
  void verify(std::string_view token, uint64_t address, Call call);
  void verified(auth::TokenResult result, Call call);
  bool may_publish(const auth::Principal& who, uint64_t address) const;
  // `who`: null for the server itself, whom access does not restrict.
  void publish(const auth::Principal* who, Call call);
  static void refuse_token(Call& call, auth::TokenError why);

  hub::Hub& hub_;
  const auth::Access& access_;
  PublishDoorOptions options_;
  auth::Authenticator& tokens_;
  ApiKey api_key_;
  hub::RequesterId who_;
  hub::RequesterId operator_;              // the same for those who show the key
  std::optional<TurnedAway> turned_away_;  // the request that handle() is called with next
  size_t verifying_ = 0;
  std::shared_ptr<PublishDoor*> self_;  // dies with the door, whose tokens may still be verified
  PendingTable<Waiting> waiting_;
};

}  // namespace parley::http_api
