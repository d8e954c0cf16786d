#include "adapter/eventsource/event_id.h"

#include "base/bytes.h"
#include "base/check.h"

namespace parley::adapter::eventsource {

std::string to_event_id(const hub::StreamPosition& position) {
  CHECK(position.epoch.known());
  std::string id = hub::to_string(position.epoch);
  id += '.';
  append_uint(id, position.offset);
  return id;
}

std::optional<hub::StreamPosition> parse_event_id(std::string_view id) {
  // The beginning of what is kept: no event has it, so nothing can be missed by it.
  if (id == kFromTheStart) return hub::StreamPosition{};
  const size_t dot = id.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::optional<hub::Epoch> epoch = hub::parse_epoch(id.substr(0, dot));
  // Without an epoch a position would match any stream.
  if (!epoch || !epoch->known()) return std::nullopt;
  hub::StreamPosition position{.epoch = *epoch};
  if (!parse_uint(id.substr(dot + 1), position.offset)) return std::nullopt;
  return position;
}

}  // namespace parley::adapter::eventsource
