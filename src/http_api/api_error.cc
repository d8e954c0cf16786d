#include "http_api/api_error.h"

#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"
#include "codec/json/write.h"

namespace parley::http_api {
namespace {

// In the order of kApiErrors.
constexpr std::string_view kCodes[] = {"100", "101", "102", "103", "104", "106",
                                       "107", "108", "111", "112", "113"};
static_assert(std::size(kCodes) == kApiErrors.size());
metrics::CounterFamily told("parley_api_errors_total",
                            "Errors told by the server API and the publish door, by code", "code",
                            kCodes);

}  // namespace

const ApiErrorRow& row_of(ApiError error) {
  const auto row = std::ranges::find(kApiErrors, error, &ApiErrorRow::error);
  CHECK(row != kApiErrors.end());
  return *row;
}

ApiError api_error(hub::HubError error) {
  switch (error) {
    case hub::HubError::kUnknownChannel:
      return ApiError::kUnknownChannel;
    case hub::HubError::kNotAvailable:
      return ApiError::kNotAvailable;
    case hub::HubError::kUnsupportedKind:
    case hub::HubError::kInvalidData:
      return ApiError::kBadRequest;
    case hub::HubError::kIdempotencyConflict:
      return ApiError::kConflict;
    case hub::HubError::kRevoked:
      return ApiError::kPermissionDenied;
    case hub::HubError::kOverloaded:
    case hub::HubError::kRateLimited:
      return ApiError::kTooManyRequests;
    case hub::HubError::kUnavailable:
      break;
  }
  return ApiError::kInternal;
}

void count_error(ApiError error) {
  told.add(static_cast<size_t>(&row_of(error) - kApiErrors.data()));
}

void append_error(Buffer& out, ApiError error, std::string_view message) {
  const ApiErrorRow& row = row_of(error);
  count_error(error);
  out += R"({"code":)";
  append_uint(out, static_cast<uint64_t>(row.error));
  out += R"(,"message":)";
  codec::json::append_string(out, message.empty() ? row.message : message);
  out += '}';
}

}  // namespace parley::http_api
