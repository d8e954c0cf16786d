// Frames in and out, and which command may come when.
#include "adapter/centrifuge/adapter.h"

#include "adapter/centrifuge/codes.h"
#include "adapter/centrifuge/meters.h"
#include "base/check.h"

namespace parley::adapter::centrifuge {
namespace {
const auth::Principal kAnybody{};
}  // namespace

void CentrifugeAdapter::on_open(const session::Handshake& handshake, session::Effects& effects) {
  codec_ = &codec_for(handshake);
  one_way_ = handshake.one_way;
  if (!handshake.session.empty()) session_ = std::make_unique<const std::string>(handshake.session);
  effects.set_timer(session::TimerId::kHandshake, context_.options.stale_after);
  const auth::ConnectRules& rules = context_.access.connect();
  if (rules.user_header.empty() || context_.access.anonymous_may_connect()) return;
  const std::string_view user = handshake.header(rules.user_header);
  if (user.empty()) return;
  account_ = std::make_unique<Account>();
  account_->who.user = user;
}

void CentrifugeAdapter::on_message(session::MessageType, ByteView message,
                                   session::Effects& effects) {
  if (one_way_ && stage_ != Stage::kNew) return;
  read(message, 0, effects);
}

// Gives the commands of a frame to the adapter, up to the first that must wait.
struct CentrifugeAdapter::FrameReader final : CommandSink {
  FrameReader(CentrifugeAdapter& a, uint32_t d, session::Effects& e)
      : adapter(a), done(d), effects(e) {}
  bool on_command(const wire::Command& command) override {
    if (seen++ < done) return true;
    waits = adapter.stage_ == Stage::kConnecting &&
            !std::holds_alternative<wire::ConnectRequest>(command.request);
    if (waits) return false;
    return adapter.on_command(command, effects);
  }
  CentrifugeAdapter& adapter;
  uint32_t done;  // commands at the beginning that were carried out before
  session::Effects& effects;
  uint32_t seen = 0;
  bool waits = false;
};

void CentrifugeAdapter::read(ByteView frame, uint32_t done, session::Effects& effects) {
  FrameReader reader(*this, done, effects);
  if (!codec_->decode(frame, reader)) return bad_request(effects);
  if (reader.waits) hold(frame, reader.seen - 1, effects);
}

void CentrifugeAdapter::hold(ByteView frame, uint32_t done, session::Effects& effects) {
  HeldFrames& held = connecting_->held;
  if (held.frames.size() >= context_.options.held_frames ||
      held.bytes + frame.size() > context_.options.held_bytes)
    return effects.end(session::EndReason::kTooManyRequests);
  held.bytes += frame.size();
  held.frames.push_back({Buffer(frame), done});
}

// Returns whether the rest of the frame is still wanted.
bool CentrifugeAdapter::on_command(const wire::Command& command, session::Effects& effects) {
  const bool connecting = std::holds_alternative<wire::ConnectRequest>(command.request);
  const bool numbered = !std::holds_alternative<wire::Pong>(command.request) &&
                        !std::holds_alternative<wire::SendRequest>(command.request);
  const Stage wanted = connecting ? Stage::kNew : Stage::kConnected;
  if (stage_ != wanted || (numbered && command.id == 0)) {
    bad_request(effects);
  } else if (std::holds_alternative<wire::PublishRequest>(command.request) &&
             !effects.takes_publishes()) {
    // No rate of its own is exceeded, so it is not asked to listen, or else.
    refuse(command.id, wire::ErrorCode::kTooManyRequests, effects);
  } else if (numbered && !connecting && !may_ask(command, effects)) {
    refuse_for_rate(command.id, effects);
  } else {
    std::visit([&](const auto& request) { handle(command.id, request, effects); }, command.request);
  }
  return !effects.ended() && stage_ != Stage::kRefused;
}

bool CentrifugeAdapter::may_ask(const wire::Command& command, session::Effects& effects) {
  const Options& options = context_.options;
  const bool publish = std::holds_alternative<wire::PublishRequest>(command.request);
  const Operation operation = publish ? Operation::kPublish : Operation::kCommand;
  const bool limited = options.commands.limited() || (publish && options.publishes.limited());
  if (!limited) return effects.may(operation);
  if (!allowance_) allowance_ = std::make_unique<Allowance>();
  const Time now = effects.now().mono;
  if (options.commands.limited() && !allowance_->commands.take(options.commands, now)) return false;
  if (publish && options.publishes.limited() && !allowance_->publishes.take(options.publishes, now))
    return false;
  return effects.may(operation);
}

void CentrifugeAdapter::refuse_for_rate(uint32_t id, session::Effects& effects) {
  const Rate& refusals = context_.options.refusals;
  if (refusals.limited()) {
    if (!allowance_) allowance_ = std::make_unique<Allowance>();
    if (!allowance_->refusals.take(refusals, effects.now().mono))
      return effects.end(session::EndReason::kTooManyRequests);
  }
  refuse(id, wire::ErrorCode::kTooManyRequests, effects);
}

void CentrifugeAdapter::handle(uint32_t, const wire::UnknownRequest&, session::Effects& effects) {
  bad_request(effects);
}

// There is one, as in Centrifugo PRO: the user says that it does something.
void CentrifugeAdapter::handle(uint32_t id, const wire::RpcRequest& request,
                               session::Effects& effects) {
  if (request.method != "update_user_status")
    return refuse(id, wire::ErrorCode::kNotAvailable, effects);
  if (who().user.empty()) return refuse(id, wire::ErrorCode::kPermissionDenied, effects);
  effects.note_active(requests_.add({.command = id}));
}

void CentrifugeAdapter::answer(const PendingRequest& request, const hub::UserStatusList&,
                               session::Effects& effects) {
  reply(request.command, wire::RpcResult{.data = "{}"}, effects);
}

void CentrifugeAdapter::handle(uint32_t, const wire::SendRequest&, session::Effects& effects) {
  effects.end(session::EndReason::kNotAvailable);
}

void CentrifugeAdapter::on_answer(hub::StepId step, hub::Answer result, session::Effects& effects) {
  const PendingRequest request = requests_.take(step);
  if (!result && result.error() == hub::HubError::kRateLimited)
    return refuse_for_rate(request.command, effects);
  if (!result) return refuse(request.command, error_code(result.error()), effects);
  std::visit(
      [&](const auto& value) {
        if constexpr (requires { answer(request, value, effects); }) {
          answer(request, value, effects);
        } else {
          CHECK(false);  // not what this adapter asks for
        }
      },
      *result);
}

void CentrifugeAdapter::on_verified(hub::StepId step, auth::TokenResult result,
                                    session::Effects& effects) {
  const PendingRequest request = requests_.take(step);
  switch (request.token) {
    case PendingRequest::Token::kConnect:
      return connect_verified(std::move(result), effects);
    case PendingRequest::Token::kRefresh:
      return refresh_verified(request.command, std::move(result), effects);
    case PendingRequest::Token::kSubRefresh:
      return sub_refresh_verified(request, std::move(result), effects);
    case PendingRequest::Token::kSubscribe: {
      Channel* channel = find_verifying(step);
      CHECK(channel != nullptr);  // nobody but its own answer ends a subscribe
      return token_verified(*channel, std::move(result), effects);
    }
    case PendingRequest::Token::kNone:
      CHECK(false);
  }
}

std::optional<session::UplinkMessage> CentrifugeFactory::read_uplink(session::MessageType type,
                                                                     ByteView request) const {
  return centrifuge::read_uplink(type, request, context_.options.node);
}

session::EndCode CentrifugeAdapter::on_end(session::EndReason reason, session::Effects& effects) {
  const session::EndCode code = end_code(reason);
  // Who does not read is told by the end of the connection.
  if (reason != session::EndReason::kSlow) tell_end(code, effects);
  return code;
}

session::EndCode CentrifugeAdapter::on_disconnect(const session::EndCode& asked,
                                                  session::Effects& effects) {
  tell_end(asked, effects);
  return asked;
}

void CentrifugeAdapter::tell_end(const session::EndCode& code, session::Effects& effects) const {
  // A one-way client whose first words are not understood is not yet one of this protocol.
  const bool pushed = one_way_ ? stage_ != Stage::kNew : session_ != nullptr;
  constexpr uint16_t kFirstOfProtocol = 3000;
  if (pushed && code.code >= kFirstOfProtocol)
    push("", wire::DisconnectPush{.code = code.code, .reason = code.text}, effects);
}

// A reply that is larger than the limit is not sent: it would end the connection as slow.
void CentrifugeAdapter::reply(uint32_t id, const ReplyBody& body, session::Effects& effects) const {
  if (!try_reply(id, body, effects)) refuse(id, wire::ErrorCode::kLimitExceeded, effects);
}

bool CentrifugeAdapter::try_reply(uint32_t id, const ReplyBody& body,
                                  session::Effects& effects) const {
  Buffer& out = effects.scratch();
  codec_->append_reply(out, id, body);
  const auto* refused = std::get_if<wire::ErrorReply>(&body);
  if (refused != nullptr) meters::count_refusal(refused->code);
  // An error is never too large.
  if (refused == nullptr && out.size() > context_.options.reply_bytes) return false;
  effects.send(out);
  return true;
}

void CentrifugeAdapter::push(std::string_view channel, const PushBody& body,
                             session::Effects& effects) const {
  Buffer& out = effects.scratch();
  codec_->append_push(out, channel, body);
  effects.send(out);
}

const auth::Principal& CentrifugeAdapter::who() const {
  return account_ ? account_->who : kAnybody;
}

hub::ClientInfo CentrifugeAdapter::client_info(const Channel* channel) const {
  const bool shows = channel != nullptr && channel->terms;
  return {.user = who().user,
          .client = to_string(client_),
          .connection_info = who().info,
          .channel_info = shows ? channel->terms->info : Buffer()};
}

// Publications share what is shown of their publisher until something of it changes.
std::shared_ptr<const hub::ClientInfo> CentrifugeAdapter::publisher(const Channel* channel) {
  const bool shows = channel != nullptr && channel->terms;
  const ByteView channel_info = shows ? ByteView(channel->terms->info) : ByteView();
  const auth::Principal& shown = who();
  const bool same = publisher_ && publisher_->user == shown.user &&
                    publisher_->connection_info == shown.info &&
                    publisher_->channel_info == channel_info;
  if (!same) publisher_ = std::make_shared<const hub::ClientInfo>(client_info(channel));
  return publisher_;
}

}  // namespace parley::adapter::centrifuge
