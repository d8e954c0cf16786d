// How messages become parts of a response body.
#pragma once

#include "session/transport_link.h"

namespace parley::transport::push {

// What marks the border of a message in the body.
enum class PushFormat : uint8_t {
  kEvents,     // nothing: a message is one or more whole server-sent events (WHATWG HTML 9.2)
  kEventData,  // it is the data of one event; it has no line breaks
  kLines,      // a line feed; it has no line breaks
  kBytes,      // nothing: it tells its own length
};
inline constexpr size_t kPushFormats = 4;

std::string_view content_type(PushFormat format);
// What opens the stream at clients and proxies that wait for a byte of the body.
std::string_view preamble(PushFormat format);

// Stateless, shared by all streams of the format. In chunks (RFC 9112 7.1), one per message, or as
// it is: for HTTP/1.0, where the body ends with the connection.
const session::Framing& framing_for(PushFormat format, bool chunked);

}  // namespace parley::transport::push
