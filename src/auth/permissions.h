// Who may do what, as the configuration's namespaces say.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "auth/access.h"
#include "auth/channel_syntax.h"
#include "base/hash.h"
#include "base/result.h"

namespace re2 {
class RE2;
}

namespace parley::auth {

// What one namespace allows; named like its configuration keys. "client" is any session with a
// user, "subscriber" one that is subscribed to the channel; someone anonymous needs "anonymous"
// besides.
struct PermissionOptions {
  std::string name;  // "" for channels without a namespace
  bool allow_subscribe_for_client = false;
  bool allow_subscribe_for_anonymous = false;
  bool allow_publish_for_client = false;
  bool allow_publish_for_subscriber = false;
  bool allow_publish_for_anonymous = false;
  bool allow_presence_for_client = false;
  bool allow_presence_for_subscriber = false;
  bool allow_presence_for_anonymous = false;
  bool allow_history_for_client = false;
  bool allow_history_for_subscriber = false;
  bool allow_history_for_anonymous = false;
  bool allow_user_limited_channels = false;
  // RE2, found anywhere in the name behind the namespace boundary (so: ^ and $ for all of it). With
  // one, names may be any UTF-8 without control characters; without one, printable ASCII.
  std::string channel_regex;
  // What the namespace has at all: asked before any of the above.
  bool presence = false;
  bool join_leave = false;
  bool history = false;
};

struct PermissionRules {
  ChannelSyntax syntax;
  PermissionOptions without_namespace;
  std::vector<PermissionOptions> namespaces;
  ConnectRules connect;
  std::string personal_channel_namespace;  // "": the personal channel has no namespace
};

// What: the verdicts of a configuration, in the order of Centrifugo's (its channel permission
// model). Owner: server; immutable, replaced as a whole on reload. Shard: any. Failure: none after
// build(), which refuses rules that cannot be meant.
class Permissions final : public Access {
 public:
  static Result<std::unique_ptr<Permissions>> build(PermissionRules rules);
  ~Permissions() override;

  const ConnectRules& connect() const override { return connect_; }
  // "" also for a user whose id would make it somebody else's channel, or no name at all.
  std::string personal_channel(const Principal& who) const override;

 private:
  struct Namespace {
    PermissionOptions options;
    std::unique_ptr<re2::RE2> regex;
  };
  using Namespaces = std::unordered_map<std::string, Namespace, SeededHash, std::equal_to<>>;

  explicit Permissions(PermissionRules& rules);
  Result<void> add(PermissionOptions&& options);
  Verdict decide(const Principal& who, std::string_view channel, Verb verb,
                 Standing standing) const override;
  Verdict decide_subscribe(const Principal& who, const ChannelName& name,
                           const PermissionOptions& options, Standing standing) const;
  static bool permits_name(const Namespace& ns, std::string_view channel, std::string_view rest);
  // Null: there is none of that name.
  const Namespace* find(std::string_view name_space) const;

  ChannelSyntax syntax_;
  ConnectRules connect_;
  std::string personal_namespace_;
  Namespaces namespaces_;
  const Namespace* without_namespace_ = nullptr;  // in `namespaces_`
};

}  // namespace parley::auth
