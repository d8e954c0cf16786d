// The errors of the server API and of the publish door: Centrifugo's numbers and words.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "hub/requester.h"

namespace parley::http_api {

enum class ApiError : uint16_t {
  kNone = 0,
  kInternal = 100,
  kUnauthorized = 101,
  kUnknownChannel = 102,
  kPermissionDenied = 103,
  kNotFound = 104,
  kLimitExceeded = 106,
  kBadRequest = 107,
  kNotAvailable = 108,
  kTooManyRequests = 111,
  kUnrecoverablePosition = 112,
  kConflict = 113,
};

struct ApiErrorRow {
  ApiError error;
  std::string_view message;
  int status;  // where errors are told by the HTTP status
};

inline constexpr std::array kApiErrors = {
    ApiErrorRow{ApiError::kInternal, "internal server error", 500},
    ApiErrorRow{ApiError::kUnauthorized, "unauthorized", 401},
    ApiErrorRow{ApiError::kUnknownChannel, "unknown channel", 404},
    ApiErrorRow{ApiError::kPermissionDenied, "permission denied", 403},
    ApiErrorRow{ApiError::kNotFound, "not found", 404},
    ApiErrorRow{ApiError::kLimitExceeded, "limit exceeded", 429},
    ApiErrorRow{ApiError::kBadRequest, "bad request", 400},
    ApiErrorRow{ApiError::kNotAvailable, "not available", 400},
    ApiErrorRow{ApiError::kTooManyRequests, "too many requests", 503},
    ApiErrorRow{ApiError::kUnrecoverablePosition, "unrecoverable position", 416},
    ApiErrorRow{ApiError::kConflict, "conflict", 409},
};

const ApiErrorRow& row_of(ApiError error);
ApiError api_error(hub::HubError error);

// For those who tell an error in other ways than append_error().
void count_error(ApiError error);
// Appends {"code":107,"message":"bad request"}; with `message` instead of the table's words unless
// it is empty.
void append_error(Buffer& out, ApiError error, std::string_view message = {});

}  // namespace parley::http_api
