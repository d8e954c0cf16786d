// UTF-8: the two fast validators against a plain one, over all short sequences and mutated text, at
// each alignment.
#include <cstring>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/utf8.h"
#include "codec/json/validate.h"
#include "tests/property/generators.h"
#include "tests/property/websocket_reference.h"

namespace parley::testing {
namespace {

bool stream_says(ByteView text, const CutSizes& cuts) {
  Utf8Stream stream;
  for (const auto piece : pieces_of(text, cuts))
    if (!stream.feed(piece)) return false;
  return stream.complete();
}

void agree(ByteView text) {
  const bool plain = plainly_utf8(text);
  ASSERT_EQ(is_valid_utf8(text), plain) << ::testing::PrintToString(text);
  ASSERT_EQ(codec::json::is_utf8(text), plain) << ::testing::PrintToString(text);
}

// All of one and two bytes.
TEST(Utf8Differential, AllSequencesOfOneAndTwoBytes) {
  for (int first = 0; first < 256; ++first) {
    const char one[] = {static_cast<char>(first)};
    agree({one, 1});
    for (int second = 0; second < 256; ++second) {
      const char two[] = {static_cast<char>(first), static_cast<char>(second)};
      agree({two, 2});
    }
  }
}

// All of three bytes, but of those that begin with ASCII, which says nothing about the rest, only
// one beginning.
TEST(Utf8Differential, AllSequencesOfThreeBytes) {
  for (int first = 0x7f; first < 256; ++first)
    for (int second = 0; second < 256; ++second)
      for (int third = 0; third < 256; ++third) {
        const char bytes[] = {static_cast<char>(first), static_cast<char>(second),
                              static_cast<char>(third)};
        const ByteView text(bytes, 3);
        const bool plain = plainly_utf8(text);
        // Without the macros, which cost more than the work.
        if (is_valid_utf8(text) != plain || codec::json::is_utf8(text) != plain) agree(text);
      }
}

// Of four bytes, those at the borders of each rule.
TEST(Utf8Differential, FourBytesAtTheBorders) {
  constexpr uint8_t kBorders[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                  0xc1, 0xc2, 0xdf, 0xe0, 0xec, 0xed, 0xee, 0xef, 0xf0,
                                  0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff};
  for (const uint8_t a : kBorders)
    for (const uint8_t b : kBorders)
      for (const uint8_t c : kBorders)
        for (const uint8_t d : kBorders) {
          const char bytes[] = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                                static_cast<char>(d)};
          agree({bytes, 4});
        }
}

// Each byte of a text of two vectors' length wrong in turn, with the text at each alignment.
TEST(Utf8Differential, MutatedTextAtEachAlignment) {
  const std::string text =
      "plain ASCII, then gr\xc3\xbc\xc3\x9f \xe4\xb8\x96\xe7\x95\x8c "
      "\xf0\x9f\x8e\x89 and ASCII again, up to seventy";
  for (size_t alignment = 0; alignment < 16; ++alignment) {
    // The end of a block of its own, so that a step over it is seen.
    std::vector<char> block(alignment + text.size());
    char* const at = block.data() + alignment;
    for (size_t i = 0; i <= text.size(); ++i) {
      for (const int wrong : {0x00, 0x80, 0xbf, 0xc3, 0xe4, 0xed, 0xf0, 0xf4, 0xff}) {
        std::memcpy(at, text.data(), text.size());
        if (i < text.size()) at[i] = static_cast<char>(wrong);
        agree({at, text.size()});
        agree({at, i});
      }
    }
  }
}

RC_GTEST_PROP(Utf8Property, AllValidatorsAgree, ()) {
  const Bytes text = damaged(*any_text(), *some_damage());
  const bool plain = plainly_utf8(text);
  RC_ASSERT(is_valid_utf8(text) == plain);
  RC_ASSERT(codec::json::is_utf8(text) == plain);
  RC_ASSERT(stream_says(text, *any_cuts()) == plain);
}

RC_GTEST_PROP(Utf8Property, TextIsCutBetweenCharacters, (uint8_t most)) {
  const Bytes text = *any_text();
  const std::string_view cut = truncate_utf8(text, most);
  RC_ASSERT(cut.size() <= most && text.starts_with(cut) && plainly_utf8(cut));
  RC_ASSERT(cut.size() == text.size() || cut.size() + 4 > most);
}

}  // namespace
}  // namespace parley::testing
