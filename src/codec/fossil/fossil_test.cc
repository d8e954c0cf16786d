#include <random>
#include <string>

#include <gtest/gtest.h>

#include "base/utf8.h"
#include "codec/fossil/decoder.h"
#include "codec/fossil/digits.h"
#include "codec/fossil/encoder.h"

namespace parley::codec::fossil {
namespace {

// The delta; "" where there is none. Checks what every delta must be.
std::string delta_of(ByteView base, ByteView target, Cuts cuts = Cuts::kAnywhere) {
  Encoder encoder;
  Buffer out = "kept";
  if (!encoder.encode(base, target, cuts, out)) {
    EXPECT_EQ(out, "kept");
    return {};
  }
  const std::string delta = out.substr(4);
  EXPECT_LT(delta.size(), target.size());
  Buffer made;
  EXPECT_TRUE(decode(base, delta, target.size(), made));
  EXPECT_EQ(made, target);
  return delta;
}

DecodeError error_of(ByteView base, ByteView delta, size_t most = 1000) {
  Buffer out = "kept";
  const auto result = decode(base, delta, most, out);
  EXPECT_FALSE(result) << delta;
  EXPECT_EQ(out, "kept");
  return result ? DecodeError{} : result.error();
}

TEST(FossilDigits, AreThoseOfTheFormat) {
  const auto text = [](uint32_t value) {
    Buffer out;
    append_number(out, value);
    EXPECT_EQ(out.size(), digits(value));
    ByteView view = out;
    uint32_t back = 0;
    EXPECT_TRUE(take_number(view, back));
    EXPECT_EQ(back, value);
    return out;
  };
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(9), "9");
  EXPECT_EQ(text(10), "A");
  EXPECT_EQ(text(35), "Z");
  EXPECT_EQ(text(36), "_");
  EXPECT_EQ(text(37), "a");
  EXPECT_EQ(text(62), "z");
  EXPECT_EQ(text(63), "~");
  EXPECT_EQ(text(64), "10");
  EXPECT_EQ(text(UINT32_MAX), "3~~~~~");
}

TEST(FossilDigits, ChecksumSumsBigEndianWords) {
  EXPECT_EQ(checksum(""), 0u);
  EXPECT_EQ(checksum("a"), 0x61000000u);
  EXPECT_EQ(checksum("abcd"), 0x61626364u);
  EXPECT_EQ(checksum("abcdef"), 0x61626364u + 0x65660000u);
  EXPECT_EQ(checksum(std::string("\xff\xff\xff\xff\0\0\0\x02", 8)), 1u);
}

TEST(FossilEncoder, WritesTheFormat) {
  const std::string base(64, 'x');
  EXPECT_EQ(delta_of(base + "1" + base, base + "2" + base), "21\n10@0,1:210@11,113lx0;");
  EXPECT_EQ(delta_of(base, base), "10\n10@0,27XtU0;");
}

TEST(FossilEncoder, SaysWhereTheWholeIsAsGood) {
  EXPECT_EQ(delta_of("", ""), "");
  EXPECT_EQ(delta_of("", "new"), "");
  EXPECT_EQ(delta_of("old", ""), "");
  EXPECT_EQ(delta_of("a", "b"), "");
  EXPECT_EQ(delta_of("nothing in common with it", "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ"), "");
  const std::string large(Encoder::kMaxBytes + 1, 'x');
  EXPECT_EQ(delta_of(large, "x"), "");
  EXPECT_EQ(delta_of("x", large), "");
}

TEST(FossilEncoder, FindsWhatMoved) {
  const std::string a = R"({"home":"Arsenal","score":[1,0],"minute":17})";
  const std::string b = R"({"away":"Chelsea","cards":{"red":0,"yellow":2}})";
  const std::string moved = delta_of(a + b, b + a);
  EXPECT_FALSE(moved.empty());
  EXPECT_LT(moved.size(), 40u);
  EXPECT_FALSE(delta_of(a, a + b).empty());
  EXPECT_FALSE(delta_of(a + b, a).empty());
  EXPECT_FALSE(delta_of(a + b, b).empty());
  EXPECT_FALSE(delta_of(a, a + a + a).empty());
}

TEST(FossilEncoder, CutsTextAtCharacters) {
  // The characters differ in their last byte only, so the longest matches end inside them.
  const std::string same = "\"temperature outside, measured\":\"";
  const std::string base = same + "\u00e9\"" + same + "\u20ac\"" + same + "\U0001f600\"";
  const std::string target = same + "\u00e8\"" + same + "\u20ad\"" + same + "\U0001f601\"";
  EXPECT_TRUE(is_valid_utf8(delta_of(base, target, Cuts::kAtCharacters)));
  EXPECT_FALSE(is_valid_utf8(delta_of(base, target, Cuts::kAnywhere)));
  // Only continuation bytes in common: nothing that text could be cut into.
  const std::string no_text(5000, '\x80');
  delta_of(no_text, "a" + no_text + "b", Cuts::kAtCharacters);
}

TEST(FossilEncoder, RoundTripsRandomEdits) {
  std::mt19937 rng(7);
  const auto pick = [&](size_t n) { return rng() % n; };
  const std::string letters[] = {"a", "b", "\"", "{", "\u00fc", "\u20ac", "\U0001f600", "0"};
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> text;
    for (size_t n = pick(200); n > 0; --n) text.push_back(letters[pick(pick(2) ? 2 : 8)]);
    const auto joined = [&] {
      std::string all;
      for (const std::string& letter : text) all += letter;
      return all;
    };
    const std::string base = joined();
    for (size_t edits = pick(5); edits > 0 && !text.empty(); --edits) {
      const auto at = text.begin() + static_cast<ptrdiff_t>(pick(text.size()));
      if (pick(3) == 0) {
        text.erase(at, at + static_cast<ptrdiff_t>(pick(static_cast<size_t>(text.end() - at)) + 1));
      } else {
        text.insert(at, pick(20), letters[pick(8)]);
      }
    }
    const std::string target = joined();
    EXPECT_TRUE(is_valid_utf8(delta_of(base, target, Cuts::kAtCharacters)));
    delta_of(base, target);
  }
}

// In quadratic time this would not end before the suite is given up.
TEST(FossilEncoder, HostileTextsCostLinearTime) {
  const size_t n = Encoder::kMaxBytes;
  std::string blocks, shifted;
  for (size_t i = 0; blocks.size() < n; ++i)
    blocks += "abcdefg" + std::string(1, char('0' + i % 2));
  for (size_t i = 0; shifted.size() < n; ++i) shifted += "bcdefg" + std::to_string(i % 2) + "a!";
  const std::string same(n, 'a'), other(n, 'b'), cut(n, '\x80');
  const std::string* texts[] = {&same, &other, &blocks, &shifted, &cut};
  for (const std::string* base : texts)
    for (const std::string* target : texts) {
      delta_of(base->substr(0, n), target->substr(0, n), Cuts::kAtCharacters);
      delta_of(base->substr(0, n - 9), "x" + target->substr(0, n - 99) + "y");
    }
}

TEST(FossilDecoder, AppliesDeltasOfOthers) {
  Buffer out;
  // Of the reference implementation.
  EXPECT_TRUE(decode("", "0\n0;", 10, out));
  EXPECT_EQ(out, "");
  EXPECT_TRUE(decode("", "3\n3:abc1XObC0;", 3, out));
  EXPECT_EQ(out, "abc");
}

TEST(FossilDecoder, RefusesWhatIsNone) {
  for (const ByteView bad : {"", "3", "\n", "!\n", "3\n", "3\n3", "3\n3:ab", "3\n3?abc", "3\n3@0",
                             "3\n3@0;", "3\n3@,", "3\n1:a2:bc", "4000000\n0;", "3\n3:abc1XObC0;x"})
    EXPECT_EQ(error_of("base", bad), DecodeError::kSyntax) << bad;
  EXPECT_EQ(error_of("base", "3\n4@0,"), DecodeError::kTooLarge);
  EXPECT_EQ(error_of("base", "FF\n0;", 10), DecodeError::kTooLarge);
  EXPECT_EQ(error_of("base", "5\n5@0,0;"), DecodeError::kNotOfBase);
  EXPECT_EQ(error_of("base", "5\n1@4,0;"), DecodeError::kNotOfBase);
  EXPECT_EQ(error_of("base", "5\n1@3~~~~~,0;"), DecodeError::kNotOfBase);
  EXPECT_EQ(error_of("base", "5\n4@0,0;"), DecodeError::kWrongSize);
  EXPECT_EQ(error_of("base", "4\n4@0,0;"), DecodeError::kWrongBytes);
  EXPECT_EQ(error_of("base", "100\n100@0,", 10), DecodeError::kTooLarge);
}

// A delta that was damaged on its way never makes anything else but an error.
TEST(FossilDecoder, NoticesDamage) {
  const std::string base = R"({"a":1,"long":"ééééééééééééééééééééééééééééééééé","b":[1,2,3]})";
  std::string target = base;
  target[5] = '2';
  const std::string delta = delta_of(base, target);
  for (size_t cut = 0; cut < delta.size(); ++cut) error_of(base, ByteView(delta).substr(0, cut));
  for (size_t i = 0; i < delta.size(); ++i) {
    std::string damaged = delta;
    damaged[i] ^= 0x04;
    Buffer out;
    const bool passed = decode(base, damaged, 10'000, out).has_value();
    EXPECT_TRUE(!passed || out == target) << damaged;
  }
}

}  // namespace
}  // namespace parley::codec::fossil
