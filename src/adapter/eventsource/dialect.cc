#include "adapter/eventsource/dialect.h"

#include <algorithm>

#include "adapter/eventsource/event_id.h"
#include "base/check.h"
#include "base/metrics.h"
#include "base/utf8.h"
#include "codec/sse/encoder.h"

namespace parley::adapter::eventsource {
namespace {

metrics::Counter unsupported("parley_eventsource_unsupported_total",
                             "Binary publications that an event stream could only tell as a gap");

// A publisher must not be able to forge a gap, nor the events that EventSource dispatches itself.
constexpr std::string_view kReserved[] = {"gap", "open", "error"};

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

const EventSourceDialect& eventsource_dialect() {
  static const EventSourceDialect dialect;
  return dialect;
}

bool is_event_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxEventName && std::ranges::none_of(name, is_control) &&
         is_valid_utf8(name) && std::ranges::find(kReserved, name) == std::end(kReserved);
}

void encode_gap(const hub::Gap& gap, const hub::StreamPosition& resume, Buffer& out) {
  Buffer data = "{\"from\":";
  append_uint(data, gap.from);
  data += ",\"to\":";
  append_uint(data, gap.to);
  data.append(",\"reason\":\"").append(hub::to_string(gap.reason)).append("\"}");
  const std::string id = to_event_id(resume);
  CHECK(codec::sse::encode_event({.event = "gap", .id = id, .data = data}, out));
}

void EventSourceDialect::encode(const hub::LocalChannel& channel,
                                const hub::Publication& publication, Buffer& out) const {
  if (publication.change != hub::Change::kMessage) return;
  const hub::StreamPosition position{channel.epoch(), publication.offset};
  if (publication.kind == hub::ContentKind::kBinary) {
    unsupported.add(1);
    const uint64_t offset = publication.offset;
    return encode_gap({offset, offset, hub::GapReason::kUnsupported}, position, out);
  }
  const std::string id = to_event_id(position);
  codec::sse::Event event{.id = id, .data = publication.data};
  if (is_event_name(publication.event)) event.event = publication.event;
  CHECK(codec::sse::encode_event(event, out));
}

}  // namespace parley::adapter::eventsource
