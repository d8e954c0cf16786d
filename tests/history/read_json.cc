#include "tests/history/read_json.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "codec/json/reader.h"

namespace parley::history {
namespace {

using codec::json::Reader;

constexpr std::array<std::pair<std::string_view, Kind>, 19> kKinds = {{
    {"sent", Kind::kSent},
    {"acked", Kind::kAcked},
    {"unknown", Kind::kUnknown},
    {"refused", Kind::kRefused},
    {"subscribed", Kind::kSubscribed},
    {"delivered", Kind::kDelivered},
    {"gap", Kind::kGap},
    {"unsubscribed", Kind::kUnsubscribed},
    {"disconnected", Kind::kDisconnected},
    {"ended", Kind::kEnded},
    {"join", Kind::kJoin},
    {"leave", Kind::kLeave},
    {"entered", Kind::kEntered},
    {"left", Kind::kLeft},
    {"presence", Kind::kPresence},
    {"restarted", Kind::kRestarted},
    {"epoch_began", Kind::kEpochBegan},
    {"healed", Kind::kHealed},
    {"quiet", Kind::kQuiet},
}};

using Field =
    std::variant<std::string Event::*, uint64_t Event::*, int64_t Event::*, bool Event::*>;

constexpr std::array<std::pair<std::string_view, Field>, 18> kFields = {{
    {"at", &Event::at},
    {"client", &Event::client},
    {"channel", &Event::channel},
    {"value", &Event::value},
    {"epoch", &Event::epoch},
    {"offset", &Event::offset},
    {"from", &Event::from},
    {"to", &Event::to},
    {"recovered", &Event::recovered},
    {"positioned", &Event::positioned},
    {"durable", &Event::durable},
    {"again", &Event::again},
    {"window", &Event::window},
    {"after", &Event::after},
    {"key", &Event::key},
    {"tag", &Event::tag},
    {"reason", &Event::reason},
    {"member", &Event::member},
}};

struct Take {
  Reader& reader;
  Event& event;

  void operator()(std::string Event::* field) const {
    if (std::string_view text; reader.string(text)) event.*field = text;
  }
  void operator()(bool Event::* field) const { reader.boolean(event.*field); }
  template <typename Int>
  void operator()(Int Event::* field) const {
    reader.integer(event.*field);
  }
};

bool take_kind(Reader& reader, Kind& kind) {
  std::string_view name;
  if (!reader.string(name)) return false;
  const auto* known = std::ranges::find(kKinds, name, &std::pair<std::string_view, Kind>::first);
  if (known == kKinds.end()) return reader.fail();
  kind = known->second;
  return true;
}

void take_members(Reader& reader, Event& event) {
  if (!reader.array()) return;
  for (std::string_view member; reader.element();)
    if (reader.string(member)) event.members.emplace_back(member);
}

void take_field(Reader& reader, std::string_view key, Event& event) {
  if (key == "members") return take_members(reader, event);
  if (key == "asked") {
    reader.integer(event.asked.emplace());
    return;
  }
  const auto* known = std::ranges::find(kFields, key, &std::pair<std::string_view, Field>::first);
  if (known == kFields.end()) {
    reader.fail();
    return;
  }
  std::visit(Take{reader, event}, known->second);
}

}  // namespace

std::expected<Event, std::string> read_event(std::string_view line) {
  codec::json::Scratch scratch;
  Reader reader(line, scratch);
  Event event;
  bool has_kind = false;
  std::string last;
  if (reader.object())
    for (std::string_view key; reader.key(key);) {
      last = key;
      if (key == "kind")
        has_kind = take_kind(reader, event.kind);
      else
        take_field(reader, last, event);
    }
  if (!reader.finish()) return std::unexpected("not an event, at or behind \"" + last + '"');
  if (!has_kind) return std::unexpected("an event without a kind");
  return event;
}

}  // namespace parley::history
