// Channel names and Authorization headers from anybody: how a name is read, and who may subscribe.
#include <algorithm>
#include <cstdlib>

#include "auth/bearer.h"
#include "auth/permissions.h"
#include "base/utf8.h"

namespace {

using namespace parley;
using namespace parley::auth;

void require(bool condition) {
  if (!condition) std::abort();
}

PermissionRules rules() {
  PermissionRules made;
  made.without_namespace.allow_user_limited_channels = true;
  PermissionOptions chat{.name = "chat", .allow_subscribe_for_client = true};
  PermissionOptions words{.name = "words",
                          .allow_subscribe_for_client = true,
                          .allow_subscribe_for_anonymous = true,
                          .channel_regex = "^[^x]+$"};
  made.namespaces = {chat, words};
  return made;
}

void check_parts(const ChannelSyntax& syntax, std::string_view channel, std::string_view user) {
  const ChannelName name = parse_channel(syntax, channel);
  require(channel.ends_with(name.rest) && channel.ends_with(name.users));
  require(name.is_private ==
          (!syntax.private_prefix.empty() && channel.starts_with(syntax.private_prefix)));
  if (!name.lists(user)) return;
  require(name.user_limited && !user.empty() && name.users.find(user) != name.users.npos);
}

void check_verdicts(const Permissions& permissions, std::string_view channel,
                    const std::string& user) {
  const Verdict verdict = permissions.check({.user = user}, channel, Verb::kSubscribe);
  if (verdict == Verdict::kAllow) {
    require(!channel.starts_with('$') && may_be_channel_name(channel) &&
            permissions.has_name(channel));
    require(!user.empty() || channel.starts_with("words:"));
  }
  if (verdict == Verdict::kBadName) require(!permissions.has_name(channel));
  // Whom a token names is let in wherever there can be a channel at all.
  const Verdict shown =
      permissions.check({.user = user}, channel, Verb::kSubscribe, {.token = true});
  require(shown != Verdict::kDeny && shown != Verdict::kNotAvailable);
}

}  // namespace

// Byte 0: where the user ends. The rest: the user, then the channel.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto permissions = Permissions::build(rules());
  require(permissions.has_value());
  if (size == 0) return 0;
  const ByteView text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t border = std::min<size_t>(data[0], text.size());
  const std::string user(text.substr(0, border));
  const std::string_view channel = text.substr(border);
  check_parts({}, channel, user);
  check_parts({"", "", "", ""}, channel, user);
  check_parts({"::", ":", "#", "##"}, channel, user);
  check_verdicts(**permissions, channel, user);

  const std::string_view token = bearer_token(channel);
  require(channel.ends_with(token) && !token.starts_with(' '));
  if (!token.empty()) require(channel.size() >= token.size() + 7);
  return 0;
}
