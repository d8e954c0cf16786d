// Plain EventSource clients on GET /sse/<channel>: one channel, one direction, resume by
// Last-Event-ID.
#pragma once

#include <memory>
#include <string>

#include "auth/access.h"
#include "session/adapter.h"
#include "session/effects.h"

namespace parley::adapter::eventsource {

struct Options {
  Duration heartbeat = seconds(15);  // a comment, so that proxies keep the stream; 0: none
  // Who has not confirmed for so long that anything arrived is gone; asked with each heartbeat.
  Duration unheard = seconds(8);
  // How long a client waits before it reconnects: drawn for each client, so that they do not all
  // come back together.
  Duration retry_from = seconds(1);
  Duration retry_to = seconds(2);
  Duration late_retry_to = seconds(15);  // from retry_to; when the server ends the stream
  // ... and when the application's backend ended it. EventSource has no word for "do not come
  // back".
  Duration unwanted_retry_from = seconds(60);
  Duration unwanted_retry_to = seconds(120);
};

// What: subscribes to the channel in the path, and sends its publications as events. A refusal is
// an end within on_open() without a byte sent: the transport answers it with the HTTP status in
// EndCode::code. Owner: its Session. Shard: the session's. Failure: a refusal by status; later ends
// are told in a comment. Source: WHATWG HTML 9.2.
class EventSourceAdapter final : public session::Adapter {
 public:
  EventSourceAdapter(const auth::Access& access, const Options& options)
      : access_(access), options_(options) {}

  std::string_view protocol() const override { return "eventsource"; }
  const session::Dialect& dialect() const override;

  void on_open(const session::Handshake& handshake, session::Effects& effects) override;
  void on_message(session::MessageType type, ByteView message, session::Effects& effects) override;
  void on_subscribed(session::SubscriptionHandle handle,
                     std::expected<hub::Subscribed, hub::HubError> result,
                     session::Effects& effects) override;
  void on_answer(hub::StepId, hub::Answer, session::Effects&) override {}
  void on_verified(hub::StepId step, auth::TokenResult result, session::Effects& effects) override;
  void on_gap(session::SubscriptionHandle handle, const hub::Gap& gap,
              session::Effects& effects) override;
  void on_timer(session::TimerId timer, session::Effects& effects) override;
  session::Identity identity() const override {
    return {.user = who().user, .client = {}, .session = {}};
  }
  void on_control(const hub::Control& control, session::Effects& effects) override;
  session::EndCode on_end(session::EndReason reason, session::Effects& effects) override;

 private:
  // Who listens, where that is not merely anybody, and what it asked for.
  struct Listener {
    auth::Principal who;
    std::string channel;  // while its token is being verified
    std::string last_event_id;
  };
  const auth::Principal& who() const;
  void admit(std::string_view channel, std::string_view last_event_id, session::Effects& effects);

  const auth::Access& access_;
  const Options& options_;
  session::SubscriptionHandle handle_ = 0;
  std::unique_ptr<Listener> listener_;  // null: anybody
  bool resuming_ = false;
  bool open_ = false;       // not refused: the stream begins with status 200
  bool forbidden_ = false;  // other credentials than none might do
};

// Owner: server. Shard: any. `access` must outlive the factory, and the factory its adapters.
class EventSourceFactory final : public session::AdapterFactory {
 public:
  explicit EventSourceFactory(const auth::Access& access, const Options& options = {})
      : access_(access), options_(options) {}
  std::unique_ptr<session::Adapter> make() const override {
    return std::make_unique<EventSourceAdapter>(access_, options_);
  }

 private:
  const auth::Access& access_;
  Options options_;
};

}  // namespace parley::adapter::eventsource
