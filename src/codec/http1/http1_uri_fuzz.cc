// Targets, query strings, the lines of chunks, and the head of a response made of any of it.
#include <cstdlib>

#include "base/bytes.h"
#include "codec/http1/response_encoder.h"
#include "codec/http1/syntax.h"
#include "codec/http1/uri.h"

namespace {

using namespace parley;
using namespace parley::codec::http1;

void require(bool condition) {
  if (!condition) std::abort();
}

void target(ByteView text) {
  for (const std::string_view method : {"GET", "OPTIONS"}) {
    const auto parts = split_target(method, text);
    if (!parts) continue;
    require(parts->path.starts_with('/') || (parts->path == "*" && method == "OPTIONS"));
    require(parts->authority.empty() || is_authority(parts->authority));
    require(parts->path.size() + parts->query.size() <= text.size() + 1);
  }
}

void query(ByteView text) {
  if (const auto decoded = percent_decode(text))
    require(decoded->size() <= text.size() && (text.find('%') != text.npos || *decoded == text));
  const auto params = parse_query(text);
  if (!params) return;
  // The first of each name is the one that is found.
  for (size_t i = 0; i < params->size() && i < 20; ++i) {
    size_t first = 0;
    while ((*params)[first].first != (*params)[i].first) ++first;
    require(find_query_param(text, (*params)[i].first) == (*params)[first].second);
  }
}

// Nothing that a peer sent can add a line to a response.
void response(ByteView name, ByteView value) {
  Buffer out = "before";
  const HeaderView headers[] = {{name, value}};
  if (!encode_response_head(200, headers, {.length = 3}, out)) {
    require(out == "before");
    return;
  }
  size_t lines = 0;
  for (size_t at = 0; (at = out.find_first_of("\r\n", at)) != out.npos; at += 2, ++lines)
    require(out.compare(at, 2, "\r\n") == 0);
  require(lines == 4 && out.ends_with("\r\n\r\n"));
}

}  // namespace

// Byte 0: where a header's name ends. The rest: the text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView text(reinterpret_cast<const char*>(data) + 1, size - 1);
  target(text);
  query(text);
  if (const auto line = parse_chunk_line(text)) require(line->extension_bytes < text.size());
  const size_t border = data[0] % (text.size() + 1);
  response(text.substr(0, border), text.substr(border));
  return 0;
}
