// Frames in and out, and which command may come when.
#include "adapter/centrifuge/adapter.h"

#include "adapter/centrifuge/codes.h"
#include "adapter/centrifuge/meters.h"
#include "base/check.h"

namespace parley::adapter::centrifuge {

void CentrifugeAdapter::on_open(const session::Handshake& handshake, session::Effects& effects) {
  codec_ = &codec_for(handshake);
  effects.set_timer(session::TimerId::kHandshake, context_.options.stale_after);
}

void CentrifugeAdapter::on_message(session::MessageType, ByteView message,
                                   session::Effects& effects) {
  struct Sink final : CommandSink {
    Sink(CentrifugeAdapter& a, session::Effects& e) : adapter(a), effects(e) {}
    bool on_command(const wire::Command& command) override {
      return adapter.on_command(command, effects);
    }
    CentrifugeAdapter& adapter;
    session::Effects& effects;
  } sink(*this, effects);
  if (!codec_->decode(message, sink)) bad_request(effects);
}

// Returns whether the rest of the frame is still wanted.
bool CentrifugeAdapter::on_command(const wire::Command& command, session::Effects& effects) {
  const bool connecting = std::holds_alternative<wire::ConnectRequest>(command.request);
  const bool numbered = !std::holds_alternative<wire::Pong>(command.request) &&
                        !std::holds_alternative<wire::SendRequest>(command.request);
  if (connecting != client_.nil() || (numbered && command.id == 0)) {
    bad_request(effects);
  } else {
    std::visit([&](const auto& request) { handle(command.id, request, effects); }, command.request);
  }
  return !effects.ended();
}

void CentrifugeAdapter::handle(uint32_t, const wire::UnknownRequest&, session::Effects& effects) {
  bad_request(effects);
}

void CentrifugeAdapter::handle(uint32_t id, const wire::RpcRequest&, session::Effects& effects) {
  refuse(id, wire::ErrorCode::kNotAvailable, effects);
}

void CentrifugeAdapter::handle(uint32_t, const wire::SendRequest&, session::Effects& effects) {
  effects.end(session::EndReason::kNotAvailable);
}

void CentrifugeAdapter::on_answer(hub::StepId step, hub::Answer result, session::Effects& effects) {
  const PendingRequest request = requests_.take(step);
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

session::EndCode CentrifugeAdapter::on_end(session::EndReason reason, session::Effects&) {
  return end_code(reason);
}

// A reply that is larger than the limit is not sent: it would end the connection as slow.
void CentrifugeAdapter::reply(uint32_t id, const ReplyBody& body, session::Effects& effects) const {
  Buffer& out = effects.scratch();
  codec_->append_reply(out, id, body);
  const auto* refused = std::get_if<wire::ErrorReply>(&body);
  if (refused != nullptr) meters::count_refusal(refused->code);
  if (out.size() > context_.options.reply_bytes) {
    meters::count_refusal(static_cast<uint32_t>(wire::ErrorCode::kLimitExceeded));
    out.clear();
    codec_->append_reply(out, id, wire::to_reply(wire::ErrorCode::kLimitExceeded));
  }
  effects.send(out);
}

hub::ClientInfo CentrifugeAdapter::client_info() const {
  return {.user = principal_.user,
          .client = to_string(client_),
          .connection_info = principal_.info,
          .channel_info = {}};
}

}  // namespace parley::adapter::centrifuge
