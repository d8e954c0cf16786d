// Centrifuge commands as text, to compare those of one encoding with those of another.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "codec/centrifuge/commands.h"

namespace parley::testing {

namespace wire = codec::centrifuge;

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    uint8_t byte = 0;
    std::from_chars(&hex[i], &hex[i] + 2, byte, 16);
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

inline std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return hex;
}

inline std::string describe(const wire::FilterNode& node) {
  std::string text = fmt::format("({} {} {} {} vals", node.op, node.key, node.cmp, node.val);
  for (const auto val : node.vals) text += fmt::format(" {}", val);
  for (const auto& child : node.nodes) text += describe(child);
  return text + ")";
}

inline std::string describe(wire::Pong) { return "pong"; }
inline std::string describe(wire::UnknownRequest) { return "unknown"; }

inline std::string describe(const wire::SubscribeRequest& r) {
  return fmt::format(
      "subscribe {} token={} epoch={} delta={} cursor={} data={} {} flag={} type={} "
      "phase={} limit={} {} {} {} {} {} tf={}",
      r.channel, r.token, r.epoch, r.delta, r.cursor, r.data, r.offset, r.flag, r.type, r.phase,
      r.limit, r.recover, r.positioned, r.recoverable, r.join_leave, r.asc,
      r.tf ? describe(*r.tf) : "none");
}

inline std::string describe(const wire::ConnectRequest& r) {
  std::string text = fmt::format("connect {} name={} version={} dict={} profile={} data={} flag={}",
                                 r.token, r.name, r.version, r.dict, r.profile, r.data, r.flag);
  for (const auto& [channel, sub] : r.subs)
    text += fmt::format(" [{}: {}]", channel, describe(sub));
  for (const auto& [name, value] : r.headers) text += fmt::format(" [{}: {}]", name, value);
  return text;
}

inline std::string describe(const wire::UnsubscribeRequest& r) {
  return fmt::format("unsubscribe {}", r.channel);
}
inline std::string describe(const wire::PublishRequest& r) {
  return fmt::format("publish {} key={} data={} type={} {}", r.channel, r.key, r.data, r.type,
                     r.removed);
}
inline std::string describe(const wire::PresenceRequest& r) {
  return fmt::format("presence {}", r.channel);
}
inline std::string describe(const wire::PresenceStatsRequest& r) {
  return fmt::format("presence_stats {}", r.channel);
}
inline std::string describe(const wire::HistoryRequest& r) {
  return fmt::format("history {} {} {} limit={} {}", r.channel, r.since ? r.since->offset : 0,
                     r.since ? r.since->epoch : "none", r.limit, r.reverse);
}
inline std::string describe(const wire::RpcRequest& r) {
  return fmt::format("rpc {} data={}", r.method, r.data);
}
inline std::string describe(const wire::SendRequest& r) {
  return fmt::format("send data={}", r.data);
}
inline std::string describe(const wire::RefreshRequest& r) {
  return fmt::format("refresh {}", r.token);
}
inline std::string describe(const wire::SubRefreshRequest& r) {
  std::string text = fmt::format("sub_refresh {} token={} type={}", r.channel, r.token, r.type);
  for (const auto& batch : r.track) {
    text += fmt::format(" [{}", batch.signature);
    for (const auto& item : batch.items) text += fmt::format(" {}@{}", item.key, item.version);
    text += "]";
  }
  for (const auto key : r.untrack) text += fmt::format(" -{}", key);
  return text;
}

inline std::string describe(const wire::Command& command) {
  const auto request = [](const auto& r) { return describe(r); };
  return fmt::format("{} {}", command.id, std::visit(request, command.request));
}

}  // namespace parley::testing
