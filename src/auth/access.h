// Who a session is and what it may do: one model for every protocol and the server API.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/capability_set.h"

namespace parley::auth {

class Capabilities;

struct Principal {
  std::string user;  // "" is anonymous
  std::string info;  // JSON about the connection, shown to others; may be empty
  std::shared_ptr<const Capabilities> caps;  // of the token; null: none
};

enum class Verdict : uint8_t {
  kAllow,
  kDeny,            // the channel exists, but this principal may not
  kUnknownChannel,  // no namespace of that name
  kBadName,         // no channel can have this name
  kNotAvailable,    // the channel's namespace has the feature off, for everybody
};

// What a session already holds in the channel that it asks about.
struct Standing {
  bool subscribed = false;
  bool token = false;   // kSubscribe: shows a valid subscription token for this channel and user
  CapabilitySet allow;  // what the token of its subscription allows
};

// Who may connect at all, and as whom.
struct ConnectRules {
  bool anonymous = false;          // without a token, as user ""
  bool insecure = false;           // everybody may do everything that the namespaces have
  bool anonymous_tokens = true;    // a token for user "" is taken
  std::string user_header;         // the HTTP header that names the user; "": none is believed
  bool personal_channel = false;   // each user is subscribed to a channel of its own on connect
  bool single_connection = false;  // ... and an older connection of the user is ended
};

// What: decides user x channel x verb. The same verdict over every protocol. Owner: server;
// immutable, or changed between turns only. Shard: any.
class Access {
 public:
  virtual ~Access() = default;
  Verdict check(const Principal& who, std::string_view channel, Verb verb,
                Standing standing = {}) const {
    return decide(who, channel, verb, standing);
  }
  // Whether a channel can have this name, or the namespace is not known: who passes the
  // permissions, as the server API does, still has to name things rightly.
  bool has_name(std::string_view channel) const {
    return check({}, channel, Verb::kSubscribe, {.token = true}) != Verdict::kBadName;
  }
  virtual const ConnectRules& connect() const = 0;
  // The channel that the user is subscribed to on connect; "" where it is not, or for user "".
  virtual std::string personal_channel(const Principal& who) const = 0;

  // Whether someone who shows no token may connect, as the anonymous principal.
  bool anonymous_may_connect() const { return connect().anonymous || connect().insecure; }

 private:
  virtual Verdict decide(const Principal& who, std::string_view channel, Verb verb,
                         Standing standing) const = 0;
};

// The limit of every protocol; config key channel.max_length.
inline constexpr size_t kMaxChannelLength = 255;

// 1 to kMaxChannelLength bytes of printable ASCII (config key channel.max_length; the names of all
// protocols meet here).
bool is_channel_name(std::string_view name);
bool is_printable_ascii(std::string_view text);

// What some namespace may allow as a name: 1 to kMaxChannelLength bytes of UTF-8 without control
// characters. Whether its own does is for Access::has_name.
bool may_be_channel_name(std::string_view name);

// `parley dev`: everything is allowed. Never in production.
class OpenAccess final : public Access {
 public:
  const ConnectRules& connect() const override { return rules_; }
  std::string personal_channel(const Principal&) const override { return {}; }

 private:
  Verdict decide(const Principal& who, std::string_view channel, Verb verb,
                 Standing standing) const override;
  ConnectRules rules_{.anonymous = true};
};

// Deny by default: what `parley serve` does where nothing is configured.
class ClosedAccess final : public Access {
 public:
  const ConnectRules& connect() const override { return rules_; }
  std::string personal_channel(const Principal&) const override { return {}; }

 private:
  Verdict decide(const Principal& who, std::string_view channel, Verb verb,
                 Standing standing) const override;
  ConnectRules rules_;
};

}  // namespace parley::auth
