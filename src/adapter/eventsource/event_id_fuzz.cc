// Last-Event-ID and event names from anybody: an id is one that we made, or none.
#include <cstdlib>

#include "adapter/eventsource/dialect.h"
#include "adapter/eventsource/event_id.h"
#include "codec/sse/encoder.h"

namespace {

using namespace parley;
using namespace parley::adapter::eventsource;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView text(reinterpret_cast<const char*>(data), size);
  if (const auto position = parse_event_id(text); position && text != kFromTheStart) {
    require(position->epoch.known());
    require(parse_event_id(to_event_id(*position)) == position);
    // The offset may have been written with zeros in front.
    const std::string again = to_event_id(*position);
    const size_t dot = again.find('.');
    require(text.starts_with(again.substr(0, dot + 1)) && text.ends_with(again.substr(dot + 1)));
  }
  if (!is_event_name(text)) return 0;
  Buffer out;
  require(text != "gap" && codec::sse::encode_event({.event = text, .data = ""}, out));
  return 0;
}
