#include "session/end_reason.h"

namespace parley::session {

std::string_view to_string(EndReason reason) {
  static constexpr std::string_view kNames[kEndReasons] = {"client_left",
                                                           "transport_lost",
                                                           "shutdown",
                                                           "bad_request",
                                                           "message_too_large",
                                                           "stale",
                                                           "no_pong",
                                                           "slow",
                                                           "too_many_requests",
                                                           "limit",
                                                           "unauthorized",
                                                           "not_available",
                                                           "internal_error",
                                                           "insufficient_state",
                                                           "forbidden",
                                                           "expired",
                                                           "subscription_expired",
                                                           "disconnected",
                                                           "superseded",
                                                           "user_limit",
                                                           "revoked",
                                                           "blocked"};
  return kNames[static_cast<int>(reason)];
}

}  // namespace parley::session
