#include "config/value.h"

#include <gtest/gtest.h>

namespace parley::config {
namespace {

TEST(ValueTest, DurationsAreReadAsGoWritesThem) {
  const std::pair<const char*, Duration> cases[] = {
      {"25s", seconds(25)},
      {"1m30s", seconds(90)},
      {"300ms", milliseconds(300)},
      {"1.5h", seconds(5400)},
      {"720h", std::chrono::hours(720)},
      {"876000h", std::chrono::hours(876000)},
      {"0", Duration(0)},
      {"0s", Duration(0)},
      {"100us", Duration(100'000)},
      {"100µs", Duration(100'000)},
      {"7ns", Duration(7)},
      {".5s", milliseconds(500)},
      {"1h1m1s1ms", std::chrono::hours(1) + seconds(61) + milliseconds(1)},
  };
  for (const auto& [text, expected] : cases) {
    const auto read = parse_duration(text);
    ASSERT_TRUE(read) << text << ": " << read.error();
    EXPECT_EQ(*read, expected) << text;
  }
}

TEST(ValueTest, WhatIsNoDurationIsRefusedWithAdvice) {
  for (const char* text :
       {"", "s", "25", "1.5", "25 s", "-25s", "+1s", "25S", "25sec", "1d", "1m30", "1..5s", ".s",
        "0x10s", "10000000000h", "876001h", "99999999999999999999s"})
    EXPECT_FALSE(parse_duration(text)) << text;
  EXPECT_EQ(parse_duration("25").error(), "25 has no unit; write 25s, 25ms or 25m");
}

TEST(ValueTest, DurationsAreWrittenAsTheyAreRead) {
  for (const char* text : {"0s", "25s", "1m30s", "300ms", "720h", "1us", "1h1s", "7ns"})
    EXPECT_EQ(duration_text(*parse_duration(text)), text);
}

TEST(ValueTest, IntegersAreDecimalAndExact) {
  EXPECT_EQ(*parse_int("0"), 0);
  EXPECT_EQ(*parse_int("-5"), -5);
  EXPECT_EQ(*parse_int("9223372036854775807"), INT64_MAX);
  for (const char* text :
       {"", "-", "1.0", "1e3", "0x10", "010", "+1", " 1", "1 ", "9223372036854775808"})
    EXPECT_FALSE(parse_int(text)) << text;
}

TEST(ValueTest, ListsAreSeparatedBySpaces) {
  EXPECT_EQ(*parse_value(Type::kStrings, " a  b c "), (Value(Strings{"a", "b", "c"})));
  EXPECT_EQ(*parse_value(Type::kStrings, ""), Value(Strings{}));
}

TEST(ValueTest, SwitchesAreTrueOrFalseAndNothingElse) {
  EXPECT_EQ(*parse_value(Type::kBool, "true"), Value(true));
  for (const char* text : {"1", "yes", "TRUE", "on", ""})
    EXPECT_FALSE(parse_value(Type::kBool, text)) << text;
}

}  // namespace
}  // namespace parley::config
