#include "http_api/protobuf_command.h"

#include "http_api/command_rules.h"
#include "http_api/methods.h"
#include "http_api/protobuf_fields.h"

namespace parley::http_api {
namespace {

using hub::Control;
using Fields = ProtobufFields;

void read_tag(Fields& fields, const CommandLimits& limits, Command& out) {
  ByteView entry;
  fields.bytes(entry);
  std::string_view name, value;
  Fields parts(entry);
  while (parts.next()) {
    if (parts.number() == 1) parts.text(name);
    if (parts.number() == 2) parts.text(value);
  }
  if (!parts.good()) fields.fail();
  add_tag(name, value, limits, out);
}

// The fields that publish and broadcast share; 1 is the channel or the channels.
void read_publish_field(Fields& fields, const CommandLimits& limits, RawData& raw, Command& out) {
  PublishFields& publish = out.publish;
  switch (fields.number()) {
    case 2:
      return fields.bytes(raw.data);
    case 3:
      return fields.text(raw.base64);
    case 4:
      return fields.number(publish.skip_history);
    case 5:
      return read_tag(fields, limits, out);
    case 6:
      return fields.text(publish.idempotency_key);
    case 7:
      return fields.number(publish.delta);
    case 8:
      return fields.number(publish.version);
    case 9:
      return fields.text(publish.version_epoch);
    default:
      return;
  }
}

void read_channel(Fields& fields, Command& out) {
  std::string_view channel;
  fields.text(channel);
  out.channels = {std::string(channel)};
}

// A StreamPosition: offset 1, epoch 2.
void read_position(Fields& fields, uint64_t& offset, std::string& epoch) {
  ByteView message;
  fields.bytes(message);
  Fields parts(message);
  while (parts.next()) {
    if (parts.number() == 1) parts.number(offset);
    if (parts.number() == 2) parts.text(epoch);
  }
  if (!parts.good()) fields.fail();
}

// A BoolValue: value 1.
void read_override(Fields& fields, std::optional<bool>& out) {
  ByteView message;
  fields.bytes(message);
  bool value = false;
  Fields parts(message);
  while (parts.next())
    if (parts.number() == 1) parts.number(value);
  if (!parts.good()) fields.fail();
  out = value;
}

void read_overrides(Fields& fields, Control::Overrides& out) {
  std::optional<bool>* const members[] = {&out.presence, &out.join_leave, &out.force_recovery,
                                          &out.force_positioning, &out.force_push_join_leave};
  ByteView message;
  fields.bytes(message);
  Fields parts(message);
  while (parts.next()) {
    const uint32_t number = parts.number();
    if (number >= 1 && number <= std::size(members)) read_override(parts, *members[number - 1]);
  }
  if (!parts.good()) fields.fail();
}

void read_json(Fields& fields, Buffer& out) {
  ByteView bytes;
  fields.bytes(bytes);
  out = bytes;
}

void read_subscribe_field(Fields& fields, RawControl& raw, Control& out) {
  switch (fields.number()) {
    case 1:
      return fields.text(out.channel);
    case 2:
      return fields.text(out.user);
    case 3:
      return fields.number(out.expire_at);
    case 4:
      return read_json(fields, out.info.emplace());
    case 5:
      return fields.text(raw.info64);
    case 6:
      return fields.text(out.client);
    case 7:
      return read_json(fields, out.data);
    case 8:
      return fields.text(raw.data64);
    case 9: {
      hub::ClaimedPosition& since = out.recover_since.emplace();
      return read_position(fields, since.offset, since.epoch);
    }
    case 10:
      return read_overrides(fields, out.overrides);
    case 11:
      return fields.text(out.session);
    default:
      return;
  }
}

// A Disconnect: code 1, reason 2.
void read_disconnect(Fields& fields, RawControl& raw, Control& out) {
  ByteView message;
  fields.bytes(message);
  Fields parts(message);
  while (parts.next()) {
    if (parts.number() == 1) parts.number(raw.code);
    if (parts.number() == 2) parts.text(out.reason);
  }
  if (!parts.good()) fields.fail();
}

bool decode_batch_entry(ByteView message, const CommandLimits& limits, Command& out) {
  bool too_many = false;
  Fields fields(message);
  while (fields.next()) {
    const Method* method = find_method(fields.number());
    if (method == nullptr) continue;
    too_many = too_many || out.method != nullptr;
    ByteView request;
    fields.bytes(request);
    if (too_many || !fields.good()) continue;
    out.method = method;
    if (!method->decode_protobuf(request, limits, out)) return false;
  }
  if (too_many) out.error = ApiError::kBadRequest;
  if (out.method == nullptr) out.error = ApiError::kNotFound;
  if (out.channels.empty()) out.channels.emplace_back();
  return fields.good();
}

bool decode_batch(ByteView body, const CommandLimits& limits, CommandList& out) {
  out.batch = true;
  size_t operations = 0;
  Fields fields(body);
  while (fields.next()) {
    if (fields.number() == 2) fields.number(out.parallel);
    if (fields.number() != 1) continue;
    ByteView entry;
    fields.bytes(entry);
    if (!fields.good()) break;
    if (out.error != ApiError::kNone) continue;
    if (!decode_batch_entry(entry, limits, out.commands.emplace_back())) return false;
    operations += out.commands.back().channels.size();
    if (out.commands.size() > limits.commands || operations > limits.operations)
      out.error = ApiError::kBadRequest;
  }
  return fields.good();
}

}  // namespace

bool protobuf_publish(ByteView message, const CommandLimits& limits, Command& out) {
  RawData raw{.is_json = false};
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) {
      read_channel(fields, out);
    } else {
      read_publish_field(fields, limits, raw, out);
    }
  }
  finish_publish(raw, limits, out);
  finish_channel(out);
  return fields.good();
}

bool protobuf_broadcast(ByteView message, const CommandLimits& limits, Command& out) {
  RawData raw{.is_json = false};
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) {
      std::string_view channel;
      fields.text(channel);
      add_channel(channel, limits, out);
    } else {
      read_publish_field(fields, limits, raw, out);
    }
  }
  finish_publish(raw, limits, out);
  finish_broadcast(out);
  return fields.good();
}

bool protobuf_history(ByteView message, const CommandLimits&, Command& out) {
  HistoryFields& history = out.history;
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) read_channel(fields, out);
    if (fields.number() == 2) {
      int32_t limit = 0;
      fields.number(limit);
      history.limit = limit;
    }
    if (fields.number() == 3) {
      history.has_since = true;
      read_position(fields, history.since_offset, history.since_epoch);
    }
    if (fields.number() == 4) fields.number(history.reverse);
  }
  finish_history(out);
  return fields.good();
}

bool protobuf_channel_only(ByteView message, const CommandLimits&, Command& out) {
  Fields fields(message);
  while (fields.next())
    if (fields.number() == 1) read_channel(fields, out);
  finish_channel(out);
  return fields.good();
}

bool protobuf_channels(ByteView message, const CommandLimits&, Command& out) {
  Fields fields(message);
  while (fields.next())
    if (fields.number() == 1) fields.text(out.pattern);
  finish_channels(out);
  return fields.good();
}

bool protobuf_none(ByteView, const CommandLimits&, Command& out) {
  out.channels.emplace_back();
  out.error = ApiError::kNotAvailable;
  return true;
}

bool protobuf_nothing(ByteView message, const CommandLimits&, Command& out) {
  out.channels.emplace_back();
  Fields fields(message);
  while (fields.next()) continue;
  return fields.good();
}

bool protobuf_subscribe(ByteView message, const CommandLimits& limits, Command& out) {
  Control control{.kind = Control::Kind::kSubscribe};
  RawControl raw;
  Fields fields(message);
  while (fields.next()) read_subscribe_field(fields, raw, control);
  finish_control(raw, std::move(control), limits, out);
  return fields.good();
}

bool protobuf_unsubscribe(ByteView message, const CommandLimits& limits, Command& out) {
  Control control{.kind = Control::Kind::kUnsubscribe};
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) fields.text(control.channel);
    if (fields.number() == 2) fields.text(control.user);
    if (fields.number() == 3) fields.text(control.client);
    if (fields.number() == 4) fields.text(control.session);
  }
  finish_control({}, std::move(control), limits, out);
  return fields.good();
}

bool protobuf_disconnect(ByteView message, const CommandLimits& limits, Command& out) {
  Control control{.kind = Control::Kind::kDisconnect};
  RawControl raw;
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) fields.text(control.user);
    if (fields.number() == 2) read_disconnect(fields, raw, control);
    if (fields.number() == 3) fields.text(control.client);
    if (fields.number() == 4 && control.whitelist.size() <= limits.whitelist)
      fields.text(control.whitelist.emplace_back());
    if (fields.number() == 5) fields.text(control.session);
  }
  finish_control(raw, std::move(control), limits, out);
  return fields.good();
}

bool protobuf_refresh(ByteView message, const CommandLimits& limits, Command& out) {
  Control control{.kind = Control::Kind::kRefresh};
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) fields.text(control.user);
    if (fields.number() == 2) fields.text(control.client);
    if (fields.number() == 3) fields.number(control.expired);
    if (fields.number() == 4) fields.number(control.expire_at);
    if (fields.number() == 5) read_json(fields, control.info.emplace());
    if (fields.number() == 6) fields.text(control.session);
  }
  finish_control({}, std::move(control), limits, out);
  return fields.good();
}

std::optional<CommandList> decode_protobuf_request(std::string_view method_name, ByteView body,
                                                   const CommandLimits& limits) {
  CommandList list;
  const Method* method = find_method(method_name);
  if (method == nullptr && method_name != "batch") {
    list.error = ApiError::kNotFound;
    return list;
  }
  if (method == nullptr)
    return decode_batch(body, limits, list) ? std::optional(std::move(list)) : std::nullopt;
  Command& command = list.commands.emplace_back();
  command.method = method;
  if (!method->decode_protobuf(body, limits, command)) return std::nullopt;
  list.error = command.error;
  return list;
}

}  // namespace parley::http_api
