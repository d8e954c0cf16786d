// Everything that lives on one shard, put together.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "auth/revocable_authenticator.h"
#include "auth/revocations.h"
#include "auth/ticket_authenticator.h"
#include "base/random.h"
#include "broker/memory/memory_broker.h"
#include "config/config.h"
#include "http/admission.h"
#include "http/server.h"
#include "hub/hub.h"
#include "io/shard.h"
#include "server/drain.h"
#include "server/hub_post.h"
#include "server/key_source.h"
#include "server/memory_ladder.h"
#include "server/node_status.h"
#include "server/policy.h"
#include "server/shard_lines.h"
#include "server/ticket_count.h"
#include "session/session_table.h"

namespace parley::server {

class Routes;

// What all shards share: immutable after start.
struct Shared {
  const config::Config& config;
  bool dev = false;  // nobody needs a key, and what only a developer may see is there
  bool echo = false;
  const hub::SlotTable& slots;
  std::shared_ptr<const Policy> policy;  // at the start
  const NodeStatus& node;
  KeySource& keys;
  io::NodeQuotas& quotas;
  TicketCount& tickets;
  const http::TrustedProxies& proxies;
};

// What: broker, hub, sessions and HTTP server of one shard, and their place in its turn. Owner:
// run(). Shard: its own; built and destroyed by the main thread while the shard does not run.
class ShardWorld final : public io::TurnHook {
 public:
  ShardWorld(io::Shard& shard, HubMail& mail, UplinkBoxes& uplink_mail, TicketBoxes& ticket_mail,
             const Shared& shared);
  ~ShardWorld() override;

  http::Server& http() { return http_; }
  http::Server& internal_http() { return internal_http_; }
  session::SessionTable& sessions() { return sessions_; }
  // Goes by this policy from now on. Between turns only.
  void adopt(const std::shared_ptr<const Policy>& policy);
  // Sheds what this step says. Called again while the step lasts.
  void climb(MemoryStep step);
  // Opens no session, tells every client within the window, accepts nobody from then on, and lets
  // their last words go out.
  // Returns at once.
  void drain(Duration window);

 private:
  void on_turn_start(const Now& now) override {
    hub_.set_now(now);
    tickets_.set_now(now);
  }
  void on_turn(const Now& now) override;
  void on_turn_end() override { flushed_ = !shard_.flush_pending(); }
  bool has_work() const override {
    return pace_ == hub::Pace::kNow || hub_.has_work() || tokens_.has_work();
  }
  Duration max_sleep() const override;
  void drain_on();
  void forget_expired(const Now& now);

  io::Shard& shard_;
  auth::Revocations revocations_;
  ShardPolicy policy_;
  ShardKeyFetcher fetcher_;
  auth::TokenAuthenticator tokens_;
  SystemIdSource ids_;
  TicketLine ticket_line_;
  auth::TicketDesk tickets_;
  auth::TicketAuthenticator credentials_;
  auth::RevocableAuthenticator good_credentials_{credentials_, revocations_};
  TicketHook ticket_hook_;
  broker::memory::MemoryBroker broker_;
  HubPost post_;
  hub::Hub hub_;
  HubMailHook mail_hook_;
  UplinkLine uplink_line_;
  session::Uplinks uplinks_;
  UplinkHook uplink_hook_;
  session::SessionTable sessions_;
  http::Admission admission_;
  std::unique_ptr<Routes> routes_;
  http::Server http_;
  http::Server internal_http_;
  hub::Pace pace_ = hub::Pace::kIdle;
  bool flushed_ = true;
  size_t counted_ = 0;  // revocations in the gauge
  std::optional<Drain> drain_;
  CallbackTimer drain_timer_{[this](const Now&) { drain_on(); }};
};

}  // namespace parley::server
