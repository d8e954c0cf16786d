#include "tests/sim/eventsource_client.h"

#include <utility>

#include "adapter/eventsource/event_id.h"
#include "codec/json/reader.h"
#include "tests/sim/framing.h"

namespace parley::sim {

using adapter::eventsource::parse_event_id;

void EventSourceClient::act() {
  if (!started_) return start();
  Simulation& sim = host_.sim();
  if (!line_) return;
  if (sim.random.one_in(3)) {
    sim.note("{} hangs up", name_);
    line_->hang_up();
    return lose_line();
  }
  line_->read(false);
  sim.time.after(sim.between(milliseconds(50), seconds(8)), [line = line_] { line->read(true); });
}

void EventSourceClient::start() {
  started_ = true;
  if (line_ || gone_) return;
  Simulation& sim = host_.sim();
  line_ = std::make_shared<Line>(sim, host_.line_options(), bare_framing(), *this);
  decoder_ = std::make_unique<codec::sse::Decoder>();
  open_ = false;
  resumed_ = !last_id_.empty();
  heard_ = sim.now().mono;
  session::Handshake handshake{.transport = "sim", .path = channel_.name};
  if (resumed_) handshake.headers.emplace_back("Last-Event-ID", last_id_);
  sim.note("{} opens {} behind \"{}\"", name_, channel_.name, last_id_);
  if (!host_.connect(line_, Door::kEventSource, handshake)) return lose_line();
  watch();
}

void EventSourceClient::leave() {
  gone_ = true;
  if (!line_) return;
  line_->hang_up();
  lose_line();
}

void EventSourceClient::watch() {
  Simulation& sim = host_.sim();
  sim.time.after(seconds(10), [this, line = line_] {
    if (line != line_) return;
    if (host_.sim().now().mono - heard_ <= seconds(40)) return watch();
    host_.sim().note("{} gives its line up", name_);
    line_->hang_up();
    lose_line();
  });
}

void EventSourceClient::lose_line() {
  line_.reset();
  open_ = false;
  host_.sim().tell(
      {.kind = gone_ ? history::Kind::kEnded : history::Kind::kDisconnected, .client = name_});
  if (gone_) return;
  host_.sim().time.after(retry_, [this] { start(); });
}

void EventSourceClient::on_bytes(std::string_view bytes) {
  heard_ = host_.sim().now().mono;
  const std::shared_ptr<Line> line = line_;
  // Block by block, to see the ids that dispatch no event.
  while (!bytes.empty() && line == line_) {
    const size_t end = bytes.find("\n\n");
    const size_t block = end == bytes.npos ? bytes.size() : end + 2;
    if (!decoder_->decode(bytes.substr(0, block), *this)) return fail("not an event stream");
    if (line == line_) take_id();
    bytes.remove_prefix(block);
  }
}

// The stream begins with a block that dispatches no event; where none was asked for, its id is
// where the reader begins.
void EventSourceClient::take_id() {
  if (open_) return;
  const std::string_view id = decoder_->last_event_id();
  if (!resumed_ && id.empty()) return;
  open_ = true;
  if (resumed_) {
    ++recoveries_;
    check_.resume({});
    return;
  }
  const auto position = parse_event_id(id);
  if (!position) return fail("an id that is none");
  last_id_ = id;
  check_.start(*position);
}

void EventSourceClient::on_closed(const Closing& closing) {
  host_.sim().note("{} is told that its line ended: {} {}", name_, closing.code, closing.text);
  lose_line();
}

void EventSourceClient::on_event(const codec::sse::DecodedEvent& event) {
  take_id();
  last_id_ = event.last_event_id;
  const auto position = parse_event_id(last_id_);
  if (!position) return fail("an id that is none: " + last_id_);
  if (event.type == "gap") return on_gap(event, *position);
  check_.deliver(std::string(event.data), position->offset, position->epoch);
}

void EventSourceClient::on_gap(const codec::sse::DecodedEvent& event,
                               const hub::StreamPosition& resume) {
  static thread_local codec::json::Scratch scratch;
  scratch.reset();
  codec::json::Reader reader(event.data, scratch);
  uint64_t from = 0, to = 0;
  std::string_view reason;
  if (reader.object()) {
    for (std::string_view key; reader.key(key);) {
      if (key == "from") reader.integer(from);
      if (key == "to") reader.integer(to);
      if (key == "reason") reader.string(reason);
    }
  }
  if (!reader.finish()) return fail("a gap that says nothing");
  // Where the oldest are dropped nobody asks whether history has them.
  const bool drops = channel_.overflow.policy == hub::OverflowPolicy::kDropOldest;
  if (reason == "retention" || (reason == "overflow" && !drops))
    host_.check_gone(name_, channel_.name, resume.epoch, to);
  check_.tell_gap(from, to, reason, resume);
}

std::string EventSourceClient::state() const {
  return fmt::format("{} of {}: {}", name_, channel_.name, open_ ? "open" : "not open");
}

std::vector<Client::Reading> EventSourceClient::reading() const {
  if (!open_) return {};
  return {{&channel_, check_.position(), check_.last_data()}};
}

}  // namespace parley::sim
