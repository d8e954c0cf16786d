// Why a request was refused, and the status that says so. Every one of them ends the connection:
// after it nobody knows where the next request would begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::codec::http1 {

enum class DecodeError : uint8_t {
  kNone,
  kBadLineEnd,
  kBadRequestLine,
  kBadMethod,
  kMethodNotSupported,
  kBadTarget,
  kBadVersion,
  kVersionNotSupported,
  kRequestLineTooLong,
  kBadHeaderName,
  kBadHeaderValue,
  kObsoleteFold,
  kHeadersTooLarge,
  kTooManyHeaders,
  kMissingHost,
  kRepeatedHost,
  kBadHost,
  kHostMismatch,
  kRepeatedOrigin,
  kBadContentLength,
  kRepeatedContentLength,
  kBadTransferEncoding,
  kAmbiguousLength,
  kExpectationFailed,
  kBodyTooLarge,
  kBadChunkSize,
  kBadChunkExtension,
  kBadChunkEnd,
};
inline constexpr size_t kDecodeErrors = static_cast<size_t>(DecodeError::kBadChunkEnd) + 1;

// The status of the response: 400, 413, 414, 417, 431, 501 or 505.
int http_status(DecodeError error);

// One lower-case word for metrics: "headers_too_large".
std::string_view name(DecodeError error);

// A few words for the response body and the log. Holds nothing that the peer sent.
std::string_view reason(DecodeError error);

}  // namespace parley::codec::http1
