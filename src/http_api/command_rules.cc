#include "http_api/command_rules.h"

#include "auth/access.h"
#include "base/base64.h"
#include "codec/json/validate.h"

namespace parley::http_api {
namespace {

using hub::Control;

constexpr uint32_t kForceDisconnect = 3503;
constexpr std::string_view kForceDisconnectReason = "force disconnect";
// What a WebSocket close frame can carry, of the codes that are free to use.
constexpr uint32_t kMinCode = 3000;
constexpr uint32_t kMaxCode = 4999;
constexpr size_t kMaxReason = 123;

// Bytes of which nobody said so are binary, unless they are a JSON object or array: Centrifugo has
// no kinds, and its callers send JSON this way too. No other format looks like that by accident.
hub::ContentKind kind_of(ByteView bytes) {
  const bool container = !bytes.empty() && (bytes.front() == '{' || bytes.front() == '[');
  return container && codec::json::is_valid(bytes) ? hub::ContentKind::kJson
                                                   : hub::ContentKind::kBinary;
}

// Base64 wins when there is any. What it holds goes into JSON, so it must be some.
bool settle_json(std::string_view base64, Buffer& out) {
  if (base64.empty()) return out.empty() || codec::json::is_valid(out);
  auto bytes = decode_base64(base64);
  if (!bytes || !codec::json::is_valid(*bytes)) return false;
  out = std::move(*bytes);
  return true;
}

bool settle_subscribe(const RawControl& raw, Control& control) {
  if (!raw.info64.empty() && !control.info) control.info.emplace();
  return (!control.info || settle_json(raw.info64, *control.info)) &&
         settle_json(raw.data64, control.data) && auth::may_be_channel_name(control.channel);
}

bool settle_disconnect(const RawControl& raw, const CommandLimits& limits, Control& control) {
  const bool unsaid = raw.code == 0 && control.reason.empty();
  const uint32_t code = unsaid ? kForceDisconnect : raw.code;
  if (unsaid) control.reason = kForceDisconnectReason;
  control.code = static_cast<uint16_t>(code);
  return code >= kMinCode && code <= kMaxCode && control.reason.size() <= kMaxReason &&
         control.whitelist.size() <= limits.whitelist;
}

bool settle(const RawControl& raw, const CommandLimits& limits, Control& control) {
  switch (control.kind) {
    case Control::Kind::kSubscribe:
      return settle_subscribe(raw, control);
    case Control::Kind::kUnsubscribe:
      return control.channel.empty() || auth::may_be_channel_name(control.channel);
    case Control::Kind::kDisconnect:
      return settle_disconnect(raw, limits, control);
    case Control::Kind::kRefresh:
    case Control::Kind::kSupersede:  // no command asks for it
    case Control::Kind::kBlock:      // these have rules of their own
    case Control::Kind::kUnblock:
    case Control::Kind::kRevoke:
    case Control::Kind::kInvalidate:
    case Control::Kind::kList:
      break;
  }
  return !control.info || settle_json({}, *control.info);
}

}  // namespace

void finish_publish(const RawData& raw, const CommandLimits& limits, Command& out) {
  PublishFields& publish = out.publish;
  if (!raw.base64.empty()) {
    if (auto bytes = decode_base64(raw.base64)) publish.data = std::move(*bytes);
    if (publish.data.empty()) out.error = ApiError::kBadRequest;
    publish.kind = kind_of(publish.data);
  } else {
    publish.data = raw.data;
    // Whether no data at all will do is for the channel's namespace to say.
    const bool json = raw.is_json ? !raw.data.empty() : codec::json::is_valid(raw.data);
    publish.kind = json ? hub::ContentKind::kJson : hub::ContentKind::kBinary;
  }
  if (publish.idempotency_key.size() > limits.idempotency_key_bytes ||
      publish.version_epoch.size() > limits.version_epoch_bytes)
    out.error = ApiError::kBadRequest;
}

void finish_control(const RawControl& raw, Control control, const CommandLimits& limits,
                    Command& out) {
  if (!settle(raw, limits, control)) out.error = ApiError::kBadRequest;
  out.channels = {control.channel};
  out.control = std::make_shared<const Control>(std::move(control));
}

void finish_remembered(Control control, const CommandLimits& limits, Command& out) {
  const bool of_token = control.kind == Control::Kind::kRevoke;
  const std::string& id = of_token ? control.token : control.user;
  const bool channel_fits = control.channel.empty() || auth::may_be_channel_name(control.channel);
  if (id.empty() || id.size() > limits.id_bytes || !channel_fits || control.expire_at < 0 ||
      control.issued_before < 0)
    out.error = ApiError::kBadRequest;
  out.channels = {control.channel};
  out.control = std::make_shared<const Control>(std::move(control));
}

void finish_connections(Control control, const CommandLimits& limits, Command& out) {
  if (control.most > limits.connections) out.error = ApiError::kBadRequest;
  if (control.most == 0) control.most = limits.connections;
  out.channels.emplace_back();
  out.control = std::make_shared<const Control>(std::move(control));
}

void add_user(std::string_view user, const CommandLimits& limits, Command& out,
              std::vector<std::string>& users) {
  if (user.empty() || user.size() > limits.id_bytes || users.size() == limits.users) {
    out.error = ApiError::kBadRequest;
  } else {
    users.emplace_back(user);
  }
}

void finish_users(std::vector<std::string> users, Command& out) {
  if (users.empty()) out.error = ApiError::kBadRequest;
  out.channels.emplace_back();
  out.users = std::make_shared<const std::vector<std::string>>(std::move(users));
}

void add_tag(std::string_view name, std::string_view value, const CommandLimits& limits,
             Command& out) {
  if (out.publish.tags.size() == limits.tags) {
    out.error = ApiError::kBadRequest;
  } else {
    out.publish.tags.emplace_back(name, value);
  }
}

void add_channel(std::string_view channel, const CommandLimits& limits, Command& out) {
  if (out.channels.size() == limits.channels) {
    out.error = ApiError::kBadRequest;
  } else {
    out.channels.emplace_back(channel);
  }
}

void finish_channel(Command& out) {
  if (out.channels.empty()) out.channels.emplace_back();
  if (!auth::may_be_channel_name(out.channels.front())) out.error = ApiError::kBadRequest;
}

void finish_broadcast(Command& out) {
  if (out.channels.empty()) out.error = ApiError::kBadRequest;
}

void finish_history(Command& out) {
  finish_channel(out);
  if (out.history.reverse && out.history.has_since && out.history.since_offset == 0)
    out.error = ApiError::kBadRequest;
}

void finish_channels(Command& out) {
  out.channels.emplace_back();
  // The hub's globs know * and ? only; taken literally, the others would match the wrong channels.
  if (out.pattern.find_first_of("[{\\") != std::string::npos) out.error = ApiError::kBadRequest;
}

}  // namespace parley::http_api
