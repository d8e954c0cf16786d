// How publications and gaps look as server-sent events.
#pragma once

#include "hub/epoch.h"
#include "session/adapter.h"

namespace parley::adapter::eventsource {

// What: one event per message, with the position behind it as id. Binary payloads, which an event
// stream cannot carry, become a gap; presence changes are skipped. Owner: static. Shard: any.
class EventSourceDialect final : public session::Dialect {
 public:
  session::MessageType type() const override { return session::MessageType::kText; }
  void encode(const hub::LocalChannel& channel, const hub::Publication& publication,
              Buffer& out) const override;
};

const EventSourceDialect& eventsource_dialect();

// An `event: gap`. `resume` is where a reconnect goes on, so that it is not told the same again.
void encode_gap(const hub::Gap& gap, const hub::StreamPosition& resume, Buffer& out);

// Whether an event may have this name: at most kMaxEventName bytes of UTF-8 without control
// characters, and none that this door or EventSource itself gives a meaning to.
bool is_event_name(std::string_view name);
inline constexpr size_t kMaxEventName = 255;

}  // namespace parley::adapter::eventsource
