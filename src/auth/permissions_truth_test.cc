// The whole truth table, against a reference that follows the written order of decisions step by
// step, with none of the production code.
#include <algorithm>
#include <array>
#include <cctype>

#include <gtest/gtest.h>

#include "auth/capabilities.h"
#include "auth/permissions.h"

namespace parley::auth {
namespace {

struct Case {
  std::string user, channel;
  Verb verb;
  bool subscribed, token, insecure, personal;
  // Which of the verbs, in their order, a token of each kind allows; its patterns match every
  // channel of ns3, ns5 and ns7.
  uint32_t caps = 0, allow = 0;
};

// Splits the way a person would: "$"? namespace ":" rest, and users behind the last "#".
struct Parts {
  bool is_private = false;
  bool has_users = false;
  std::string name_space;
  std::string rest;
  std::vector<std::string> users;
};

Parts split(const std::string& channel) {
  Parts parts{.is_private = channel[0] == '$', .rest = channel};
  std::string user;
  size_t colons = 0;
  for (size_t i = parts.is_private ? 1 : 0; i < channel.size(); ++i) {
    const char c = channel[i];
    if (c == ':' && colons++ == 0) {
      parts.name_space = channel.substr(parts.is_private ? 1 : 0, i - (parts.is_private ? 1 : 0));
      parts.rest = channel.substr(i + 1);
    }
    if (c == '#') {
      parts.has_users = true;
      parts.users.clear();
    } else if (parts.has_users && c == ',') {
      parts.users.push_back(user);
    }
    user = c == '#' || c == ',' ? "" : user + c;
  }
  if (parts.has_users) parts.users.push_back(user);
  return parts;
}

// The one channel_regex of this test, by hand: letters, and then perhaps users.
constexpr const char* kRegex = "^[a-z]+(#[0-9,]*)?$";
bool regex_takes(const std::string& rest) {
  size_t at = 0;
  while (at < rest.size() && std::islower(static_cast<unsigned char>(rest[at]))) ++at;
  if (at == 0) return false;
  if (at == rest.size()) return true;
  return rest[at] == '#' && rest.find_first_not_of("0123456789,", at + 1) == rest.npos;
}

Verdict reference(const PermissionOptions* options, const Parts& parts, const Case& c) {
  if (c.channel.size() > 255) return Verdict::kBadName;
  if (options == nullptr) return Verdict::kUnknownChannel;
  if (options->channel_regex.empty()) {
    for (const char byte : c.channel)
      if (!std::isprint(static_cast<unsigned char>(byte))) return Verdict::kBadName;
  } else if (!regex_takes(parts.rest)) {
    return Verdict::kBadName;
  }
  const bool anonymous = c.user.empty();
  const uint32_t wanted = 1u << (c.verb == Verb::kJoinLeave ? 2 : static_cast<uint32_t>(c.verb));
  const bool in_caps =
      !parts.is_private &&
      (parts.name_space == "ns3" || parts.name_space == "ns5" || parts.name_space == "ns7") &&
      (c.caps & wanted) != 0 &&
      (!(options->allow_user_limited_channels || (c.personal && parts.name_space == "ns5")) ||
       !parts.has_users ||
       (!anonymous && std::ranges::find(parts.users, c.user) != parts.users.end()));
  const auto deny_unless = [](bool may) { return may ? Verdict::kAllow : Verdict::kDeny; };
  if (c.verb == Verb::kSubscribe) {
    if (parts.is_private && !c.token) return Verdict::kDeny;
    if (c.token) return Verdict::kAllow;
    const bool limited = options->allow_user_limited_channels && parts.has_users;
    if (limited && !anonymous)
      for (const std::string& user : parts.users)
        if (user == c.user) return Verdict::kAllow;
    if (!limited && options->allow_subscribe_for_client &&
        (!anonymous || options->allow_subscribe_for_anonymous))
      return Verdict::kAllow;
    if (in_caps) return Verdict::kAllow;
    return deny_unless(c.insecure);
  }
  bool client = options->allow_publish_for_client;
  bool subscriber = options->allow_publish_for_subscriber;
  bool guest = options->allow_publish_for_anonymous;
  if (c.verb == Verb::kPresence) {
    if (!options->presence) return Verdict::kNotAvailable;
    client = options->allow_presence_for_client;
    subscriber = options->allow_presence_for_subscriber;
    guest = options->allow_presence_for_anonymous;
  } else if (c.verb == Verb::kJoinLeave) {
    if (!options->join_leave) return Verdict::kNotAvailable;
    client = options->allow_presence_for_client;
    subscriber = options->allow_presence_for_subscriber;
    guest = options->allow_presence_for_anonymous;
  } else if (c.verb == Verb::kHistory) {
    if (!options->history) return Verdict::kNotAvailable;
    client = options->allow_history_for_client;
    subscriber = options->allow_history_for_subscriber;
    guest = options->allow_history_for_anonymous;
  }
  if (client && (!anonymous || guest)) return Verdict::kAllow;
  if (subscriber && c.subscribed && (!anonymous || guest)) return Verdict::kAllow;
  if (in_caps || (c.allow & wanted) != 0) return Verdict::kAllow;
  return deny_unless(c.insecure);
}

// Bit i of `bits` is the i-th switch: 16 namespaces cover each of them on and off in many mixtures.
PermissionOptions mixture(const std::string& name, uint32_t bits) {
  PermissionOptions options{.name = name};
  bool PermissionOptions::* const switches[] = {&PermissionOptions::allow_subscribe_for_client,
                                                &PermissionOptions::allow_subscribe_for_anonymous,
                                                &PermissionOptions::allow_publish_for_client,
                                                &PermissionOptions::allow_publish_for_subscriber,
                                                &PermissionOptions::allow_publish_for_anonymous,
                                                &PermissionOptions::allow_presence_for_client,
                                                &PermissionOptions::allow_presence_for_subscriber,
                                                &PermissionOptions::allow_presence_for_anonymous,
                                                &PermissionOptions::allow_history_for_client,
                                                &PermissionOptions::allow_history_for_subscriber,
                                                &PermissionOptions::allow_history_for_anonymous,
                                                &PermissionOptions::allow_user_limited_channels,
                                                &PermissionOptions::presence,
                                                &PermissionOptions::history};
  for (size_t i = 0; i < std::size(switches); ++i) options.*switches[i] = (bits >> i & 1) != 0;
  if ((bits >> 14 & 1) != 0) options.channel_regex = kRegex;
  options.join_leave = (bits >> 15 & 1) != 0;
  return options;
}

constexpr const char* kVerbNames[] = {"sub", "pub", "prs", "hst"};

CapabilitySet set_of(uint32_t verbs) {
  CapabilitySet set;
  for (size_t i = 0; i < 4; ++i)
    if ((verbs >> i & 1) != 0) set.add(kVerbNames[i]);
  return set;
}

Capabilities::Ptr caps_of(uint32_t verbs, RegexPool& pool) {
  if (verbs == 0) return nullptr;
  return *Capabilities::build(
      {{.channels = {"ns3"}, .allow = set_of(15)},
       {.match = ChannelMatch::kWildcard, .channels = {"ns3:*", "$ns3:*"}, .allow = set_of(verbs)},
       {.match = ChannelMatch::kRegex, .channels = {"(?s)\\$?ns[57]:.*"}, .allow = set_of(verbs)},
       {.match = ChannelMatch::kWildcard, .channels = {"ns3:*", "ns5:*"}, .allow = set_of(15)}},
      pool);
}

TEST(PermissionsTruth, EveryVerdictFollowsTheWrittenOrder) {
  PermissionRules rules;
  std::vector<std::string> spaces = {"", "nowhere"};
  rules.without_namespace = mixture("", 0x1a5b);
  for (uint32_t i = 0; i < 16; ++i) {
    spaces.push_back("ns" + std::to_string(i));
    rules.namespaces.push_back(mixture(spaces.back(), i * 0x9e37u ^ i * i << 5));
  }
  const auto options_of = [&](const std::string& name) -> const PermissionOptions* {
    if (name.empty()) return &rules.without_namespace;
    for (const PermissionOptions& options : rules.namespaces)
      if (options.name == name) return &options;
    return nullptr;
  };
  const std::string endings[] = {"room", "room#1", "room#1,2",    "#2",   "r#1#2",
                                 "#",    "ROOM",   "caf\xc3\xa9", "a\tb", std::string(260, 'a')};
  std::array<int, 5> seen{};
  RegexPool pool;
  std::array<Capabilities::Ptr, 16> caps;
  for (uint32_t verbs = 0; verbs < caps.size(); ++verbs) caps[verbs] = caps_of(verbs, pool);
  // Personal channels are in a namespace that does not mind "#" for anything else.
  rules.personal_channel_namespace = "ns5";
  ASSERT_FALSE(options_of("ns5")->allow_user_limited_channels);
  constexpr bool kServers[][2] = {{false, false}, {false, true}, {true, false}};
  for (const auto& [insecure, personal] : kServers) {
    rules.connect.insecure = insecure;
    rules.connect.personal_channel = personal;
    const auto permissions = Permissions::build(rules);
    ASSERT_TRUE(permissions.has_value()) << permissions.error().message;
    for (const std::string& space : spaces)
      for (const std::string& ending : endings)
        for (const char* prefix : {"", "$"})
          for (const char* user : {"", "1", "2"})
            for (int row = 0; row < (insecure ? 20 : 20 * 5); ++row) {
              constexpr uint32_t kMixtures[5][2] = {{0, 0}, {0, 6}, {1, 4}, {14, 0}, {11, 9}};
              const auto& [by_caps, by_subscription] = kMixtures[row / 20];
              const Case c{.user = user,
                           .channel = prefix + (space.empty() ? ending : space + ":" + ending),
                           .verb = static_cast<Verb>(row % 5),
                           .subscribed = row / 5 % 2 != 0,
                           .token = row / 10 % 2 != 0,
                           .insecure = insecure,
                           .personal = personal,
                           .caps = by_caps,
                           .allow = by_subscription};
              const Parts parts = split(c.channel);
              const Verdict expected = reference(options_of(parts.name_space), parts, c);
              ++seen[static_cast<size_t>(expected)];
              ASSERT_EQ(
                  (*permissions)
                      ->check(
                          {.user = c.user, .info = "", .caps = caps[c.caps]}, c.channel, c.verb,
                          {.subscribed = c.subscribed, .token = c.token, .allow = set_of(c.allow)}),
                  expected)
                  << "user \"" << c.user << "\" channel \"" << c.channel << "\" verb " << (row % 5)
                  << " subscribed " << c.subscribed << " token " << c.token << " insecure "
                  << c.insecure << " caps " << c.caps << " allow " << c.allow;
            }
  }
  for (const int rows : seen) EXPECT_GT(rows, 500);
}

}  // namespace
}  // namespace parley::auth
