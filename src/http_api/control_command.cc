// How the commands on connections are read from JSON.
#include "http_api/command_rules.h"

namespace parley::http_api {
namespace {

using codec::json::Reader;
using hub::Control;

bool read_json(Reader& reader, Buffer& out) {
  out = reader.raw();
  return !reader.failed();
}

// Members of {"value":bool}.
bool read_override(Reader& reader, std::optional<bool>& out) {
  if (!reader.object()) return false;
  bool value = false;
  for (std::string_view key; reader.key(key);)
    if (key == "value" && !reader.null() && !reader.boolean(value)) return false;
  out = value;
  return !reader.failed();
}

bool read_overrides(Reader& reader, Control::Overrides& out) {
  if (!reader.object()) return false;
  for (std::string_view key; reader.key(key);) {
    std::optional<bool>* member = key == "presence"                ? &out.presence
                                  : key == "join_leave"            ? &out.join_leave
                                  : key == "force_recovery"        ? &out.force_recovery
                                  : key == "force_positioning"     ? &out.force_positioning
                                  : key == "force_push_join_leave" ? &out.force_push_join_leave
                                                                   : nullptr;
    if (member != nullptr && !reader.null() && !read_override(reader, *member)) return false;
  }
  return !reader.failed();
}

bool read_position(Reader& reader, Control& out) {
  if (!reader.object()) return false;
  hub::ClaimedPosition& position = out.recover_since.emplace();
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    if (key == "offset" && !reader.integer(position.offset)) return false;
    if (key == "epoch" && !reader.string(position.epoch)) return false;
  }
  return !reader.failed();
}

bool read_disconnect(Reader& reader, RawControl& raw, Control& out) {
  if (!reader.object()) return false;
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    if (key == "code" && !reader.integer(raw.code)) return false;
    if (key == "reason" && !reader.string(out.reason)) return false;
  }
  return !reader.failed();
}

bool read_whitelist(Reader& reader, const CommandLimits& limits, Control& out) {
  if (!reader.array()) return false;
  while (reader.element()) {
    std::string_view client;
    if (!reader.string(client)) return false;
    // One more than allowed is refused later.
    if (out.whitelist.size() <= limits.whitelist) out.whitelist.emplace_back(client);
  }
  return !reader.failed();
}

// The fields that say whom.
bool read_address(std::string_view key, Reader& reader, Control& out) {
  if (key == "user") return reader.string(out.user);
  if (key == "client") return reader.string(out.client);
  if (key == "session") return reader.string(out.session);
  return !reader.failed();
}

bool read_subscribe_field(std::string_view key, Reader& reader, RawControl& raw, Control& out) {
  if (key == "channel") return reader.string(out.channel);
  if (key == "expire_at") return reader.integer(out.expire_at);
  if (key == "info") return read_json(reader, out.info.emplace());
  if (key == "b64info") return reader.string(raw.info64);
  if (key == "data") return read_json(reader, out.data);
  if (key == "b64data") return reader.string(raw.data64);
  if (key == "recover_since") return read_position(reader, out);
  if (key == "override") return read_overrides(reader, out.overrides);
  return read_address(key, reader, out);
}

}  // namespace

bool decode_subscribe(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  Control control{.kind = Control::Kind::kSubscribe};
  RawControl raw;
  for (std::string_view key; reader.key(key);)
    if (!reader.null() && !read_subscribe_field(key, reader, raw, control)) return false;
  finish_control(raw, std::move(control), limits, out);
  return !reader.failed();
}

bool decode_unsubscribe(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  Control control{.kind = Control::Kind::kUnsubscribe};
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    const bool good =
        key == "channel" ? reader.string(control.channel) : read_address(key, reader, control);
    if (!good) return false;
  }
  finish_control(RawControl{}, std::move(control), limits, out);
  return !reader.failed();
}

bool decode_disconnect(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  Control control{.kind = Control::Kind::kDisconnect};
  RawControl raw;
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    const bool good = key == "disconnect"  ? read_disconnect(reader, raw, control)
                      : key == "whitelist" ? read_whitelist(reader, limits, control)
                                           : read_address(key, reader, control);
    if (!good) return false;
  }
  finish_control(raw, std::move(control), limits, out);
  return !reader.failed();
}

bool decode_refresh(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  Control control{.kind = Control::Kind::kRefresh};
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    const bool good = key == "expired"     ? reader.boolean(control.expired)
                      : key == "expire_at" ? reader.integer(control.expire_at)
                      : key == "info"      ? read_json(reader, control.info.emplace())
                                           : read_address(key, reader, control);
    if (!good) return false;
  }
  finish_control(RawControl{}, std::move(control), limits, out);
  return !reader.failed();
}

}  // namespace parley::http_api
