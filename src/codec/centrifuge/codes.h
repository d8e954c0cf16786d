// The numbers of the Centrifuge protocol with their words: errors in replies, unsubscribe pushes
// and disconnects. One row each; the enumerators are the wire values.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace parley::codec::centrifuge {

// In Reply.error. 0-399 belong to the server, 400-1999 to applications.
enum class ErrorCode : uint32_t {
  kInternal = 100,
  kUnauthorized = 101,
  kUnknownChannel = 102,
  kPermissionDenied = 103,
  kMethodNotFound = 104,
  kAlreadySubscribed = 105,
  kLimitExceeded = 106,
  kBadRequest = 107,
  kNotAvailable = 108,
  kTokenExpired = 109,
  kExpired = 110,
  kTooManyRequests = 111,
  kUnrecoverablePosition = 112,
  kConcurrentPagination = 113,
};

struct ErrorRow {
  ErrorCode code;
  std::string_view message;
  bool temporary;  // the client may try again
};

inline constexpr std::array kErrors = {
    ErrorRow{ErrorCode::kInternal, "internal server error", true},
    ErrorRow{ErrorCode::kUnauthorized, "unauthorized", false},
    ErrorRow{ErrorCode::kUnknownChannel, "unknown channel", false},
    ErrorRow{ErrorCode::kPermissionDenied, "permission denied", false},
    ErrorRow{ErrorCode::kMethodNotFound, "method not found", false},
    ErrorRow{ErrorCode::kAlreadySubscribed, "already subscribed", false},
    ErrorRow{ErrorCode::kLimitExceeded, "limit exceeded", false},
    ErrorRow{ErrorCode::kBadRequest, "bad request", false},
    ErrorRow{ErrorCode::kNotAvailable, "not available", false},
    ErrorRow{ErrorCode::kTokenExpired, "token expired", false},
    ErrorRow{ErrorCode::kExpired, "expired", false},
    ErrorRow{ErrorCode::kTooManyRequests, "too many requests", true},
    ErrorRow{ErrorCode::kUnrecoverablePosition, "unrecoverable position", false},
    ErrorRow{ErrorCode::kConcurrentPagination, "concurrent pagination", true},
};

// In the unsubscribe push. Below 2500 final for the subscription, from 2500 the client subscribes
// again.
enum class UnsubscribeCode : uint32_t {
  kServer = 2000,
  kInsufficientState = 2500,
  kExpired = 2501,
  kStateInvalidated = 2502,
};

struct UnsubscribeRow {
  UnsubscribeCode code;
  std::string_view reason;
  bool resubscribe;
};

inline constexpr std::array kUnsubscribes = {
    UnsubscribeRow{UnsubscribeCode::kServer, "server unsubscribe", false},
    UnsubscribeRow{UnsubscribeCode::kInsufficientState, "insufficient state", true},
    UnsubscribeRow{UnsubscribeCode::kExpired, "subscription expired", true},
    UnsubscribeRow{UnsubscribeCode::kStateInvalidated, "state invalidated", true},
};

// WebSocket close code, or the code of a disconnect push. Applications use 4000-4999.
enum class DisconnectCode : uint32_t {
  kConnectionClosed = 3000,  // a marker inside the server, never sent
  kShutdown = 3001,
  kServerError = 3004,
  kConnectionExpired = 3005,
  kSubscriptionExpired = 3006,
  kSlow = 3008,
  kWriteError = 3009,
  kInsufficientState = 3010,
  kForceReconnect = 3011,
  kNoPong = 3012,
  kTooManyRequests = 3013,
  kStateInvalidated = 3014,
  kInvalidToken = 3500,
  kBadRequest = 3501,
  kStale = 3502,
  kForceDisconnect = 3503,
  kConnectionLimit = 3504,
  kChannelLimit = 3505,
  kInappropriateProtocol = 3506,
  kPermissionDenied = 3507,
  kNotAvailable = 3508,
  kTooManyErrors = 3509,
};

struct DisconnectRow {
  DisconnectCode code;
  std::string_view reason;
  bool reconnect;
};

inline constexpr std::array kDisconnects = {
    DisconnectRow{DisconnectCode::kConnectionClosed, "connection closed", true},
    DisconnectRow{DisconnectCode::kShutdown, "shutdown", true},
    DisconnectRow{DisconnectCode::kServerError, "internal server error", true},
    DisconnectRow{DisconnectCode::kConnectionExpired, "connection expired", true},
    DisconnectRow{DisconnectCode::kSubscriptionExpired, "subscription expired", true},
    DisconnectRow{DisconnectCode::kSlow, "slow", true},
    DisconnectRow{DisconnectCode::kWriteError, "write error", true},
    DisconnectRow{DisconnectCode::kInsufficientState, "insufficient state", true},
    DisconnectRow{DisconnectCode::kForceReconnect, "force reconnect", true},
    DisconnectRow{DisconnectCode::kNoPong, "no pong", true},
    DisconnectRow{DisconnectCode::kTooManyRequests, "too many requests", true},
    DisconnectRow{DisconnectCode::kStateInvalidated, "state invalidated", true},
    DisconnectRow{DisconnectCode::kInvalidToken, "invalid token", false},
    DisconnectRow{DisconnectCode::kBadRequest, "bad request", false},
    DisconnectRow{DisconnectCode::kStale, "stale", false},
    DisconnectRow{DisconnectCode::kForceDisconnect, "force disconnect", false},
    DisconnectRow{DisconnectCode::kConnectionLimit, "connection limit", false},
    DisconnectRow{DisconnectCode::kChannelLimit, "channel limit", false},
    DisconnectRow{DisconnectCode::kInappropriateProtocol, "inappropriate protocol", false},
    DisconnectRow{DisconnectCode::kPermissionDenied, "permission denied", false},
    DisconnectRow{DisconnectCode::kNotAvailable, "not available", false},
    DisconnectRow{DisconnectCode::kTooManyErrors, "too many errors", false},
};

// What clients do on a disconnect code, of ours or of an application.
constexpr bool client_reconnects(uint32_t code) {
  return !(code >= 3500 && code <= 3999) && !(code >= 4500 && code <= 4999);
}

// The row of a code. Every enumerator has one.
template <class Rows, class Code>
constexpr const auto& row_of(const Rows& rows, Code code) {
  size_t at = 0;
  while (rows[at].code != code) ++at;
  return rows[at];
}
constexpr const ErrorRow& row_of(ErrorCode code) { return row_of(kErrors, code); }
constexpr const UnsubscribeRow& row_of(UnsubscribeCode code) { return row_of(kUnsubscribes, code); }
constexpr const DisconnectRow& row_of(DisconnectCode code) { return row_of(kDisconnects, code); }

}  // namespace parley::codec::centrifuge
