// The table: what a peer may send, and what the decoder makes of it, at every cut.
#include "codec/websocket/decoder.h"

#include <functional>

#include <gtest/gtest.h>

#include "codec/websocket/encoder.h"
#include "codec/websocket/trace_sink.h"
#include "tests/support/cuts.h"

namespace parley::codec::websocket {
namespace {

using Events = std::vector<std::string>;

struct Row {
  std::string name;
  std::string input;
  Events events;
  Limits limits = {.message_bytes = 1024};
  Role role = Role::kServer;
};

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

constexpr uint32_t kMask = 0x37fa213d;  // of the example in RFC 6455 5.7
const std::string kZeroMask(4, '\0');

std::string frame(Opcode opcode, ByteView payload, bool fin = true) {
  Buffer out;
  append_masked_frame(out, opcode, payload, kMask, fin);
  return out;
}
std::string text(ByteView payload, bool fin = true) { return frame(Opcode::kText, payload, fin); }
std::string binary(ByteView payload, bool fin = true) {
  return frame(Opcode::kBinary, payload, fin);
}
std::string more(ByteView payload, bool fin) { return frame(Opcode::kContinuation, payload, fin); }
std::string ping(ByteView payload) { return frame(Opcode::kPing, payload); }
std::string close_body(int code, ByteView reason = {}) {
  return frame(Opcode::kClose, bytes({code >> 8, code & 0xff}).append(reason));
}
std::string length64(uint64_t length) {
  std::string out = bytes({0x82, 0xff});
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(length >> shift));
  return out;
}

void run(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    testing::for_each_cut(row.input, [&](const std::vector<std::string_view>& pieces) {
      for (const bool pausing : {false, true}) {
        Decoder decoder(row.limits, row.role);
        TraceSink sink(pausing ? &decoder : nullptr);
        for (const auto piece : pieces)
          if (!feed(decoder, piece, sink)) break;
        ASSERT_EQ(sink.events(), row.events);
      }
    });
  }
}

TEST(DecoderTable, Messages) {
  const std::string medium(126, 'm'), large(65536, 'l');
  const Limits roomy{.message_bytes = 70000};
  run({
      {"RFC 6455 5.7, masked Hello",
       bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}),
       {"text(Hello)"}},
      {"RFC 6455 5.7, unmasked Hello", "\x81\x05Hello", {"text(Hello)"}, {}, Role::kClient},
      {"RFC 6455 5.7, fragmented Hello",
       bytes({1, 3}) + "Hel" + bytes({0x80, 2}) + "lo",
       {"fragment()", "text(Hello)"},
       {},
       Role::kClient},
      {"nothing", "", {}},
      {"empty text", text(""), {"text()"}},
      {"empty binary", binary(""), {"bin()"}},
      {"125 bytes", binary(medium.substr(1)), {"bin(" + medium.substr(1) + ")"}},
      {"126 bytes", binary(medium), {"bin(" + medium + ")"}},
      {"zero mask", bytes({0x81, 0x82}) + kZeroMask + "hi", {"text(hi)"}},
      {"two messages", text("a") + binary("b"), {"text(a)", "bin(b)"}},
      {"binary that is no UTF-8", binary("\xff\xfe"), {"bin(\xff\xfe)"}},
      {"NUL in text", text(std::string("a\0b", 3)), {std::string("text(a\0b)", 9)}},
      {"incomplete header", text("a").substr(0, 5), {}},
      {"incomplete payload", text("ab").substr(0, 7), {}},
      {"unfinished message", text("a", false), {"fragment()"}},
      {"client reads many",
       "\x81\x01"
       "a"
       "\x89\x01"
       "b"
       "\x82\x01"
       "c",
       {"text(a)", "ping(b)", "bin(c)"},
       {},
       Role::kClient},
  });
  // Too long for every cut: whole and in two.
  for (const size_t cut : {size_t{1}, size_t{9}, size_t{14}, size_t{15}, size_t{40000}}) {
    Decoder decoder(roomy);
    TraceSink sink;
    const std::string input = binary(large);
    ASSERT_TRUE(feed(decoder, ByteView(input).substr(0, cut), sink));
    ASSERT_TRUE(feed(decoder, ByteView(input).substr(cut), sink));
    EXPECT_EQ(sink.events(), Events{"bin(" + large + ")"}) << cut;
  }
}

TEST(DecoderTable, Fragments) {
  run({
      {"two", text("a", false) + more("b", true), {"fragment()", "text(ab)"}},
      {"three",
       binary("a", false) + more("b", false) + more("c", true),
       {"fragment()", "fragment()", "bin(abc)"}},
      {"all empty",
       text("", false) + more("", false) + more("", true),
       {"fragment()", "fragment()", "text()"}},
      {"ping between",
       text("a", false) + ping("p") + more("b", true),
       {"fragment()", "ping(p)", "text(ab)"}},
      {"pong between",
       text("a", false) + frame(Opcode::kPong, "p") + more("b", true),
       {"fragment()", "pong(p)", "text(ab)"}},
      {"close between",
       text("a", false) + close_body(1000) + more("b", true),
       {"fragment()", "close(1000,)"}},
      {"message after",
       text("a", false) + more("b", true) + binary("c"),
       {"fragment()", "text(ab)", "bin(c)"}},
      {"two fragmented",
       text("a", false) + more("", true) + binary("c", false) + more("d", true),
       {"fragment()", "text(a)", "fragment()", "bin(cd)"}},
      {"continuation of nothing, final", more("a", true), {"fail(1002)"}},
      {"continuation of nothing, not final", more("a", false), {"fail(1002)"}},
      {"continuation after the end",
       text("a", false) + more("b", true) + more("c", true),
       {"fragment()", "text(ab)", "fail(1002)"}},
      {"continuation after a whole message",
       text("a") + more("c", true),
       {"text(a)", "fail(1002)"}},
      {"text inside", text("a", false) + text("b"), {"fragment()", "fail(1002)"}},
      {"binary inside", text("a", false) + binary("b"), {"fragment()", "fail(1002)"}},
      {"text start inside", text("a", false) + text("b", false), {"fragment()", "fail(1002)"}},
      {"binary start inside",
       binary("a", false) + binary("b", false),
       {"fragment()", "fail(1002)"}},
      {"ping does not end it",
       text("a", false) + ping("") + text("b"),
       {"fragment()", "ping()", "fail(1002)"}},
  });
}

TEST(DecoderTable, FirstByte) {
  std::vector<Row> rows;
  for (int first = 0; first < 256; ++first) {
    const bool fin = first & 0x80;
    const int opcode = first & 0xf;
    Events events = {"fail(1002)"};
    if (!(first & 0x70)) {
      if (opcode == 1 || opcode == 2)
        events = {!fin ? "fragment()" : opcode == 1 ? "text()" : "bin()"};
      if (fin && opcode == 8) events = {"close(1005,)"};
      if (fin && opcode == 9) events = {"ping()"};
      if (fin && opcode == 10) events = {"pong()"};
    }
    rows.push_back(
        {"first byte " + std::to_string(first), bytes({first, 0x80}) + kZeroMask, events});
  }
  run(rows);
}

TEST(DecoderTable, Masking) {
  std::vector<Row> rows;
  for (const int opcode : {0x1, 0x2, 0x8, 0x9, 0xa}) {
    const std::string n = std::to_string(opcode);
    rows.push_back({"server, unmasked " + n, bytes({0x80 | opcode, 0}), {"fail(1002)"}});
    rows.push_back(
        {"server, unmasked with body " + n, bytes({0x80 | opcode, 2, 3, 232}), {"fail(1002)"}});
    rows.push_back({"client, masked " + n,
                    bytes({0x80 | opcode, 0x80}) + kZeroMask,
                    {"fail(1002)"},
                    {},
                    Role::kClient});
  }
  rows.push_back(
      {"unmasked continuation", text("a", false) + bytes({0x80, 0}), {"fragment()", "fail(1002)"}});
  run(rows);
}

TEST(DecoderTable, Lengths) {
  const auto length16 = [](int length) { return bytes({0x82, 0xfe, length >> 8, length & 0xff}); };
  std::vector<Row> rows = {
      {"16 bits for 0", length16(0), {"fail(1002)"}},
      {"16 bits for 125", length16(125), {"fail(1002)"}},
      {"16 bits for 126",
       length16(126) + kZeroMask + std::string(126, 'a'),
       {"bin(" + std::string(126, 'a') + ")"}},
      {"16 bits, at the limit", length16(1024) + kZeroMask, {}},
      {"16 bits, over the limit", length16(1025), {"fail(1009)"}},
      {"16 bits, all ones", length16(65535), {"fail(1009)"}},
      {"7 bits, over the limit", binary("abcde"), {"fail(1009)"}, {.message_bytes = 4}},
      {"7 bits, at the limit", binary("abcd"), {"bin(abcd)"}, {.message_bytes = 4}},
      {"nothing allowed, empty", binary(""), {"bin()"}, {.message_bytes = 0}},
      {"nothing allowed, one", binary("a"), {"fail(1009)"}, {.message_bytes = 0}},
      {"sum at the limit",
       binary("ab", false) + more("cd", true),
       {"fragment()", "bin(abcd)"},
       {.message_bytes = 4}},
      {"sum over the limit",
       binary("ab", false) + more("cde", true),
       {"fragment()", "fail(1009)"},
       {.message_bytes = 4}},
      {"sum wraps",
       binary("ab", false) + bytes({0x80, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255}),
       {"fragment()", "fail(1009)"}},
      {"control frames do not count",
       binary("ab", false) + ping("12345") + more("cd", true),
       {"fragment()", "ping(12345)", "bin(abcd)"},
       {.message_bytes = 4}},
      {"the limit is per message",
       binary("abcd") + binary("efgh"),
       {"bin(abcd)", "bin(efgh)"},
       {.message_bytes = 4}},
      {"1 GiB announced", length64(1u << 30), {"fail(1009)"}},
      {"over the greatest limit",
       length64(uint64_t{1} << 63),
       {"fail(1002)"},
       {.message_bytes = SIZE_MAX}},
  };
  const uint64_t top = uint64_t{1} << 63;
  for (const uint64_t length : {top, top + 1, ~uint64_t{0}, ~uint64_t{0} - 1})
    rows.push_back({"top bit " + std::to_string(length), length64(length), {"fail(1002)"}});
  for (const uint64_t length :
       {top - 1, top - 2, uint64_t{65536}, uint64_t{1} << 31, uint64_t{1} << 32,
        (uint64_t{1} << 31) - 1, (uint64_t{1} << 32) - 1})
    rows.push_back({"too big " + std::to_string(length), length64(length), {"fail(1009)"}});
  for (const uint64_t length :
       {uint64_t{0}, uint64_t{1}, uint64_t{125}, uint64_t{126}, uint64_t{65535}})
    rows.push_back({"not minimal " + std::to_string(length), length64(length), {"fail(1002)"}});
  run(rows);
}

// Each is six bytes that nobody's limit on bytes would ever stop.
TEST(DecoderTable, EmptyFragments) {
  const Limits limits{.message_bytes = 4, .empty_fragments = 2};
  const std::string empty = more("", false);
  run({
      {"at the limit",
       text("a", false) + empty + empty + more("b", true),
       {"fragment()", "fragment()", "fragment()", "text(ab)"},
       limits},
      {"over the limit",
       text("a", false) + empty + empty + empty,
       {"fragment()", "fragment()", "fragment()", "fail(1008)"},
       limits},
      {"the first counts",
       text("", false) + empty + empty,
       {"fragment()", "fragment()", "fail(1008)"},
       limits},
      {"the last counts",
       binary("", false) + empty + more("", true),
       {"fragment()", "fragment()", "fail(1008)"},
       limits},
      {"others do not count",
       text("a", false) + empty + more("b", false) + empty + more("c", true),
       {"fragment()", "fragment()", "fragment()", "fragment()", "text(abc)"},
       limits},
      {"control frames do not count",
       text("a", false) + empty + ping("") + ping("") + empty + more("b", true),
       {"fragment()", "fragment()", "ping()", "ping()", "fragment()", "text(ab)"},
       limits},
      {"the limit is per message",
       text("a", false) + empty + empty + more("b", true) + text("c", false) + empty + empty +
           more("d", true),
       {"fragment()", "fragment()", "fragment()", "text(ab)", "fragment()", "fragment()",
        "fragment()", "text(cd)"},
       limits},
      {"whole messages do not count",
       text("") + text("") + text("") + text(""),
       {"text()", "text()", "text()", "text()"},
       limits},
      {"none allowed",
       text("a", false) + empty,
       {"fragment()", "fail(1008)"},
       {.message_bytes = 4, .empty_fragments = 0}},
  });
}

TEST(DecoderTable, Control) {
  const std::string full(125, 'p');
  std::vector<Row> rows = {
      {"empty ping", ping(""), {"ping()"}},
      {"ping of 125", ping(full), {"ping(" + full + ")"}},
      {"ping of any bytes",
       ping(bytes({0, 255, 128, 10})),
       {"ping(" + bytes({0, 255, 128, 10}) + ")"}},
      {"pong unasked", frame(Opcode::kPong, "x"), {"pong(x)"}},
      {"ten pings", ping("1") + ping("2") + ping("3"), {"ping(1)", "ping(2)", "ping(3)"}},
      {"ping inside fragments, each",
       text("a", false) + ping("1") + more("b", false) + ping("2") + more("", true),
       {"fragment()", "ping(1)", "fragment()", "ping(2)", "text(ab)"}},
  };
  for (const int opcode : {8, 9, 10}) {
    const std::string n = std::to_string(opcode);
    rows.push_back({"126 bytes " + n, bytes({0x80 | opcode, 0xfe, 0, 126}), {"fail(1002)"}});
    rows.push_back({"64 bit length " + n, bytes({0x80 | opcode, 0xff}), {"fail(1002)"}});
    rows.push_back({"not final " + n, bytes({opcode, 0x80}), {"fail(1002)"}});
  }
  run(rows);
}

TEST(DecoderTable, Close) {
  const std::string longest(123, 'r');
  std::vector<Row> rows = {
      {"no code", frame(Opcode::kClose, ""), {"close(1005,)"}},
      {"one byte", frame(Opcode::kClose, "a"), {"fail(1002)"}},
      // With the byte behind it, it would be a code.
      {"half a code", frame(Opcode::kClose, "\x03") + "\xe8", {"fail(1002)"}},
      {"reason", close_body(1000, "bye"), {"close(1000,bye)"}},
      {"longest reason", close_body(1000, longest), {"close(1000," + longest + ")"}},
      {"too long", frame(Opcode::kClose, bytes({3, 232}) + longest + "r"), {"fail(1002)"}},
      {"reason in UTF-8", close_body(1001, "\xe2\x82\xac"), {"close(1001,\xe2\x82\xac)"}},
      {"reason invalid", close_body(1000, "\xff"), {"fail(1007)"}},
      {"reason cut short", close_body(1000, "\xe2\x82"), {"fail(1007)"}},
      {"ping after", close_body(1000) + ping("x"), {"close(1000,)"}},
      {"message after", close_body(1000) + text("x"), {"close(1000,)"}},
      {"garbage after", close_body(1000) + std::string(20, '\xff'), {"close(1000,)"}},
      {"close after", close_body(1000) + close_body(1001), {"close(1000,)"}},
      {"message before", text("x") + close_body(1000), {"text(x)", "close(1000,)"}},
  };
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4999})
    rows.push_back(
        {std::to_string(code), close_body(code), {"close(" + std::to_string(code) + ",)"}});
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    rows.push_back({std::to_string(code), close_body(code), {"fail(1002)"}});
  run(rows);
}

TEST(DecoderTable, Utf8) {
  const std::string kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
  std::vector<Row> rows = {
      {"character cut by fragments",
       text("\xe2\x82", false) + more("\xac", true),
       {"fragment()", "text(\xe2\x82\xac)"}},
      {"character cut, ping between",
       text("\xe2", false) + ping("\xff") + more("\x82\xac", true),
       {"fragment()", "ping(\xff)", "text(\xe2\x82\xac)"}},
      {"character never finished",
       text("\xe2\x82", false) + more("", true),
       {"fragment()", "fail(1007)"}},
      {"bad in the first of two fragments", text(kosme + "\xed\xa0\x80", false), {"fail(1007)"}},
      {"bad in the second fragment",
       text(kosme, false) + more("\xf4\x90", false),
       {"fragment()", "fail(1007)"}},
      {"the next message starts afresh", binary("\xe2") + text("ok"), {"bin(\xe2)", "text(ok)"}},
      {"fragmented binary is not judged",
       binary("\xff", false) + more("\xfe", true),
       {"fragment()", "bin(\xff\xfe)"}},
      {"fast inside a frame",
       text(kosme + "\xf4\x90\x80\x80" + "edited").substr(0, 6 + 13),
       {"fail(1007)"}},
  };
  for (const std::string& valid :
       {std::string("a"), kosme, std::string("\xc2\x80"), std::string("\xdf\xbf"),
        std::string("\xe0\xa0\x80"), std::string("\xed\x9f\xbf"), std::string("\xee\x80\x80"),
        std::string("\xef\xbf\xbd"), std::string("\xef\xbf\xbf"), std::string("\xf0\x90\x80\x80"),
        std::string("\xf4\x8f\xbf\xbf"), std::string("\xef\xbb\xbf"), std::string("\x7f"),
        std::string("\0", 1), std::string("plain ascii of many words, \xe2\x82\xac and more")})
    rows.push_back({"valid " + valid, text(valid), {"text(" + valid + ")"}});
  for (const std::string bad : {"\x80",
                                "\xbf",
                                "\xc0\x80",
                                "\xc1\xbf",
                                "\xc2",
                                "\xc2\x20",
                                "\xe0\x80\x80",
                                "\xe0\x9f\xbf",
                                "\xe2\x82",
                                "\xe2\x28\xa1",
                                "\xed\xa0\x80",
                                "\xed\xbf\xbf",
                                "\xed\xa0\x80\xed\xb0\x80",
                                "\xf0\x80\x80\x80",
                                "\xf0\x8f\xbf\xbf",
                                "\xf0\x9f\x98",
                                "\xf4\x90\x80\x80",
                                "\xf5\x80\x80\x80",
                                "\xf8\x88\x80\x80\x80",
                                "\xfc\x84\x80\x80\x80\x80",
                                "\xfe",
                                "\xff",
                                "ascii\xff",
                                "\xff"
                                "ascii"})
    rows.push_back({"invalid " + bad, text(kosme + bad), {"fail(1007)"}});
  run(rows);
}

TEST(Decoder, FailsAtTheFirstByteThatTells) {
  const struct {
    std::string input;
    size_t verdict;  // bytes needed
  } cases[] = {
      {bytes({0xc1, 0x80, 0, 0, 0, 0}), 1},              // reserved bit
      {bytes({0x83, 0x80, 0, 0, 0, 0}), 1},              // opcode
      {bytes({0x80, 0x80, 0, 0, 0, 0}), 1},              // continuation of nothing
      {bytes({0x81, 0x05, 0, 0, 0, 0}), 2},              // not masked
      {bytes({0x89, 0xfe, 0, 0, 0, 0}), 2},              // long ping
      {bytes({0x82, 0xfe, 0xff, 0xff, 0, 0, 0, 0}), 4},  // too big
      {length64(1u << 30) + kZeroMask, 10},              // too big
      {bytes({0x81, 0x85}) + kZeroMask +
           "a\xf4\x90"
           "bc",
       9},  // UTF-8
  };
  for (const auto& c : cases) {
    Decoder decoder({.message_bytes = 1024});
    TraceSink sink;
    EXPECT_TRUE(feed(decoder, ByteView(c.input).substr(0, c.verdict - 1), sink));
    EXPECT_FALSE(feed(decoder, ByteView(c.input).substr(c.verdict - 1, 1), sink));
  }
}

TEST(Decoder, SaysNothingAfterAFailure) {
  Decoder decoder;
  TraceSink sink;
  EXPECT_FALSE(feed(decoder, "\xff", sink));
  EXPECT_TRUE(feed(decoder, text("x"), sink));
  EXPECT_EQ(sink.events(), Events{"fail(1002)"});
  EXPECT_EQ(decoder.held_bytes(), 0u);
}

TEST(Decoder, PausesAfterTheEventAndLeavesTheRestUntouched) {
  Decoder decoder;
  TraceSink sink(&decoder);
  std::string input = text("first") + text("second");
  const std::string tail = input.substr(text("first").size());
  const auto consumed = decoder.decode(input, sink);
  ASSERT_TRUE(consumed);
  EXPECT_EQ(*consumed, text("first").size());
  EXPECT_EQ(sink.events(), Events{"text(first)"});
  EXPECT_EQ(input.substr(*consumed), tail);
}

}  // namespace
}  // namespace parley::codec::websocket
