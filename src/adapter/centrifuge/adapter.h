// The Centrifuge client protocol (version 2) on a session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapter/centrifuge/codec.h"
#include "adapter/centrifuge/options.h"
#include "adapter/centrifuge/requests.h"
#include "adapter/centrifuge/variants.h"
#include "auth/access.h"
#include "hub/channel_options.h"
#include "session/adapter.h"
#include "session/effects.h"

namespace parley::adapter::centrifuge {

// What all sessions of a server share. `access` and `rules` outlive it.
struct Context {
  Options options;
  const auth::Access& access;
  const hub::ChannelRules& rules;
};

// What: one client: connect, subscriptions, requests, pings. Owner: its Session; the context
// outlives it. Shard: the session's. Failure: an error reply, or the end of the session, as the
// protocol says. Source: Centrifuge client protocol, in docs/protocols/centrifuge.md.
class CentrifugeAdapter final : public session::Adapter {
 public:
  explicit CentrifugeAdapter(const Context& context) : context_(context) {}

  std::string_view protocol() const override { return "centrifuge"; }
  const session::Dialect& dialect() const override { return codec_->dialect({}); }

  void on_open(const session::Handshake& handshake, session::Effects& effects) override;
  void on_message(session::MessageType type, ByteView message, session::Effects& effects) override;
  void on_subscribed(session::SubscriptionHandle handle,
                     std::expected<hub::Subscribed, hub::HubError> result,
                     session::Effects& effects) override;
  void on_answer(hub::StepId step, hub::Answer answer, session::Effects& effects) override;
  void on_gap(session::SubscriptionHandle handle, const hub::Gap& gap,
              session::Effects& effects) override;
  void on_timer(session::TimerId timer, session::Effects& effects) override;
  session::Identity identity() const override {
    return {.user = principal_.user, .client = to_string(client_), .session = {}};
  }
  void on_control(const hub::Control& control, session::Effects& effects) override;
  session::EndCode on_end(session::EndReason reason, session::Effects& effects) override;
  session::EndCode on_disconnect(const session::EndCode& asked, session::Effects&) override {
    return asked;
  }

 private:
  // A subscribe that the hub has not answered yet, and what was asked for.
  struct Joining {
    uint32_t command = 0;
    uint32_t unsubscribe_command = 0;  // of an unsubscribe that waits for the answer; 0: none
    Recovery recovery;
    bool recoverable = false;
    bool reject_unrecovered = false;
    bool join_leave = false;
    bool revoked = false;  // the backend unsubscribes it: told right behind the answer
    Shape shape;
  };
  struct Channel {
    std::string name;
    session::SubscriptionHandle handle = 0;
    session::SubscriptionHandle presence_handle = 0;  // for joins and leaves; 0: not told them
    std::unique_ptr<Joining> joining;                 // null: subscribed
    bool positioned = false;

    bool leaving() const { return joining && joining->unsubscribe_command != 0; }
  };
  using Channels = std::vector<Channel>;

  bool on_command(const wire::Command& command, session::Effects& effects);
  void handle(uint32_t id, const wire::Pong&, session::Effects& effects);
  void handle(uint32_t id, const wire::UnknownRequest&, session::Effects& effects);
  void handle(uint32_t id, const wire::ConnectRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::SubscribeRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::UnsubscribeRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::PublishRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::PresenceRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::PresenceStatsRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::HistoryRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::RpcRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::SendRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::RefreshRequest& request, session::Effects& effects);
  void handle(uint32_t id, const wire::SubRefreshRequest& request, session::Effects& effects);

  void answer(const PendingRequest& request, const hub::Published& published,
              session::Effects& effects);
  void answer(const PendingRequest& request, const hub::ReadPage& page, session::Effects& effects);
  void answer(const PendingRequest& request, const hub::PresenceSnapshot& snapshot,
              session::Effects& effects);
  void answer(const PendingRequest& request, const hub::PresenceCounts& counts,
              session::Effects& effects);

  // Why a subscribe is refused before the hub is asked, if it is.
  std::optional<wire::ErrorCode> refusal(const wire::SubscribeRequest& request,
                                         const hub::ChannelOptions* options) const;
  void start_presence(uint32_t id, std::string_view channel, bool counts_only,
                      session::Effects& effects);
  void subscribed(Channel& channel, const hub::Subscribed& result, session::Effects& effects);
  bool reply_subscribed(const Channel& channel, const hub::Subscribed& result,
                        session::Effects& effects);
  void become_present(const Channel& channel, session::Effects& effects);
  void control_unsubscribe(const std::string& channel, session::Effects& effects);
  void push_unsubscribe(std::string_view channel, wire::UnsubscribeCode code,
                        session::Effects& effects) const;
  // Leaves the hub in every respect and forgets the channel.
  void drop(Channel& channel, session::Effects& effects);
  // The channel that the client knows by this name; null: none, or it is leaving.
  Channel* find(std::string_view name);
  Channel* find(session::SubscriptionHandle handle);
  auth::Verdict check(std::string_view channel, auth::Verb verb) const {
    return context_.access.check(principal_, channel, verb);
  }
  hub::ClientInfo client_info() const;

  void reply(uint32_t id, const ReplyBody& body, session::Effects& effects) const;
  void refuse(uint32_t id, wire::ErrorCode code, session::Effects& effects) const {
    reply(id, wire::to_reply(code), effects);
  }
  void bad_request(session::Effects& effects) { effects.end(session::EndReason::kBadRequest); }

  const Context& context_;
  const Codec* codec_ = &json_codec();  // from on_open on, the one that the client asked for
  Uuid client_;                         // the public id; nil before connect
  auth::Principal principal_;
  Channels channels_;
  PendingRequests requests_;
  bool awaiting_pong_ = false;
};

class CentrifugeFactory final : public session::AdapterFactory {
 public:
  // What is passed by reference must outlive the factory, and the factory its sessions.
  CentrifugeFactory(Options options, const auth::Access& access, const hub::ChannelRules& rules)
      : context_{std::move(options), access, rules} {}
  std::unique_ptr<session::Adapter> make() const override {
    return std::make_unique<CentrifugeAdapter>(context_);
  }

 private:
  Context context_;
};

}  // namespace parley::adapter::centrifuge
