#include "http_api/command.h"

#include <algorithm>

#include "http_api/command_rules.h"
#include "http_api/methods.h"

namespace parley::http_api {
namespace {

using codec::json::Reader;

bool read_tags(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  for (std::string_view name; reader.key(name);) {
    std::string_view value;
    if (!reader.string(value)) return false;
    add_tag(name, value, limits, out);
  }
  return !reader.failed();
}

bool read_publish_field(std::string_view key, Reader& reader, const CommandLimits& limits,
                        RawData& data, Command& out) {
  if (key == "data") {
    data.data = reader.raw();
    return !reader.failed();
  }
  if (reader.null()) return true;
  if (key == "b64data") return reader.string(data.base64);
  if (key == "skip_history") return reader.boolean(out.publish.skip_history);
  if (key == "delta") return reader.boolean(out.publish.delta);
  if (key == "tags") return read_tags(reader, limits, out);
  if (key == "idempotency_key") return reader.string(out.publish.idempotency_key);
  if (key == "version") return reader.integer(out.publish.version);
  if (key == "version_epoch") return reader.string(out.publish.version_epoch);
  return !reader.failed();
}

bool read_channel(Reader& reader, Command& out) {
  std::string_view channel;
  if (!reader.string(channel)) return false;
  out.channels = {std::string(channel)};
  return true;
}

bool read_since(Reader& reader, HistoryFields& out) {
  if (!reader.object()) return false;
  out.has_since = true;
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    if (key == "offset" && !reader.integer(out.since_offset)) return false;
    if (key == "epoch" && !reader.string(out.since_epoch)) return false;
  }
  return !reader.failed();
}

bool decode_batch_entry(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  bool too_many = false;
  for (std::string_view key; reader.key(key);) {
    const Method* method = find_method(key);
    const bool nested = key == "batch";
    if (method == nullptr && !nested) continue;
    too_many = too_many || nested || out.method != nullptr;
    if (too_many) continue;
    out.method = method;
    if (!method->decode(reader, limits, out)) return false;
  }
  if (reader.failed()) return false;
  if (too_many) out.error = ApiError::kBadRequest;
  if (!too_many && out.method == nullptr) out.error = ApiError::kNotFound;
  if (out.channels.empty()) out.channels.emplace_back();
  return true;
}

bool decode_batch(Reader& reader, const CommandLimits& limits, CommandList& out) {
  out.batch = true;
  if (!reader.object()) return false;
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    if (key == "parallel" && !reader.boolean(out.parallel)) return false;
    if (key != "commands") continue;
    if (!reader.array()) return false;
    for (size_t operations = 0; reader.element();) {
      if (out.error != ApiError::kNone) continue;
      if (!decode_batch_entry(reader, limits, out.commands.emplace_back())) return false;
      operations += out.commands.back().channels.size();
      if (out.commands.size() > limits.commands || operations > limits.operations)
        out.error = ApiError::kBadRequest;
    }
  }
  return !reader.failed();
}

bool decode_single(const Method& method, Reader& reader, const CommandLimits& limits,
                   CommandList& out) {
  Command& command = out.commands.emplace_back();
  command.method = &method;
  if (!method.decode(reader, limits, command)) return false;
  out.error = command.error;
  return true;
}

}  // namespace

bool decode_publish(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  RawData data;
  for (std::string_view key; reader.key(key);) {
    if (key == "channel") {
      if (!reader.null() && !read_channel(reader, out)) return false;
    } else if (!read_publish_field(key, reader, limits, data, out)) {
      return false;
    }
  }
  finish_publish(data, limits, out);
  finish_channel(out);
  return !reader.failed();
}

bool decode_broadcast(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  RawData data;
  for (std::string_view key; reader.key(key);) {
    if (key != "channels") {
      if (!read_publish_field(key, reader, limits, data, out)) return false;
      continue;
    }
    if (reader.null()) continue;
    if (!reader.array()) return false;
    while (reader.element()) {
      std::string_view channel;
      if (!reader.string(channel)) return false;
      add_channel(channel, limits, out);
    }
  }
  finish_publish(data, limits, out);
  finish_broadcast(out);
  return !reader.failed();
}

bool decode_history(Reader& reader, const CommandLimits&, Command& out) {
  if (!reader.object()) return false;
  HistoryFields& history = out.history;
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    if (key == "channel" && !read_channel(reader, out)) return false;
    if (key == "limit" && !reader.integer(history.limit)) return false;
    if (key == "reverse" && !reader.boolean(history.reverse)) return false;
    if (key == "since" && !read_since(reader, history)) return false;
  }
  finish_history(out);
  return !reader.failed();
}

bool decode_channel_only(Reader& reader, const CommandLimits&, Command& out) {
  if (!reader.object()) return false;
  for (std::string_view key; reader.key(key);)
    if (key == "channel" && !reader.null() && !read_channel(reader, out)) return false;
  finish_channel(out);
  return !reader.failed();
}

bool decode_channels(Reader& reader, const CommandLimits&, Command& out) {
  if (!reader.object()) return false;
  for (std::string_view key; reader.key(key);)
    if (key == "pattern" && !reader.null() && !reader.string(out.pattern)) return false;
  finish_channels(out);
  return !reader.failed();
}

bool decode_nothing(Reader& reader, const CommandLimits&, Command& out) {
  out.channels.emplace_back();
  if (!reader.object()) return false;
  for (std::string_view key; reader.key(key);) continue;
  return !reader.failed();
}

// What it says is for the desk to read.
bool decode_create_ticket(Reader& reader, const CommandLimits&, Command& out) {
  out.channels.emplace_back();
  if (reader.kind() != codec::json::Kind::kObject) return reader.fail();
  out.ticket_order = reader.raw();
  return !reader.failed();
}

std::optional<CommandList> decode_request(std::string_view method_name, ByteView body,
                                          const CommandLimits& limits,
                                          codec::json::Scratch& scratch) {
  if (method_name.empty()) return decode_legacy(body, limits, scratch);
  CommandList list;
  const Method* method = find_method(method_name);
  if (method == nullptr && method_name != "batch") {
    list.error = ApiError::kNotFound;
    return list;
  }
  Reader reader(body, scratch);
  const bool good = method == nullptr ? decode_batch(reader, limits, list)
                                      : decode_single(*method, reader, limits, list);
  const bool whole = reader.failed() || !good ? false : reader.finish();
  scratch.reset();
  if (!whole) return std::nullopt;
  return list;
}

}  // namespace parley::http_api
