// Who a session is and what it may do: one model for every protocol and the server API.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parley::auth {

struct Principal {
  std::string user;  // "" is anonymous
  std::string info;  // JSON about the connection, shown to others; may be empty
};

enum class Verb : uint8_t { kSubscribe, kPublish, kPresence, kHistory };

enum class Verdict : uint8_t {
  kAllow,
  kDeny,            // the channel exists, but this principal may not
  kUnknownChannel,  // no namespace of that name
  kBadName,         // no channel can have this name
};

// What: decides user x channel x verb. The same verdict over every protocol. Owner: server;
// immutable. Shard: any.
class Access {
 public:
  virtual ~Access() = default;
  virtual Verdict check(const Principal& who, std::string_view channel, Verb verb) const = 0;
  // Whether someone who shows no token may connect at all, as the anonymous principal.
  virtual bool anonymous_may_connect() const = 0;
};

// The limit of every protocol; config key channel.max_length.
inline constexpr size_t kMaxChannelLength = 255;

// 1 to kMaxChannelLength bytes of printable ASCII (config key channel.max_length; the names of all
// protocols meet here).
bool is_channel_name(std::string_view name);

// `parley dev`: everything is allowed. Never in production.
class OpenAccess final : public Access {
 public:
  Verdict check(const Principal& who, std::string_view channel, Verb verb) const override;
  bool anonymous_may_connect() const override { return true; }
};

// Deny by default: what `parley serve` does where nothing is configured.
class ClosedAccess final : public Access {
 public:
  Verdict check(const Principal& who, std::string_view channel, Verb verb) const override;
  bool anonymous_may_connect() const override { return false; }
};

}  // namespace parley::auth
