#include "server/echo_adapter.h"

#include "session/effects.h"

namespace parley::server {

void EchoAdapter::on_message(session::MessageType type, ByteView message,
                             session::Effects& effects) {
  type_ = type;
  effects.send(message);
  effects.await_sent();
}

session::EndCode EchoAdapter::on_end(session::EndReason reason, session::Effects&) {
  constexpr uint16_t kGoingAway = 1001;
  constexpr uint16_t kPolicyViolation = 1008;
  const bool shutdown = reason == session::EndReason::kShutdown;
  return {shutdown ? kGoingAway : kPolicyViolation, session::to_string(reason)};
}

}  // namespace parley::server
