#include "codec/sse/encoder.h"

namespace parley::codec::sse {
namespace {

constexpr std::string_view kLineEnds = "\r\n";

bool fits_one_line(const std::optional<std::string_view>& value) {
  constexpr std::string_view kForbidden("\r\n\0", 3);
  return !value || value->find_first_of(kForbidden) == std::string_view::npos;
}

// The space is eaten by the client and so saves one that `value` may begin with.
void append_field(std::string_view name, std::string_view value, Buffer& out) {
  out.append(name).append(": ").append(value).push_back('\n');
}

void append_data(ByteView data, Buffer& out) {
  for (;;) {
    const size_t end = data.find_first_of(kLineEnds);
    append_field("data", data.substr(0, end), out);
    if (end == ByteView::npos) return;
    const bool crlf = data[end] == '\r' && end + 1 < data.size() && data[end + 1] == '\n';
    data.remove_prefix(end + (crlf ? 2 : 1));
  }
}

}  // namespace

bool encode_event(const Event& event, Buffer& out) {
  if (!fits_one_line(event.event) || !fits_one_line(event.id)) return false;
  if (event.id) append_field("id", *event.id, out);
  if (event.event) append_field("event", *event.event, out);
  if (event.retry_ms) {
    out.append("retry: ");
    append_uint(out, *event.retry_ms);
    out.push_back('\n');
  }
  if (event.data) append_data(*event.data, out);
  out.push_back('\n');
  return true;
}

void encode_comment(std::string_view text, Buffer& out) {
  out.push_back(':');
  for (const char c : text) out.push_back(kLineEnds.find(c) == std::string_view::npos ? c : ' ');
  out.append("\n\n");
}

}  // namespace parley::codec::sse
