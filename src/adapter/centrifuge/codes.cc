#include "adapter/centrifuge/codes.h"

#include <array>

namespace parley::adapter::centrifuge {
namespace {

using codec::centrifuge::DisconnectCode;
using codec::centrifuge::ErrorCode;
using session::EndReason;

struct EndRow {
  EndReason reason;
  DisconnectCode code;
};

// WebSocket's own codes stand for what is not a matter of this protocol.
constexpr session::EndCode kNormal{1000, ""};
constexpr session::EndCode kTooLarge{1009, "message size limit"};

constexpr std::array kEnds = {
    EndRow{EndReason::kShutdown, DisconnectCode::kShutdown},
    EndRow{EndReason::kBadRequest, DisconnectCode::kBadRequest},
    EndRow{EndReason::kStale, DisconnectCode::kStale},
    EndRow{EndReason::kNoPong, DisconnectCode::kNoPong},
    EndRow{EndReason::kSlow, DisconnectCode::kSlow},
    EndRow{EndReason::kTooManyRequests, DisconnectCode::kTooManyRequests},
    EndRow{EndReason::kLimit, DisconnectCode::kChannelLimit},
    EndRow{EndReason::kUnauthorized, DisconnectCode::kInvalidToken},
    EndRow{EndReason::kNotAvailable, DisconnectCode::kNotAvailable},
    EndRow{EndReason::kInternalError, DisconnectCode::kServerError},
    EndRow{EndReason::kInsufficientState, DisconnectCode::kInsufficientState},
    EndRow{EndReason::kForbidden, DisconnectCode::kPermissionDenied},
    EndRow{EndReason::kExpired, DisconnectCode::kConnectionExpired},
    EndRow{EndReason::kSubscriptionExpired, DisconnectCode::kSubscriptionExpired},
    EndRow{EndReason::kDisconnected, DisconnectCode::kForceDisconnect},
    EndRow{EndReason::kSuperseded, DisconnectCode::kConnectionLimit},
    EndRow{EndReason::kUserLimit, DisconnectCode::kConnectionLimit},
    EndRow{EndReason::kRevoked, DisconnectCode::kInvalidToken},
    EndRow{EndReason::kBlocked, DisconnectCode::kPermissionDenied},
};

}  // namespace

session::EndCode end_code(EndReason reason) {
  for (const EndRow& row : kEnds) {
    if (row.reason == reason) return {static_cast<uint16_t>(row.code), row_of(row.code).reason};
  }
  return reason == EndReason::kMessageTooLarge ? kTooLarge : kNormal;
}

session::EndReason one_way_end(ErrorCode code) {
  switch (code) {
    case ErrorCode::kTokenExpired:
    case ErrorCode::kExpired:
      return EndReason::kExpired;
    case ErrorCode::kTooManyRequests:
      return EndReason::kTooManyRequests;
    case ErrorCode::kPermissionDenied:
      return EndReason::kForbidden;
    default:
      return EndReason::kInternalError;
  }
}

ErrorCode error_code(hub::HubError error) {
  switch (error) {
    case hub::HubError::kUnknownChannel:
      return ErrorCode::kUnknownChannel;
    case hub::HubError::kNotAvailable:
      return ErrorCode::kNotAvailable;
    case hub::HubError::kUnsupportedKind:
    case hub::HubError::kInvalidData:
    case hub::HubError::kIdempotencyConflict:
      return ErrorCode::kBadRequest;
    case hub::HubError::kRevoked:
      return ErrorCode::kPermissionDenied;
    case hub::HubError::kOverloaded:
    case hub::HubError::kRateLimited:
      return ErrorCode::kTooManyRequests;
    case hub::HubError::kUnavailable:
      break;
  }
  return ErrorCode::kInternal;
}

ErrorCode error_code(auth::Verdict verdict) {
  switch (verdict) {
    case auth::Verdict::kUnknownChannel:
      return ErrorCode::kUnknownChannel;
    case auth::Verdict::kBadName:
      return ErrorCode::kBadRequest;
    case auth::Verdict::kNotAvailable:
      return ErrorCode::kNotAvailable;
    case auth::Verdict::kDeny:
    case auth::Verdict::kAllow:
      break;
  }
  return ErrorCode::kPermissionDenied;
}

}  // namespace parley::adapter::centrifuge
