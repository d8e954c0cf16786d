// Why sessions end: one neutral list. Each adapter maps it to its own codes and words in one table.
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::session {

enum class EndReason : uint8_t {
  kClientLeft,           // the client said goodbye, or its transport ended in order
  kTransportLost,        // the transport broke
  kShutdown,             // this server stops; come back
  kBadRequest,           // the client broke its protocol
  kMessageTooLarge,      // a message above the limit
  kStale,                // no authenticated connect in time
  kNoPong,               // no sign of life in time
  kSlow,                 // does not take what it is sent
  kTooManyRequests,      // above a rate or the number of pending commands
  kLimit,                // above another limit
  kUnauthorized,         // no or bad credentials
  kNotAvailable,         // asks for what this server does not have
  kInternalError,        // our fault
  kInsufficientState,    // positions were lost; reconnect and recover
  kForbidden,            // credentials that are good, but not to connect with
  kExpired,              // what the session was allowed by has expired
  kSubscriptionExpired,  // what one of its subscriptions was allowed by has
  kDisconnected,         // the application's backend wants it gone
  kSuperseded,           // the user may have one session, and has a newer one
  kUserLimit,            // the user has as many sessions as it may
  kRevoked,              // the token that it came with was taken back
  kBlocked,              // its user is not let in any more
};
inline constexpr int kEndReasons = 22;
std::string_view to_string(EndReason reason);

// A protocol's own words for an end: what the transport puts into its close frame, if it has one.
struct EndCode {
  uint16_t code = 1000;
  std::string_view text;  // static; of a disconnect, valid until TransportLink::end() returns
};

}  // namespace parley::session
