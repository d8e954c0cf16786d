#include "codec/json/reader.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace parley::codec::json {
namespace {

template <class Int>
std::optional<Int> integer_of(std::string_view text) {
  Scratch scratch;
  Reader reader(text, scratch);
  Int value{};
  if (!reader.integer(value) || !reader.finish()) return std::nullopt;
  return value;
}

std::optional<std::string> string_of(std::string_view text) {
  Scratch scratch;
  Reader reader(text, scratch);
  std::string_view value;
  if (!reader.string(value) || !reader.finish()) return std::nullopt;
  return std::string(value);
}

std::optional<std::string> copied_string_of(std::string_view text) {
  Scratch scratch;
  Reader reader(text, scratch);
  std::string value = "before";
  if (!reader.string(value)) {
    EXPECT_EQ(value, "before") << text;
    return std::nullopt;
  }
  scratch.reset();
  return value;
}

// Walks the members of the outermost object only.
bool walk(std::string_view text, ReaderOptions options = {}) {
  Scratch scratch;
  Reader reader(text, scratch, options);
  std::string_view key;
  if (reader.object())
    while (reader.key(key)) continue;
  return reader.finish();
}

TEST(JsonReader, MembersComeWithDecodedKeysAndRawValues) {
  const std::string_view text =
      " { \"a\" : [1, {\"x\": \"]}\"}] ,\"\\u0062\\n\":\"\\u00e9\", \"c\":-1.50e2,\"d\":{ } } ";
  Scratch scratch;
  Reader reader(text, scratch);
  std::vector<std::pair<std::string, std::string>> members;
  std::vector<Kind> kinds;
  ASSERT_TRUE(reader.object());
  for (std::string_view key; reader.key(key);) {
    kinds.push_back(reader.kind());
    members.emplace_back(key, reader.raw());
  }
  EXPECT_TRUE(reader.finish());
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "[1, {\"x\": \"]}\"}]"}, {"b\n", "\"\\u00e9\""}, {"c", "-1.50e2"}, {"d", "{ }"}};
  EXPECT_EQ(members, expected);
  EXPECT_EQ(kinds, (std::vector{Kind::kArray, Kind::kString, Kind::kNumber, Kind::kObject}));
}

TEST(JsonReader, RawBytesAreBorrowedFromTheText) {
  const std::string text = R"({"data":{"n": 1.000}})";
  Scratch scratch;
  Reader reader(text, scratch);
  std::string_view key;
  ASSERT_TRUE(reader.object() && reader.key(key));
  EXPECT_EQ(reader.raw().data(), text.data() + 8);
  EXPECT_EQ(key.data(), text.data() + 2);
}

TEST(JsonReader, NestedContainersAndSkippedValues) {
  Scratch scratch;
  Reader reader(R"({"skip":[[1],{"k":2}],"list":[true,null,[],"s"],"in":{"n":7},"last":0})",
                scratch);
  std::set<std::string> seen;
  bool flag = false;
  int number = 0;
  std::string_view text;
  ASSERT_TRUE(reader.object());
  for (std::string_view key; reader.key(key);) {
    seen.emplace(key);
    if (key == "list") {
      ASSERT_TRUE(reader.array());
      ASSERT_TRUE(reader.element() && reader.boolean(flag));
      ASSERT_TRUE(reader.element() && reader.null());
      ASSERT_TRUE(reader.element());
      ASSERT_TRUE(reader.element() && !reader.null() && reader.string(text));
      EXPECT_FALSE(reader.element());
    } else if (key == "in") {
      ASSERT_TRUE(reader.object() && reader.key(key) && reader.integer(number));
      EXPECT_FALSE(reader.key(key));
    }
  }
  EXPECT_TRUE(reader.finish());
  EXPECT_EQ(seen.size(), 4u);
  EXPECT_TRUE(flag);
  EXPECT_EQ(number, 7);
  EXPECT_EQ(text, "s");
}

TEST(JsonReader, IntegersAreExact) {
  EXPECT_EQ(integer_of<uint64_t>("9007199254740993"), 9007199254740993u);
  EXPECT_EQ(integer_of<uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(integer_of<int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(integer_of<int64_t>("-0"), 0);
  EXPECT_EQ(integer_of<uint32_t>("4294967295"), UINT32_MAX);
  EXPECT_FALSE(integer_of<uint64_t>("18446744073709551616"));
  EXPECT_FALSE(integer_of<int64_t>("9223372036854775808"));
  EXPECT_FALSE(integer_of<uint32_t>("4294967296"));
  for (const char* bad : {"-1", "1.0", "1e3", "01", "+1", "\"1\"", "null", "true", "[1]", ""})
    EXPECT_FALSE(integer_of<uint64_t>(bad)) << bad;
}

TEST(JsonReader, StringsAreCopiedOutOfTheScratch) {
  EXPECT_EQ(copied_string_of(R"("a\u0041\n")"), "aA\n");
  EXPECT_EQ(copied_string_of(R"("")"), "");
  for (const char* text : {"1", "\"a", R"("\ud800")", "[]", ""})
    EXPECT_EQ(copied_string_of(text), std::nullopt) << text;
}

TEST(JsonReader, StringsAreDecoded) {
  EXPECT_EQ(string_of(R"("plain")"), "plain");
  EXPECT_EQ(string_of(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(string_of(R"("A\u00e9\u20ac\uD83D\uDE00z")"), "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");
  EXPECT_EQ(string_of(R"("\udbff\udfff")"), "\xF4\x8F\xBF\xBF");
  EXPECT_EQ(string_of(R"("\u0000")"), std::string(1, '\0'));
  EXPECT_EQ(string_of(R"("\uffff")"), "\xEF\xBF\xBF");
}

TEST(JsonReader, HalfASurrogatePairIsRefused) {
  for (const char* bad : {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\ud83d\n")",
                          R"("\ud83d\ud83d")", R"("\ude00\ud83d")", R"("\ud83d\u0041")"})
    EXPECT_FALSE(string_of(bad)) << bad;
}

TEST(JsonReader, DuplicateKeysFollowThePolicy) {
  const ReaderOptions last_wins{.duplicate_keys = DuplicateKeys::kLastWins};
  for (const char* text : {R"({"a":1,"a":2})", R"({"a":1,"\u0061":2})", R"({"":1,"":2})"}) {
    EXPECT_FALSE(walk(text)) << text;
    EXPECT_TRUE(walk(text, last_wins)) << text;
  }
  EXPECT_TRUE(walk(R"({"a":{"b":1},"b":{"a":1}})"));
  EXPECT_TRUE(walk(R"({"a":{"b":1,"b":2}})")) << "nobody reads the inner object";
}

TEST(JsonReader, DuplicateAmongManyKeysIsFound) {
  std::string text = "{\"first\":0";
  for (int i = 0; i < 20'000; ++i) text += ",\"k" + std::to_string(i) + "\":0";
  EXPECT_TRUE(walk(text + "}"));
  EXPECT_FALSE(walk(text + ",\"k777\":1}"));
}

TEST(JsonReader, WrongTypesAndGrammarAreFinal) {
  for (const char* bad :
       {"", "[]", "1", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}",
        "{\"a\":1 \"b\":2}", "{\"a\" 1}", "{a:1}", "{\"a\":1}}", "{\"a\":1} x", "{\"a\":tru}",
        "{\"a\":\"\xFF\"}", "{\"\\ud800\":1}"})
    EXPECT_FALSE(walk(bad)) << bad;
}

TEST(JsonReader, DepthCountsFromTheOutside) {
  const auto object_around = [](size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(walk(object_around(63)));
  EXPECT_FALSE(walk(object_around(64)));
  EXPECT_FALSE(walk(object_around(2), {.max_depth = 2}));
  EXPECT_FALSE(walk("{}", {.max_depth = 0}));
}

TEST(JsonScratch, LargeAndSmallRoomsDoNotOverlap) {
  Scratch scratch;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::pair<char*, size_t>> rooms;
    for (size_t size : {1u, 3000u, 2000u, 100'000u, 5u, 4096u, 64u}) {
      rooms.emplace_back(scratch.allocate(size), size);
      std::fill_n(rooms.back().first, size, static_cast<char>(rooms.size()));
    }
    for (size_t i = 0; i < rooms.size(); ++i)
      for (size_t j = 0; j < rooms[i].second; ++j)
        ASSERT_EQ(rooms[i].first[j], static_cast<char>(i + 1));
    scratch.reset();
  }
}

}  // namespace
}  // namespace parley::codec::json
