// The tables from neutral failures to the protocol's numbers.
#include "adapter/centrifuge/codes.h"

#include <gtest/gtest.h>

namespace parley::adapter::centrifuge {
namespace {

using codec::centrifuge::ErrorCode;
using session::EndReason;

TEST(Codes, EveryEndHasACode) {
  struct Row {
    EndReason reason;
    uint16_t code;
    std::string_view text;
  };
  constexpr Row kRows[] = {
      {EndReason::kClientLeft, 1000, ""},
      {EndReason::kTransportLost, 1000, ""},
      {EndReason::kShutdown, 3001, "shutdown"},
      {EndReason::kBadRequest, 3501, "bad request"},
      {EndReason::kMessageTooLarge, 1009, "message size limit"},
      {EndReason::kStale, 3502, "stale"},
      {EndReason::kNoPong, 3012, "no pong"},
      {EndReason::kSlow, 3008, "slow"},
      {EndReason::kTooManyRequests, 3013, "too many requests"},
      {EndReason::kLimit, 3505, "channel limit"},
      {EndReason::kUnauthorized, 3500, "invalid token"},
      {EndReason::kNotAvailable, 3508, "not available"},
      {EndReason::kInternalError, 3004, "internal server error"},
      {EndReason::kInsufficientState, 3010, "insufficient state"},
      {EndReason::kForbidden, 3507, "permission denied"},
      {EndReason::kExpired, 3005, "connection expired"},
      {EndReason::kSubscriptionExpired, 3006, "subscription expired"},
      {EndReason::kDisconnected, 3503, "force disconnect"},
      {EndReason::kSuperseded, 3504, "connection limit"},
      {EndReason::kUserLimit, 3504, "connection limit"},
      {EndReason::kRevoked, 3500, "invalid token"},
      {EndReason::kBlocked, 3507, "permission denied"},
  };
  static_assert(std::size(kRows) == session::kEndReasons);
  for (const Row& row : kRows) {
    EXPECT_EQ(end_code(row.reason).code, row.code);
    EXPECT_EQ(end_code(row.reason).text, row.text);
  }
}

TEST(Codes, EveryHubErrorHasACode) {
  using hub::HubError;
  EXPECT_EQ(error_code(HubError::kUnknownChannel), ErrorCode::kUnknownChannel);
  EXPECT_EQ(error_code(HubError::kNotAvailable), ErrorCode::kNotAvailable);
  EXPECT_EQ(error_code(HubError::kUnsupportedKind), ErrorCode::kBadRequest);
  EXPECT_EQ(error_code(HubError::kInvalidData), ErrorCode::kBadRequest);
  EXPECT_EQ(error_code(HubError::kIdempotencyConflict), ErrorCode::kBadRequest);
  EXPECT_EQ(error_code(HubError::kOverloaded), ErrorCode::kTooManyRequests);
  EXPECT_EQ(error_code(HubError::kUnavailable), ErrorCode::kInternal);
  EXPECT_TRUE(row_of(error_code(HubError::kOverloaded)).temporary);
  EXPECT_TRUE(row_of(error_code(HubError::kUnavailable)).temporary);
}

TEST(Codes, EveryRefusalHasACode) {
  EXPECT_EQ(error_code(auth::Verdict::kUnknownChannel), ErrorCode::kUnknownChannel);
  EXPECT_EQ(error_code(auth::Verdict::kBadName), ErrorCode::kBadRequest);
  EXPECT_EQ(error_code(auth::Verdict::kNotAvailable), ErrorCode::kNotAvailable);
  EXPECT_EQ(error_code(auth::Verdict::kDeny), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
