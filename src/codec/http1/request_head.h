// The head of a request, line by line (RFC 9112 sections 2 to 6). Internal to the decoder.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "codec/http1/decode_error.h"
#include "codec/http1/request.h"

namespace parley::codec::http1 {

// How the body ends.
struct BodyFraming {
  bool chunked = false;
  uint64_t length = 0;  // when not chunked
};

// Lines come without their CR LF. kNone means accepted.
DecodeError parse_request_line(std::string_view line, Request& request);

struct HeaderLine {
  std::string_view name;
  std::string_view value;
};
std::expected<HeaderLine, DecodeError> parse_header_line(std::string_view line);

// Judges the headers together: Host, body length, expectation; fills keep_alive, upgrade and
// expect_continue. Nothing about the body may be believed before this returns.
std::expected<BodyFraming, DecodeError> finish_head(Request& request);

}  // namespace parley::codec::http1
