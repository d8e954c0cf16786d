#include "auth/permissions.h"

#include <set>

#include <gmock/gmock.h>

namespace parley::auth {
namespace {

using enum Verb;
using enum Verdict;
using ::testing::HasSubstr;

PermissionRules example_rules() {
  PermissionRules rules;
  rules.without_namespace.allow_subscribe_for_client = true;
  rules.namespaces = {
      {.name = "closed", .presence = true, .history = true},
      {.name = "open",
       .allow_subscribe_for_client = true,
       .allow_subscribe_for_anonymous = true,
       .allow_publish_for_client = true,
       .allow_publish_for_anonymous = true,
       .allow_presence_for_client = true,
       .allow_presence_for_anonymous = true,
       .allow_history_for_client = true,
       .allow_history_for_anonymous = true,
       .presence = true,
       .history = true},
      {.name = "members",
       .allow_subscribe_for_client = true,
       .allow_publish_for_subscriber = true,
       .allow_presence_for_subscriber = true,
       .allow_history_for_subscriber = true,
       .presence = true,
       .join_leave = true,
       .history = true},
      {.name = "guests",
       .allow_subscribe_for_anonymous = true,
       .allow_publish_for_subscriber = true,
       .allow_publish_for_anonymous = true,
       .allow_presence_for_anonymous = true,
       .allow_history_for_client = true,
       .history = true},
      {.name = "users", .allow_subscribe_for_client = true, .allow_user_limited_channels = true},
      {.name = "city", .allow_subscribe_for_client = true, .channel_regex = "^\\pL+$"},
  };
  return rules;
}

std::unique_ptr<Permissions> built(PermissionRules rules) {
  auto result = Permissions::build(std::move(rules));
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  return result ? std::move(*result) : nullptr;
}

std::string error_of(PermissionRules rules) {
  const auto result = Permissions::build(std::move(rules));
  return result ? "" : result.error().message;
}

struct Row {
  const char* user;
  const char* channel;
  Verb verb;
  Standing standing;
  Verdict verdict;
};

constexpr Standing kNothing{};
constexpr Standing kJoined{.subscribed = true};
constexpr Standing kToken{.token = true};

void expect_rows(const Permissions& permissions, std::initializer_list<Row> rows) {
  for (const Row& row : rows)
    EXPECT_EQ(permissions.check({.user = row.user}, row.channel, row.verb, row.standing),
              row.verdict)
        << "user \"" << row.user << "\" channel \"" << row.channel << "\" verb "
        << static_cast<int>(row.verb) << " subscribed " << row.standing.subscribed << " token "
        << row.standing.token;
}

TEST(Permissions, DecideSubscribe) {
  expect_rows(*built(example_rules()), {
                                           {"7", "news", kSubscribe, kNothing, kAllow},
                                           {"", "news", kSubscribe, kNothing, kDeny},
                                           {"", "news", kSubscribe, kToken, kAllow},
                                           {"7", ":news", kSubscribe, kNothing, kAllow},
                                           {"7", "other:x", kSubscribe, kNothing, kUnknownChannel},
                                           {"7", "other:x", kSubscribe, kToken, kUnknownChannel},
                                           {"7", "$other:x", kSubscribe, kNothing, kUnknownChannel},
                                           {"7", "closed:x", kSubscribe, kNothing, kDeny},
                                           {"7", "closed:x", kSubscribe, kJoined, kDeny},
                                           {"7", "closed:x", kSubscribe, kToken, kAllow},
                                           {"", "closed:x", kSubscribe, kToken, kAllow},
                                           {"", "open:x", kSubscribe, kNothing, kAllow},
                                           {"7", "open:x", kSubscribe, kNothing, kAllow},
                                           {"7", "$open:x", kSubscribe, kNothing, kDeny},
                                           {"7", "$open:x", kSubscribe, kToken, kAllow},
                                           {"7", "$news", kSubscribe, kNothing, kDeny},
                                           {"7", "$news", kSubscribe, kToken, kAllow},
                                           {"", "members:x", kSubscribe, kNothing, kDeny},
                                           {"7", "guests:x", kSubscribe, kNothing, kDeny},
                                           {"", "guests:x", kSubscribe, kNothing, kDeny},
                                           {"7", "users:x", kSubscribe, kNothing, kAllow},
                                           {"7", "users:x#7", kSubscribe, kNothing, kAllow},
                                           {"7", "users:x#7,8", kSubscribe, kNothing, kAllow},
                                           {"9", "users:x#7,8", kSubscribe, kNothing, kDeny},
                                           {"9", "users:x#7,8", kSubscribe, kToken, kAllow},
                                           {"", "users:x#", kSubscribe, kNothing, kDeny},
                                           {"7", "$users:x#7", kSubscribe, kNothing, kDeny},
                                           {"9", "open:x#7", kSubscribe, kNothing, kAllow},
                                           {"7", "closed:x#7", kSubscribe, kNothing, kDeny},
                                       });
}

TEST(Permissions, DecidePublishPresenceAndHistory) {
  expect_rows(*built(example_rules()), {
                                           {"7", "news", kPublish, kNothing, kDeny},
                                           {"7", "news", kPublish, kJoined, kDeny},
                                           {"7", "news", kPresence, kNothing, kNotAvailable},
                                           {"7", "news", kHistory, kNothing, kNotAvailable},
                                           {"7", "closed:x", kPresence, kNothing, kDeny},
                                           {"7", "closed:x", kHistory, kJoined, kDeny},
                                           {"", "open:x", kPublish, kNothing, kAllow},
                                           {"", "open:x", kPresence, kNothing, kAllow},
                                           {"", "open:x", kHistory, kNothing, kAllow},
                                           {"7", "$open:x", kPublish, kNothing, kAllow},
                                           {"7", "members:x", kPublish, kNothing, kDeny},
                                           {"7", "members:x", kPublish, kJoined, kAllow},
                                           {"", "members:x", kPublish, kJoined, kDeny},
                                           {"7", "members:x", kPublish, kToken, kDeny},
                                           {"7", "members:x", kPresence, kJoined, kAllow},
                                           {"7", "members:x", kPresence, kNothing, kDeny},
                                           {"7", "members:x", kJoinLeave, kJoined, kAllow},
                                           {"7", "members:x", kJoinLeave, kNothing, kDeny},
                                           {"", "members:x", kJoinLeave, kJoined, kDeny},
                                           {"7", "closed:x", kJoinLeave, kJoined, kNotAvailable},
                                           {"7", "members:x", kHistory, kJoined, kAllow},
                                           {"7", "members:x", kHistory, kToken, kDeny},
                                           {"", "guests:x", kPublish, kJoined, kAllow},
                                           {"", "guests:x", kPublish, kNothing, kDeny},
                                           {"", "guests:x", kPresence, kJoined, kNotAvailable},
                                           {"7", "guests:x", kHistory, kNothing, kAllow},
                                           {"", "guests:x", kHistory, kNothing, kDeny},
                                           {"7", "users:x#7", kPublish, kJoined, kDeny},
                                           {"7", "other:x", kPublish, kJoined, kUnknownChannel},
                                           {"7", "other:x", kPresence, kNothing, kUnknownChannel},
                                           {"7", "other:x", kHistory, kNothing, kUnknownChannel},
                                       });
}

TEST(Permissions, InsecureOpensWhatTheNamespacesHave) {
  PermissionRules rules = example_rules();
  rules.connect.insecure = true;
  expect_rows(*built(std::move(rules)), {
                                            {"", "closed:x", kSubscribe, kNothing, kAllow},
                                            {"", "closed:x", kPublish, kNothing, kAllow},
                                            {"", "closed:x", kPresence, kNothing, kAllow},
                                            {"", "closed:x", kHistory, kNothing, kAllow},
                                            {"", "news", kPresence, kNothing, kNotAvailable},
                                            {"", "news", kHistory, kNothing, kNotAvailable},
                                            {"", "users:x#7", kSubscribe, kNothing, kAllow},
                                            {"", "$open:x", kSubscribe, kNothing, kDeny},
                                            {"", "$open:x", kSubscribe, kToken, kAllow},
                                            {"", "other:x", kSubscribe, kNothing, kUnknownChannel},
                                            {"", "caf\xc3\xa9", kSubscribe, kNothing, kBadName},
                                        });
}

TEST(Permissions, NamesAreAsciiOrWhatTheRegexTakes) {
  const std::string longest(kMaxChannelLength, 'a'), too_long = longest + 'a';
  const std::string with_null("a\0b", 3);
  const auto permissions = built(example_rules());
  expect_rows(*permissions, {
                                {"7", longest.c_str(), kSubscribe, kNothing, kAllow},
                                {"7", too_long.c_str(), kSubscribe, kNothing, kBadName},
                                {"7", too_long.c_str(), kSubscribe, kToken, kBadName},
                                {"7", "", kSubscribe, kNothing, kBadName},
                                {"7", "", kHistory, kNothing, kBadName},
                                {"7", "caf\xc3\xa9", kSubscribe, kToken, kBadName},
                                {"7", "a\nb", kPublish, kNothing, kBadName},
                                {"7", "a\x7f", kPublish, kNothing, kBadName},
                                {"7", "city:Gen\xc3\xa8ve", kSubscribe, kNothing, kAllow},
                                {"7", "city:Gen\xc3", kSubscribe, kNothing, kBadName},
                                {"7", "city:Paris2", kSubscribe, kNothing, kBadName},
                                {"7", "city:Paris2", kSubscribe, kToken, kBadName},
                                {"7", "city:", kSubscribe, kNothing, kBadName},
                                {"7", "city:Paris\n", kSubscribe, kNothing, kBadName},
                                {"7", "$city:Paris", kSubscribe, kToken, kAllow},
                            });
  EXPECT_EQ(permissions->check({.user = "7"}, with_null, kSubscribe), kBadName);
}

TEST(Permissions, RegexIsFoundAnywhereUnlessItIsAnchored) {
  PermissionRules rules;
  rules.without_namespace = {.allow_subscribe_for_client = true, .channel_regex = "room"};
  const auto permissions = built(std::move(rules));
  EXPECT_EQ(permissions->check({.user = "7"}, "my room 1", kSubscribe), kAllow);
  EXPECT_EQ(permissions->check({.user = "7"}, "hall", kSubscribe), kBadName);
}

TEST(Permissions, PersonalChannelIsOneThatOnlyItsUserIsListedIn) {
  PermissionRules rules = example_rules();
  EXPECT_EQ(built(rules)->personal_channel({.user = "7"}), "");
  rules.connect.personal_channel = true;
  const auto plain = built(rules);
  EXPECT_EQ(plain->personal_channel({.user = "7"}), "#7");
  EXPECT_EQ(plain->personal_channel({}), "");
  for (const char* user : {"7,8", "7#8", "a:b", "caf\xc3\xa9", "a\nb"})
    EXPECT_EQ(plain->personal_channel({.user = user}), "") << user;
  EXPECT_EQ(plain->personal_channel({.user = std::string(254, 'u')}).size(), 255u);
  EXPECT_EQ(plain->personal_channel({.user = std::string(255, 'u')}), "");
  rules.personal_channel_namespace = "users";
  EXPECT_EQ(built(rules)->personal_channel({.user = "7"}), "users:#7");
  EXPECT_EQ(built(rules)->personal_channel({.user = "a:b"}), "users:#a:b");
  rules.personal_channel_namespace = "nowhere";
  EXPECT_THAT(error_of(rules), HasSubstr("no namespace is named \"nowhere\""));
  rules.personal_channel_namespace = "";
  rules.syntax.user_boundary = "";
  EXPECT_THAT(error_of(rules), HasSubstr("user_boundary"));
}

TEST(Permissions, RulesThatCannotBeMeantAreRefused) {
  const auto with = [](auto change) {
    PermissionRules rules = example_rules();
    change(rules);
    return error_of(std::move(rules));
  };
  for (const char* name : {"", "a", "a b", "a:b", "$ab", "caf\xc3\xa9"})
    EXPECT_THAT(with([&](auto& r) { r.namespaces[0].name = name; }), HasSubstr("cannot be"));
  EXPECT_THAT(with([](auto& r) { r.namespaces[1].name = "closed"; }), HasSubstr("twice"));
  EXPECT_THAT(with([](auto& r) { r.namespaces[1].channel_regex = "("; }),
              HasSubstr("channel_regex of channel namespace \"open\""));
  EXPECT_THAT(with([](auto& r) { r.without_namespace.channel_regex = "(?=a)"; }),
              HasSubstr("channel.without_namespace"));
  EXPECT_THAT(with([](auto& r) { r.syntax.max_length = 0; }), HasSubstr("max_length"));
  EXPECT_THAT(with([](auto& r) { r.syntax.max_length = 256; }), HasSubstr("max_length"));
  EXPECT_THAT(with([](auto& r) { r.syntax.user_boundary = ":"; }), HasSubstr("both \":\""));
  EXPECT_THAT(with([](auto& r) { r.syntax.user_boundary = "\n"; }), HasSubstr("printable"));
  EXPECT_THAT(with([](auto& r) { r.syntax.private_prefix = "op"; }), HasSubstr("\"open\""));
  EXPECT_THAT(with([](auto& r) { r.syntax.namespace_boundary = "e"; }), HasSubstr("\"closed\""));
}

}  // namespace
}  // namespace parley::auth
