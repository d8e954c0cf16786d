#include "codec/http1/decode_error.h"

#include <iterator>

#include "base/check.h"

namespace parley::codec::http1 {
namespace {

struct Row {
  DecodeError error;
  int status;
  std::string_view name;
  std::string_view reason;
};

using enum DecodeError;

// In the order of the enum: looked up by index.
constexpr Row kRows[] = {
    {kNone, 200, "none", "no error"},
    {kBadLineEnd, 400, "bad_line_end", "a line does not end with CR LF"},
    {kBadRequestLine, 400, "bad_request_line", "malformed request line"},
    {kBadMethod, 400, "bad_method", "the method is not a token"},
    {kMethodNotSupported, 501, "method_not_supported", "CONNECT is not supported"},
    {kBadTarget, 400, "bad_target", "malformed request target"},
    {kBadVersion, 400, "bad_version", "malformed HTTP version"},
    {kVersionNotSupported, 505, "version_not_supported",
     "only HTTP/1.1 and HTTP/1.0 are spoken here"},
    {kRequestLineTooLong, 414, "request_line_too_long", "request line too long"},
    {kBadHeaderName, 400, "bad_header_name", "malformed header name"},
    {kBadHeaderValue, 400, "bad_header_value", "control character in a header value"},
    {kObsoleteFold, 400, "obsolete_fold", "folded header line"},
    {kHeadersTooLarge, 431, "headers_too_large", "headers too large"},
    {kTooManyHeaders, 431, "too_many_headers", "too many headers"},
    {kMissingHost, 400, "missing_host", "missing Host"},
    {kRepeatedHost, 400, "repeated_host", "repeated Host"},
    {kBadHost, 400, "bad_host", "malformed Host"},
    {kHostMismatch, 400, "host_mismatch", "Host differs from the request target"},
    {kRepeatedOrigin, 400, "repeated_origin", "repeated Origin"},
    {kBadContentLength, 400, "bad_content_length", "malformed Content-Length"},
    {kRepeatedContentLength, 400, "repeated_content_length", "repeated Content-Length"},
    {kBadTransferEncoding, 400, "bad_transfer_encoding",
     "Transfer-Encoding other than chunked over HTTP/1.1"},
    {kAmbiguousLength, 400, "ambiguous_length", "both Content-Length and Transfer-Encoding"},
    {kExpectationFailed, 417, "expectation_failed", "unknown expectation"},
    {kBodyTooLarge, 413, "body_too_large", "body too large"},
    {kBadChunkSize, 400, "bad_chunk_size", "malformed chunk size"},
    {kBadChunkExtension, 400, "bad_chunk_extension", "malformed or too many chunk extensions"},
    {kBadChunkEnd, 400, "bad_chunk_end", "chunk data is not followed by CR LF"},
};

constexpr bool rows_are_in_order() {
  for (size_t i = 0; i < std::size(kRows); ++i)
    if (kRows[i].error != static_cast<DecodeError>(i)) return false;
  return std::size(kRows) == static_cast<size_t>(kBadChunkEnd) + 1;
}
static_assert(rows_are_in_order());

const Row& row(DecodeError error) {
  const auto index = static_cast<size_t>(error);
  CHECK(index < std::size(kRows));
  return kRows[index];
}

}  // namespace

int http_status(DecodeError error) { return row(error).status; }

std::string_view name(DecodeError error) { return row(error).name; }

std::string_view reason(DecodeError error) { return row(error).reason; }

}  // namespace parley::codec::http1
