#include "transport/sse/sse_framing.h"

#include <charconv>

namespace parley::transport::sse {

void ChunkFraming::frame(session::MessageType, Buffer& out, size_t start) const {
  char head[18];
  char* end = std::to_chars(head, head + 16, out.size() - start, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.insert(start, head, static_cast<size_t>(end - head));
  out.append("\r\n");
}

}  // namespace parley::transport::sse
