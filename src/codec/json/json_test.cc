#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "codec/json/embed.h"
#include "codec/json/marks.h"
#include "codec/json/validate.h"
#include "codec/json/write.h"

namespace parley::codec::json {
namespace {

using namespace std::string_literals;

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

// However many bytes are looked at together, each is seen wherever it stands.
TEST(JsonMarks, EveryByteIsFoundAtEveryPlace) {
  for (size_t size = 0; size < 50; ++size)
    for (size_t place = 0; place <= size; ++place)
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        const auto c = static_cast<char>(byte);
        if (place < size) text[place] = c;
        if (place + 1 < size) text[place + 1] = '\x01';
        const auto first = [&](auto is) {
          return static_cast<size_t>(std::ranges::find_if(text, is) - text.begin());
        };
        const char* const end = text.data() + size;
        ASSERT_EQ(find_marked<Special>(text.data(), end) - text.data(), first(Special::is));
        ASSERT_EQ(find_marked<Unusual>(text.data(), end) - text.data(), first(Unusual::is));
      }
}

TEST(JsonValidate, AcceptsEveryKindOfValue) {
  for (const char* text : {"null",
                           "true",
                           "false",
                           "0",
                           "-0",
                           "1",
                           "-1.5",
                           "1e9",
                           "1E+9",
                           "0.5e-7",
                           "\"\"",
                           "[]",
                           "{}",
                           " [ ] ",
                           "\t{\n\"a\"\r: 1 , \"b\":[{},[],\"\"]}\n",
                           R"(["\"\\\/\b\f\n\r\t\u00e9"])",
                           R"("\ud83d\ude00")",
                           R"("\ud83d")",
                           "18446744073709551616",
                           "1e99999",
                           R"({"a":1,"a":2})",
                           "\"caf\xC3\xA9\"",
                           "\"\x7F\""})
    EXPECT_TRUE(is_valid(text)) << text;
}

TEST(JsonValidate, RefusesWhatIsNotJson) {
  for (const std::string& text : {""s,
                                  " "s,
                                  "nul"s,
                                  "nullx"s,
                                  "True"s,
                                  "01"s,
                                  "-"s,
                                  "+1"s,
                                  "1."s,
                                  ".5"s,
                                  "1e"s,
                                  "1e+"s,
                                  "0x1"s,
                                  "NaN"s,
                                  "Infinity"s,
                                  "'a'"s,
                                  "\"a"s,
                                  "\"\\\""s,
                                  R"("\x")"s,
                                  R"("\u12")"s,
                                  R"("\u12g4")"s,
                                  "\"\n\""s,
                                  "\"\0\""s,
                                  "\"\\\0\""s,
                                  "[1,]"s,
                                  "[,1]"s,
                                  "[1 2]"s,
                                  "["s,
                                  "]"s,
                                  "[}"s,
                                  "{]"s,
                                  "{,}"s,
                                  "{\"a\"}"s,
                                  "{\"a\":}"s,
                                  "{\"a\":1,}"s,
                                  "{a:1}"s,
                                  "{1:1}"s,
                                  "{\"a\":1 \"b\":2}"s,
                                  "[1]]"s,
                                  "{}{}"s,
                                  "1 2"s,
                                  "\xEF\xBB\xBF{}"s,
                                  "// c\n1"s,
                                  "null\0"s})
    EXPECT_FALSE(is_valid(text)) << text;
}

TEST(JsonValidate, RefusesBrokenUtf8) {
  for (const char* bytes : {"\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xF8\x88\x80\x80\x80", "\xC3", "\xE2\x82", "\xFF"})
    EXPECT_FALSE(is_valid("\"" + std::string(bytes) + "\"")) << bytes;
}

TEST(JsonValidate, DepthIsCountedInContainers) {
  EXPECT_TRUE(is_valid(nested(64)));
  EXPECT_FALSE(is_valid(nested(65)));
  EXPECT_TRUE(is_valid("[[],[],{}]", 2));
  EXPECT_FALSE(is_valid("[[[]]]", 2));
  EXPECT_TRUE(is_valid("1", 0));
  EXPECT_FALSE(is_valid("[]", 0));
}

TEST(JsonValidate, AMillionBracketsAreRefusedAtTheLimit) {
  EXPECT_FALSE(is_valid(std::string(1'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(is_valid(objects));
}

TEST(JsonValidate, EveryTruncationIsRefused) {
  const std::string text =
      R"({"a":[1,-2.5e+3,true,false,null,"x\n\u00e9\ud83d\ude00"],"b":{"c":{}},"d":"caf)"
      "\xC3\xA9"
      R"("})";
  ASSERT_TRUE(is_valid(text));
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(is_valid(text.substr(0, size))) << size;
}

// simdjson's DOM parser is the oracle. It converts what it reads and so also refuses numbers
// that no double holds and lone surrogates; those two of its errors are no verdict on the grammar.
TEST(JsonValidate, AgreesWithSimdjsonOnMutatedTexts) {
  const std::string seed = R"({"a":[1,-2.5e+3,true,null,"x\n\u00e9"],"b":{"c":{}},"d":[[],"]"]})";
  const std::string alphabet = "{}[]\",:\\ue+-.0179atrufnl \n\x01\x80\xC3\xA9";
  std::mt19937 rng(7);
  simdjson::dom::parser parser;
  int valid = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string text = seed;
    for (uint32_t edits = 1 + rng() % 3; edits != 0; --edits) {
      const size_t at = rng() % text.size();
      const uint32_t what = rng() % 3;
      if (what == 0) text.erase(at, 1);
      if (what == 1) text[at] = alphabet[rng() % alphabet.size()];
      if (what == 2) text.insert(at, 1, alphabet[rng() % alphabet.size()]);
    }
    const auto error = parser.parse(text).error();
    if (error == simdjson::NUMBER_ERROR || error == simdjson::STRING_ERROR) continue;
    EXPECT_EQ(is_valid(text), error == simdjson::SUCCESS) << text;
    valid += error == simdjson::SUCCESS;
  }
  EXPECT_GT(valid, 1000);
}

std::string written(std::string_view text) {
  Buffer out;
  append_string(out, text);
  return out;
}

TEST(JsonWrite, EscapesWhatMustBeAndNothingElse) {
  EXPECT_EQ(written(""), "\"\"");
  EXPECT_EQ(written("plain text, long enough for words"), "\"plain text, long enough for words\"");
  EXPECT_EQ(written("a\"b\\c/"), R"("a\"b\\c/")");
  EXPECT_EQ(written("\b\f\n\r\t\x01\x1f\x7f"), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  EXPECT_EQ(written("\0"s), R"("\u0000")");
  EXPECT_EQ(written("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "\"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
}

TEST(JsonWrite, BrokenUtf8BecomesReplacementCharacters) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(written("\xFF"), "\"" + r + "\"");
  EXPECT_EQ(written("a\x80z"), "\"a" + r + "z\"");
  EXPECT_EQ(written("\xE2\x82"), "\"" + r + "\"");  // one cut character
  EXPECT_EQ(written("\xE2\x82x"), "\"" + r + "x\"");
  EXPECT_EQ(written("\xC0\xAF"), "\"" + r + r + "\"");          // overlong: neither byte begins one
  EXPECT_EQ(written("\xED\xA0\x80"), "\"" + r + r + r + "\"");  // a surrogate
  EXPECT_EQ(written("\xF4\x90\x80\x80"), "\"" + r + r + r + r + "\"");
  EXPECT_EQ(written("\xE0\x80\""), "\"" + r + r + "\\\"\"");
}

TEST(JsonWrite, AnyBytesGiveAValidStringThatReadsBack) {
  std::mt19937 rng(11);
  simdjson::dom::parser parser;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(rng() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(rng() % (round % 2 == 0 ? 256 : 128));
    const std::string text = written(bytes);
    ASSERT_TRUE(is_valid(text)) << text;
    if (!is_utf8(bytes)) continue;
    std::string_view back;
    ASSERT_EQ(parser.parse("[" + text + "]").at(0).get(back), simdjson::SUCCESS);
    EXPECT_EQ(back, bytes);
  }
}

TEST(JsonWrite, CompactTakesLineBreaksOnly) {
  const auto compact = [](std::string_view json) {
    Buffer out = "x";
    append_compact(out, json);
    return out;
  };
  EXPECT_EQ(compact(""), "x");
  EXPECT_EQ(compact(R"({"a": "b\n"})"), R"(x{"a": "b\n"})");
  EXPECT_EQ(compact("{\r\n\t\"a\": 1\n}\n"), "x{\t\"a\": 1}");
}

TEST(JsonWrite, IntegersToTheirLimits) {
  const auto decimal = [](int64_t value) {
    Buffer out;
    append_int(out, value);
    return out;
  };
  EXPECT_EQ(decimal(0), "0");
  EXPECT_EQ(decimal(-1), "-1");
  EXPECT_EQ(decimal(INT64_MAX), "9223372036854775807");
  EXPECT_EQ(decimal(INT64_MIN), "-9223372036854775808");
}

TEST(JsonEmbed, MakesJsonOfAnyBytes) {
  EXPECT_EQ(to_embeddable(""), "");
  EXPECT_EQ(to_embeddable(R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(to_embeddable("say \"hi\""), R"("say \"hi\"")");
  EXPECT_EQ(to_embeddable("\x00\xff"s), R"({"base64":"AP8="})");
}

}  // namespace
}  // namespace parley::codec::json
