#include "base/utf8.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace parley {
namespace {

// The plain reference: decode a character by arithmetic, then ask Unicode about its value.
bool reference_valid(ByteView text) {
  static constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<uint8_t>(text[at]);
    const int more = lead < 0x80              ? 0
                     : (lead >> 5) == 0b110   ? 1
                     : (lead >> 4) == 0b1110  ? 2
                     : (lead >> 3) == 0b11110 ? 3
                                              : -1;
    if (more < 0 || at + static_cast<size_t>(more) >= text.size()) return false;
    uint32_t value = more == 0 ? lead : lead & (0x3fu >> more);
    for (int i = 1; i <= more; ++i) {
      const auto byte = static_cast<uint8_t>(text[at + static_cast<size_t>(i)]);
      if ((byte & 0xc0) != 0x80) return false;
      value = value << 6 | (byte & 0x3fu);
    }
    if (value < kSmallest[more] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
      return false;
    at += static_cast<size_t>(more) + 1;
  }
  return true;
}

// Both ends of every class of byte that table 3-7 of Unicode tells apart.
constexpr uint8_t kBorders[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff};

template <class Visit>
void for_each_sequence(size_t length, Visit visit, std::string prefix = {}) {
  if (prefix.size() == length) return visit(prefix);
  for (const uint8_t byte : kBorders)
    for_each_sequence(length, visit, prefix + static_cast<char>(byte));
}

// Whether some valid text begins with `prefix`, by trying every kind of completion.
bool reference_prefix(const std::string& prefix, int depth = 3) {
  if (reference_valid(prefix)) return true;
  if (depth == 0) return false;
  for (const uint8_t byte : {0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf})
    if (reference_prefix(prefix + static_cast<char>(byte), depth - 1)) return true;
  return false;
}

TEST(Utf8, EqualsTheReferenceForAllBordersAtEverySplit) {
  for (size_t length = 1; length <= 4; ++length) {
    for_each_sequence(length, [](const std::string& text) {
      const bool valid = reference_valid(text);
      ASSERT_EQ(is_valid_utf8(text), valid) << ::testing::PrintToString(text);
      for (size_t cut = 1; cut < text.size(); ++cut) {
        Utf8Stream stream;
        const bool fed =
            stream.feed(ByteView(text).substr(0, cut)) && stream.feed(ByteView(text).substr(cut));
        ASSERT_EQ(fed && stream.complete(), valid) << ::testing::PrintToString(text) << cut;
      }
    });
  }
}

TEST(Utf8, FailsAtTheFirstByteThatCannotBe) {
  for (size_t length = 1; length <= 3; ++length) {
    for_each_sequence(length, [](const std::string& text) {
      ASSERT_EQ(Utf8Stream().feed(text), reference_prefix(text)) << ::testing::PrintToString(text);
    });
  }
}

TEST(Utf8, EveryCodePointAndEverySurrogate) {
  for (uint32_t c = 0x80; c <= 0x10ffff; c += c < 0x10000 ? 1 : 61) {
    std::string text;
    if (c < 0x800) {
      text = {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
    } else if (c < 0x10000) {
      text = {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
              static_cast<char>(0x80 | (c & 63))};
    } else {
      text = {static_cast<char>(0xf0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
              static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
    }
    ASSERT_EQ(is_valid_utf8(text), c < 0xd800 || c > 0xdfff) << c;
  }
}

TEST(Utf8, FindsWhatHidesInLongAscii) {
  for (size_t before = 0; before <= 17; ++before) {
    for (size_t after = 0; after <= 17; ++after) {
      const std::string a(before, 'a'), b(after, 'b');
      EXPECT_TRUE(is_valid_utf8(a + "\xe2\x82\xac" + b));
      EXPECT_FALSE(is_valid_utf8(a + "\xff" + b));
      EXPECT_FALSE(is_valid_utf8(a + "\xe2\x82" + b));
    }
  }
}

TEST(Utf8, StaysFailed) {
  Utf8Stream stream;
  EXPECT_FALSE(stream.feed("\xff"));
  EXPECT_FALSE(stream.feed("a"));
  EXPECT_FALSE(stream.complete());
  EXPECT_FALSE(stream.feed(""));
}

TEST(Utf8, TruncateKeepsCharactersWhole) {
  EXPECT_EQ(truncate_utf8("abc", 3), "abc");
  EXPECT_EQ(truncate_utf8("abc", 2), "ab");
  EXPECT_EQ(truncate_utf8("a\xe2\x82\xac", 3), "a");
  EXPECT_EQ(truncate_utf8("a\xe2\x82\xac", 4), "a\xe2\x82\xac");
  EXPECT_EQ(truncate_utf8("\xf0\x9f\x98\x80", 3), "");
  EXPECT_EQ(truncate_utf8("a", 0), "");
}

// Many bytes are looked at together.
TEST(Utf8, OneBadByteIsSeenAtEveryPlace) {
  for (size_t size = 1; size < 80; ++size)
    for (size_t place = 0; place < size; ++place) {
      std::string text(size, 'a');
      ASSERT_TRUE(is_valid_utf8(text));
      text[place] = '\x80';
      ASSERT_FALSE(is_valid_utf8(text)) << size << ' ' << place;
    }
}

}  // namespace
}  // namespace parley
