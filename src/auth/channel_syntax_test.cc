#include "auth/channel_syntax.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

struct SyntaxRow {
  const char* channel;
  const char* name_space;
  const char* rest;
  bool is_private;
  bool user_limited;
  const char* users;
};

TEST(ChannelSyntax, TakesNamesApart) {
  const SyntaxRow rows[] = {
      {"", "", "", false, false, ""},
      {"news", "", "news", false, false, ""},
      {"chat:room", "chat", "room", false, false, ""},
      {"chat:room:1", "chat", "room:1", false, false, ""},
      {"chat:", "chat", "", false, false, ""},
      {":x", "", "x", false, false, ""},
      {"$news", "", "$news", true, false, ""},
      {"$chat:x", "chat", "x", true, false, ""},
      {"chat:$x", "chat", "$x", false, false, ""},
      {"$$chat:x", "$chat", "x", true, false, ""},
      {"#42", "", "#42", false, true, "42"},
      {"chat:x#1,2", "chat", "x#1,2", false, true, "1,2"},
      {"a#1#2,3", "", "a#1#2,3", false, true, "2,3"},
      {"a#1:b", "a#1", "b", false, true, "1:b"},
      {"a#", "", "a#", false, true, ""},
  };
  const ChannelSyntax syntax;
  for (const SyntaxRow& row : rows) {
    const ChannelName name = parse_channel(syntax, row.channel);
    EXPECT_EQ(name.name_space, row.name_space) << row.channel;
    EXPECT_EQ(name.rest, row.rest) << row.channel;
    EXPECT_EQ(name.is_private, row.is_private) << row.channel;
    EXPECT_EQ(name.user_limited, row.user_limited) << row.channel;
    EXPECT_EQ(name.users, row.users) << row.channel;
  }
}

TEST(ChannelSyntax, ListsUsersWholeAndNeverTheAnonymous) {
  const ChannelSyntax syntax;
  const auto lists = [&](const char* channel, const char* user) {
    return parse_channel(syntax, channel).lists(user);
  };
  EXPECT_TRUE(lists("x#1", "1"));
  EXPECT_TRUE(lists("x#1,2,33", "2"));
  EXPECT_TRUE(lists("x#1,2,33", "33"));
  EXPECT_FALSE(lists("x#1,2,33", "3"));
  EXPECT_FALSE(lists("x#12", "1"));
  EXPECT_FALSE(lists("x#1,2", "1,2"));
  EXPECT_FALSE(lists("x#1#2", "1"));
  EXPECT_FALSE(lists("x", "x"));
  for (const char* channel : {"x", "x#", "x#,", "x#1,", "x#1,,2"}) EXPECT_FALSE(lists(channel, ""));
}

TEST(ChannelSyntax, MarksAreOfAnyLengthOrOff) {
  const ChannelSyntax longer{.private_prefix = "priv-",
                             .namespace_boundary = "::",
                             .user_boundary = "@@",
                             .user_separator = "++"};
  const ChannelName name = parse_channel(longer, "priv-chat::x:@@1++2");
  EXPECT_TRUE(name.is_private);
  EXPECT_EQ(name.name_space, "chat");
  EXPECT_EQ(name.rest, "x:@@1++2");
  EXPECT_TRUE(name.lists("1") && name.lists("2"));
  EXPECT_FALSE(name.lists("1+"));

  const ChannelSyntax off{
      .private_prefix = "", .namespace_boundary = "", .user_boundary = "", .user_separator = ""};
  const ChannelName plain = parse_channel(off, "$chat:x#1,2");
  EXPECT_FALSE(plain.is_private);
  EXPECT_FALSE(plain.user_limited);
  EXPECT_EQ(plain.name_space, "");
  EXPECT_EQ(plain.rest, "$chat:x#1,2");

  const ChannelSyntax one{.user_separator = ""};
  EXPECT_TRUE(parse_channel(one, "x#1,2").lists("1,2"));
  EXPECT_FALSE(parse_channel(one, "x#1,2").lists("1"));
}

}  // namespace
}  // namespace parley::auth
