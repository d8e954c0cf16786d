// The Centrifuge client protocol (version 2) on a session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapter/centrifuge/account.h"
#include "adapter/centrifuge/channel.h"
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
  void on_answer(hub::StepId step, hub::Answer result, session::Effects& effects) override;
  void on_verified(hub::StepId step, auth::TokenResult result, session::Effects& effects) override;
  void on_gap(session::SubscriptionHandle handle, const hub::Gap& gap,
              session::Effects& effects) override;
  void on_timer(session::TimerId timer, session::Effects& effects) override;
  session::Identity identity() const override {
    return {.user = who().user,
            .client = to_string(client_),
            .session = session_ ? std::string_view(*session_) : std::string_view()};
  }
  session::Description describe() const override;
  void on_control(const hub::Control& control, session::Effects& effects) override;
  session::EndCode on_end(session::EndReason reason, session::Effects& effects) override;
  session::EndCode on_disconnect(const session::EndCode& asked, session::Effects& effects) override;

 private:
  enum class Stage : uint8_t {
    kNew,
    kConnecting,  // what comes behind the connect waits
    kConnected,
    kRefused,  // with an error reply: nothing more is answered
  };
  struct FrameReader;

  void read(ByteView frame, uint32_t done, session::Effects& effects);
  void hold(ByteView frame, uint32_t done, session::Effects& effects);
  bool on_command(const wire::Command& command, session::Effects& effects);
  bool may_ask(const wire::Command& command, session::Effects& effects);
  // Says 111, or ends who goes on asking nevertheless.
  void refuse_for_rate(uint32_t id, session::Effects& effects);
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

  void answer(const PendingRequest& request, const hub::UserStatusList& nothing,
              session::Effects& effects);

  void note_app(std::string_view name, std::string_view version);
  // Connect: who it is, then the server's subscriptions, then the reply.
  void connect_verified(auth::TokenResult result, session::Effects& effects);
  void identified(std::vector<auth::Grant> grants, session::Effects& effects);
  std::optional<wire::ErrorCode> start_server_side(std::vector<auth::Grant> grants,
                                                   session::Effects& effects);
  bool honour_wishes(session::Effects& effects);
  Channel& add_server_side(std::string_view name);
  void connect_subscribed(Channel& channel, std::expected<hub::Subscribed, hub::HubError> result,
                          session::Effects& effects);
  void refuse_connect(wire::ErrorCode code, session::Effects& effects);
  void finish_connect(session::Effects& effects);
  void reply_connected(uint32_t id, Connecting& connecting, session::Effects& effects);
  // With at most `room` bytes of what was missed inside. Whether it could be sent.
  bool try_connected(uint32_t id, wire::ConnectResult result, Connecting& connecting, size_t room,
                     session::Effects& effects);
  bool is_only_connection() const;
  void start_pings(session::Effects& effects);
  void on_late_pong(session::Effects& effects);

  // What expires, and what renews it.
  void refresh_verified(uint32_t id, auth::TokenResult result, session::Effects& effects);
  void sub_refresh_verified(const PendingRequest& request, auth::TokenResult result,
                            session::Effects& effects);
  bool expired(int64_t expires_at, session::Effects& effects) const;
  uint32_t ttl(int64_t expires_at, session::Effects& effects) const;
  void expire(session::Effects& effects);
  void watch_deadlines(session::Effects& effects);

  // Why a subscribe is refused before the hub is asked, if it is.
  std::optional<wire::ErrorCode> refusal(const wire::SubscribeRequest& request,
                                         const hub::ChannelOptions* options) const;
  void token_verified(Channel& channel, auth::TokenResult result, session::Effects& effects);
  // Whether a subscription token was made for this channel and client.
  bool is_for(const auth::Claims& claims, const Channel& channel) const;
  // Asks the hub for the channel, as the namespace, the token and the client want it.
  void join(Channel& channel, const hub::ChannelOptions& options,
            const auth::SubscribeOverride& overrides, session::Effects& effects);
  // The subscribe has failed: says so, and forgets the channel.
  void give_up(Channel& channel, wire::ErrorCode code, session::Effects& effects);
  // The reply has been sent: others hear of the client, and it of them.
  void settle(Channel& channel, const Joining& joining, session::Effects& effects);
  static void set_terms(Channel& channel, Terms terms);
  // Whether the client may do this only thanks to a capability that a token gives it.
  bool owes_to_caps(std::string_view channel, auth::Verb verb, auth::Standing standing) const;
  // Capabilities have changed: ends what was owed to one that is gone.
  void review(session::Effects& effects);
  void review_joins(Channel& channel, session::Effects& effects);
  // The server unsubscribes the client, which is told: at once or behind the answer it waits for.
  void revoke(Channel& channel, session::Effects& effects);
  void start_presence(uint32_t id, std::string_view channel, bool counts_only,
                      session::Effects& effects);
  bool tell_subscribed(const Channel& channel, const hub::Subscribed& result,
                       session::Effects& effects);
  void push_subscribed(const Channel& channel, const hub::Subscribed& result,
                       session::Effects& effects);
  // Answers an unsubscribe that waited for the end of the subscribe; by either side.
  void told_off(const std::string& name, const Joining& joining, session::Effects& effects);
  void control_subscribe(const hub::Control& control, session::Effects& effects);
  void control_unsubscribe(const std::string& name, session::Effects& effects);
  void control_refresh(const hub::Control& control, session::Effects& effects);
  // Leaves the hub in every respect and forgets the channel.
  void drop(Channel& channel, session::Effects& effects);
  // The channel that the client knows by this name; null: none, or it is leaving.
  Channel* find(std::string_view name);
  Channel* find(session::SubscriptionHandle handle);
  Channel* find_verifying(hub::StepId step);
  const auth::Principal& who() const;
  auth::Verdict check(std::string_view channel, auth::Verb verb,
                      auth::Standing standing = {}) const {
    return context_.access.check(who(), channel, verb, standing);
  }
  // What the client holds in a channel that it asks about; null: nothing.
  static auth::Standing standing(const Channel* channel) {
    if (channel == nullptr || channel->joining) return {};
    return {.subscribed = true,
            .allow = channel->terms ? channel->terms->allow : auth::CapabilitySet()};
  }
  hub::ClientInfo client_info(const Channel* channel) const;
  std::shared_ptr<const hub::ClientInfo> publisher(const Channel* channel);

  // Over transports whose own farewell has no room for it.
  void tell_end(const session::EndCode& code, session::Effects& effects) const;

  void reply(uint32_t id, const ReplyBody& body, session::Effects& effects) const;
  // False, and nothing is sent, where the reply is larger than one may be.
  bool try_reply(uint32_t id, const ReplyBody& body, session::Effects& effects) const;
  void push(std::string_view channel, const PushBody& body, session::Effects& effects) const;
  void refuse(uint32_t id, wire::ErrorCode code, session::Effects& effects) const {
    reply(id, wire::to_reply(code), effects);
  }
  void bad_request(session::Effects& effects) { effects.end(session::EndReason::kBadRequest); }

  const Context& context_;
  const Codec* codec_ = &json_codec();  // from on_open on, the one that the client asked for
  Uuid client_;                         // the public id
  // The secret one; null over transports that go both ways.
  std::unique_ptr<const std::string> session_;
  std::unique_ptr<const App> app_;                    // null: the client did not say
  std::unique_ptr<Account> account_;                  // null: anybody, for ever
  std::shared_ptr<const hub::ClientInfo> publisher_;  // of the last publication; null: none yet
  std::unique_ptr<Connecting> connecting_;            // only while connecting
  std::unique_ptr<Allowance> allowance_;              // from the first limited command on
  Channels channels_;
  PendingRequests requests_;
  Stage stage_ = Stage::kNew;
  uint16_t awaited_pongs_ = 0;
  bool one_way_ = false;  // what comes first is a connect request, what goes are bare pushes
};

class CentrifugeFactory final : public session::AdapterFactory {
 public:
  // What is passed by reference must outlive the factory, and the factory its sessions.
  CentrifugeFactory(Options options, const auth::Access& access, const hub::ChannelRules& rules)
      : context_{std::move(options), access, rules} {}
  std::unique_ptr<session::Adapter> make() const override {
    return std::make_unique<CentrifugeAdapter>(context_);
  }
  std::optional<session::UplinkMessage> read_uplink(session::MessageType type,
                                                    ByteView request) const override;

 private:
  Context context_;
};

}  // namespace parley::adapter::centrifuge
