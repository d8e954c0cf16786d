#include "codec/http1/response_encoder.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "codec/http1/syntax.h"

namespace parley::codec::http1 {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};

// Sorted by status.
constexpr Phrase kPhrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};
static_assert(std::ranges::is_sorted(kPhrases, {}, &Phrase::status));

bool may_send(const HeaderView& header) {
  return is_token(header.name) && is_field_value(header.value) &&
         !equals_ignoring_case(header.name, "content-length") &&
         !equals_ignoring_case(header.name, "transfer-encoding");
}

void append_framing(const ResponseFraming& framing, Buffer& out) {
  using enum ResponseFraming::Kind;
  if (framing.kind == kLength) {
    out.append("Content-Length: ");
    append_uint(out, framing.length);
    out.append("\r\n");
  }
  if (framing.kind == kChunked) out.append("Transfer-Encoding: chunked\r\n");
  if (framing.close || framing.kind == kUntilClose) out.append("Connection: close\r\n");
}

}  // namespace

std::string_view reason_phrase(int status) {
  const auto found = std::ranges::lower_bound(kPhrases, status, {}, &Phrase::status);
  return found != std::end(kPhrases) && found->status == status ? found->text : std::string_view{};
}

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

bool encode_response_head(int status, std::span<const HeaderView> headers, ResponseFraming framing,
                          Buffer& out) {
  if (status < 100 || status > 999 || !std::ranges::all_of(headers, may_send)) return false;
  if (!status_has_body(status)) framing.kind = ResponseFraming::Kind::kNone;
  out.append("HTTP/1.1 ");
  append_uint(out, static_cast<uint64_t>(status));
  out.push_back(' ');
  out.append(reason_phrase(status));
  out.append("\r\n");
  for (const auto& header : headers)
    out.append(header.name).append(": ").append(header.value).append("\r\n");
  append_framing(framing, out);
  out.append("\r\n");
  return true;
}

void encode_chunk(ByteView data, Buffer& out) {
  if (data.empty()) return;
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, data.size(), 16).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
  out.append("\r\n").append(data).append("\r\n");
}

void encode_last_chunk(Buffer& out) { out.append("0\r\n\r\n"); }

}  // namespace parley::codec::http1
