#include <random>

#include <gtest/gtest.h>

#include "codec/sse/encoder.h"
#include "codec/sse/trace_sink.h"
#include "tests/support/cuts.h"

namespace parley::codec::sse {
namespace {

using Log = std::vector<std::string>;
using namespace std::literals;

struct Row {
  std::string name, input;
  Log log;
  Limits limits = {};
};

void run(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    testing::for_each_cut(row.input, [&](const std::vector<std::string_view>& pieces) {
      Decoder decoder(row.limits);
      TraceSink sink;
      for (const auto piece : pieces)
        if (!feed(decoder, piece, sink)) break;
      ASSERT_EQ(sink.log(), row.log);
    });
  }
}

TEST(SseDecoder, ExamplesOfTheStandard) {
  run({
      {"three messages",
       "data: This is the first message.\n\ndata: This is the second message, it\n"
       "data: has two lines.\n\ndata: This is the third message.\n\n",
       {"event message|This is the first message.|",
        "event message|This is the second message, it\nhas two lines.|",
        "event message|This is the third message.|"}},
      {"types",
       "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
       {"event add|73857293|", "event remove|2153|"}},
      {"stock ticker", "data: YHOO\ndata: +2\ndata: 10\n\n", {"event message|YHOO\n+2\n10|"}},
      {"ids",
       ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third "
       "event\n\n",
       {"comment  test stream", "event message|first event|1", "event message|second event|",
        "event message| third event|"}},
      {"empty data", "data\n\ndata\ndata\n\ndata:", {"event message||", "event message|\n|"}},
      {"one space", "data:test\n\ndata: test\n\n", {"event message|test|", "event message|test|"}},
  });
}

TEST(SseDecoder, LinesAndFields) {
  run({
      {"nothing", "", {}},
      {"CR", "data: a\r\rdata: b\r\r", {"event message|a|", "event message|b|"}},
      {"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", {"event message|a|", "event message|b|"}},
      {"mixed", "data: a\r\ndata: b\rdata: c\n\r\n", {"event message|a\nb\nc|"}},
      {"CR LF CR", "data: a\r\n\rdata: b\n\n", {"event message|a|", "event message|b|"}},
      {"LF CR is two", "data: a\n\rdata: b\n\n", {"event message|a|", "event message|b|"}},
      {"U+2028 ends no line",
       "data: a\xe2\x80\xa8"
       "b\n\n",
       {"event message|a\xe2\x80\xa8"
        "b|"}},
      {"form feed and VT end no line", "data: a\f\vb\n\n", {"event message|a\f\vb|"}},
      {"cut off", "data: a\n", {}},
      {"cut off inside a line", "data: a\n\ndata: b", {"event message|a|"}},
      {"mark",
       "\xef\xbb\xbf"
       "data: a\n\n",
       {"event message|a|"}},
      {"mark alone", "\xef\xbb\xbf", {}},
      {"half a mark", "\xef\xbb", {}},
      {"half a mark then more",
       "\xef\xbb"
       "data: a\ndata: b\n\n",
       {"event message|b|"}},
      {"two marks",
       "\xef\xbb\xbf\xef\xbb\xbf"
       "data: a\n\n",
       {}},
      {"a mark later",
       "data: a\n\n\xef\xbb\xbf"
       "data: b\n\n",
       {"event message|a|"}},
      {"half a mark, then line end", "\xef\xbb\ndata: b\n\n", {"event message|b|"}},
      {"unknown field", "foo: bar\nDATA: x\n data: y\ndata : z\n\n", {}},
      {"colon in value", "data: a: b\n\n", {"event message|a: b|"}},
      {"two spaces", "data:  a\n\n", {"event message| a|"}},
      {"tab is kept", "data:\ta\n\n", {"event message|\ta|"}},
      {"NUL in data", "data: a\0b\n\n"s, {"event message|a\0b|"s}},
      {"last type wins", "event: a\nevent: b\ndata: x\n\n", {"event b|x|"}},
      {"empty type", "event: a\nevent\ndata: x\n\n", {"event message|x|"}},
      {"type without data is forgotten", "event: a\n\ndata: x\n\n", {"event message|x|"}},
      {"id without data is kept", "id: 7\n\ndata: x\n\n", {"event message|x|7"}},
      {"id stays", "id: 7\ndata: x\n\ndata: y\n\n", {"event message|x|7", "event message|y|7"}},
      {"id cleared",
       "id: 7\ndata: x\n\nid\ndata: y\n\n",
       {"event message|x|7", "event message|y|"}},
      {"id with NUL", "id: 7\nid: a\0b\ndata: x\n\n"s, {"event message|x|7"}},
      {"retry", "retry: 1500\n\n", {"retry 1500"}},
      {"retry at once", "retry: 1\nretry:2\n", {"retry 1", "retry 2"}},
      {"retry bad",
       "retry: -1\nretry: 1s\nretry: +1\nretry:  1\nretry:\nretry\nretry: 0x1\nretry: 1.5\n"
       "retry: 4294967296\n",
       {}},
      {"comments", ":\n: a\n::b\n", {"comment ", "comment  a", "comment :b"}},
      {"comment inside an event", "data: a\n:x\ndata: b\n\n", {"comment x", "event message|a\nb|"}},
      {"blank lines", "\n\n\r\r\n\ndata: a\n\n\n\n", {"event message|a|"}},
      {"bytes that are no UTF-8", "data: \xff\n\n", {"event message|\xff|"}},
  });
}

TEST(SseDecoder, Limits) {
  const sse::Limits line{.line_bytes = 8, .event_bytes = 100};
  const sse::Limits event{.line_bytes = 100, .event_bytes = 6};
  run({
      {"line at the limit", "data: ab\n\n", {"event message|ab|"}, line},
      {"line over it", "data: abc\n\n", {"fail line too long"}, line},
      {"line without end", "data: abcd", {"fail line too long"}, line},
      {"comment over it", ":12345678\n", {"fail line too long"}, line},
      {"half a mark counts",
       "\xef\xbb"
       "1234567\n",
       {"fail line too long"},
       line},
      {"half a mark over a tiny limit",
       "\xef\xbb"
       "1",
       {"fail line too long"},
       {1, 1}},
      {"data at the limit", "data:12\ndata:45\n\n", {"event message|12\n45|"}, event},
      {"data over it", "data:12\ndata:456\n\n", {"fail event too big"}, event},
      {"all together", "event:12\nid:34\ndata:56\n\n", {"fail event too big"}, event},
      {"many empty lines of data",
       "data\ndata\ndata\ndata\ndata\ndata\ndata\n",
       {"fail event too big"},
       event},
      {"each event for itself",
       "data:12345\n\ndata:12345\n\n",
       {"event message|12345|", "event message|12345|"},
       event},
      {"silence afterwards", "data:1234567\n\ndata:1\n\n", {"fail event too big"}, event},
  });
}

TEST(SseDecoder, SaysNothingAfterAFailure) {
  Decoder decoder({.line_bytes = 3});
  TraceSink sink;
  EXPECT_FALSE(feed(decoder, "12345", sink));
  EXPECT_TRUE(feed(decoder, ":a\n", sink));
  EXPECT_EQ(sink.log(), Log{"fail line too long"});
}

TEST(SseDecoder, TellsWhatAReconnectSends) {
  Decoder decoder;
  TraceSink sink;
  feed(decoder, "id: 5\n", sink);
  EXPECT_EQ(decoder.last_event_id(), "");
  feed(decoder, "\n", sink);
  EXPECT_EQ(decoder.last_event_id(), "5");
}

TEST(SseEncoder, Table) {
  const struct {
    Event event;
    std::string expected;
  } cases[] = {
      {{.data = "a"}, "data: a\n\n"},
      {{.data = ""}, "data: \n\n"},
      {{}, "\n"},
      {{.data = "a\nb"}, "data: a\ndata: b\n\n"},
      {{.data = "a\r\nb"}, "data: a\ndata: b\n\n"},
      {{.data = "a\rb"}, "data: a\ndata: b\n\n"},
      {{.data = "a\n\rb"}, "data: a\ndata: \ndata: b\n\n"},
      {{.data = "a\n"}, "data: a\ndata: \n\n"},
      {{.data = "\n"}, "data: \ndata: \n\n"},
      {{.data = "\r\n"}, "data: \ndata: \n\n"},
      {{.data = " a"}, "data:  a\n\n"},
      {{.data = "a\nid: 9\n\nevent: x"}, "data: a\ndata: id: 9\ndata: \ndata: event: x\n\n"},
      {{.event = "add", .id = "7", .data = "a", .retry_ms = 1500},
       "id: 7\nevent: add\nretry: 1500\ndata: a\n\n"},
      {{.id = ""}, "id: \n\n"},
      {{.retry_ms = 4294967295}, "retry: 4294967295\n\n"},
  };
  for (const auto& c : cases) {
    Buffer out = "before";
    EXPECT_TRUE(encode_event(c.event, out));
    EXPECT_EQ(out, "before" + c.expected);
  }
}

TEST(SseEncoder, RefusesWhatWouldInjectLines) {
  for (const std::string_view bad :
       {"\r"sv, "\n"sv, "\0"sv, "a\nb"sv, "a\rdata: x"sv, "a\r\n\r\n"sv, "a\0"sv}) {
    Buffer out = "before";
    EXPECT_FALSE(encode_event({.event = bad, .data = "x"}, out));
    EXPECT_FALSE(encode_event({.id = bad, .data = "x"}, out));
    EXPECT_EQ(out, "before");
  }
}

TEST(SseEncoder, CommentsStayOneLine) {
  Buffer out;
  encode_comment("", out);
  encode_comment("a\r\ndata: b\n\nc", out);
  EXPECT_EQ(out, ":\n\n:a  data: b  c\n\n");
  Decoder decoder;
  TraceSink sink;
  feed(decoder, out, sink);
  EXPECT_EQ(sink.log(), (Log{"comment ", "comment a  data: b  c"}));
}

// What a client sees of `data`.
std::string normalized(std::string_view data) {
  std::string out;
  for (size_t i = 0; i < data.size(); ++i) {
    if (data[i] == '\n' && i > 0 && data[i - 1] == '\r') continue;
    out.push_back(data[i] == '\r' ? '\n' : data[i]);
  }
  return out;
}

TEST(Sse, RandomEventsOfControlCharactersComeBack) {
  const std::string_view parts[] = {"\r",           "\n",           "\r\n",  "\0"sv, "\xe2\x80\xa8",
                                    "\xe2\x80\xa9", "\xef\xbb\xbf", ":",     " ",    "a",
                                    "data: ",       "id: 1",        "\x85",  "\f",   "\x1b",
                                    "\x7f",         "\t",           "event:"};
  std::mt19937 rng(3);
  const auto random_text = [&] {
    std::string out;
    for (size_t n = rng() % 6; n > 0; --n) out += parts[rng() % std::size(parts)];
    return out;
  };
  int refused = 0;
  for (int round = 0; round < 10'000; ++round) {
    const std::string type = random_text(), id = random_text(), data = random_text();
    Buffer out;
    if (!encode_event({.event = type, .id = id, .data = data}, out)) {
      ASSERT_NE((type + id).find_first_of("\r\n\0"sv), std::string::npos);
      ++refused;
      continue;
    }
    Decoder decoder;
    TraceSink sink;
    const size_t cut = rng() % (out.size() + 1);
    ASSERT_TRUE(feed(decoder, ByteView(out).substr(0, cut), sink));
    ASSERT_TRUE(feed(decoder, ByteView(out).substr(cut), sink));
    const TraceSink::Seen expected{type.empty() ? "message" : type, normalized(data), id};
    ASSERT_EQ(sink.seen(), std::vector{expected});
    ASSERT_EQ(sink.log().size(), 1u);
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 9000);
}

}  // namespace
}  // namespace parley::codec::sse
