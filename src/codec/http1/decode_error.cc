#include "codec/http1/decode_error.h"

#include <iterator>

#include "base/check.h"

namespace parley::codec::http1 {
namespace {

struct Row {
  DecodeError error;
  int status;
  std::string_view reason;
};

using enum DecodeError;

// In the order of the enum: looked up by index.
constexpr Row kRows[] = {
    {kNone, 200, "no error"},
    {kBadLineEnd, 400, "a line does not end with CR LF"},
    {kBadRequestLine, 400, "malformed request line"},
    {kBadMethod, 400, "the method is not a token"},
    {kMethodNotSupported, 501, "CONNECT is not supported"},
    {kBadTarget, 400, "malformed request target"},
    {kBadVersion, 400, "malformed HTTP version"},
    {kVersionNotSupported, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here"},
    {kRequestLineTooLong, 414, "request line too long"},
    {kBadHeaderName, 400, "malformed header name"},
    {kBadHeaderValue, 400, "control character in a header value"},
    {kObsoleteFold, 400, "folded header line"},
    {kHeadersTooLarge, 431, "headers too large"},
    {kTooManyHeaders, 431, "too many headers"},
    {kMissingHost, 400, "missing Host"},
    {kRepeatedHost, 400, "repeated Host"},
    {kBadHost, 400, "malformed Host"},
    {kHostMismatch, 400, "Host differs from the request target"},
    {kBadContentLength, 400, "malformed Content-Length"},
    {kRepeatedContentLength, 400, "repeated Content-Length"},
    {kBadTransferEncoding, 400, "Transfer-Encoding other than chunked over HTTP/1.1"},
    {kAmbiguousLength, 400, "both Content-Length and Transfer-Encoding"},
    {kExpectationFailed, 417, "unknown expectation"},
    {kBodyTooLarge, 413, "body too large"},
    {kBadChunkSize, 400, "malformed chunk size"},
    {kBadChunkExtension, 400, "malformed or too many chunk extensions"},
    {kBadChunkEnd, 400, "chunk data is not followed by CR LF"},
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

std::string_view reason(DecodeError error) { return row(error).reason; }

}  // namespace parley::codec::http1
