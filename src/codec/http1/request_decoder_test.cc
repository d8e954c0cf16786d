#include "codec/http1/request_decoder.h"

#include <gtest/gtest.h>

#include "codec/http1/request_transcript.h"
#include "tests/support/cuts.h"

namespace parley::codec::http1 {
namespace {

struct Conversation {
  std::string_view bytes;
  std::string_view transcript;
};

const Conversation kAccepted[] = {
    {"GET /a?b=c HTTP/1.1\r\nHost: x:8080\r\n\r\n",
     "request GET /a?b=c [/a][b=c] 1.1 keep-alive\nHost=x:8080\n\nidle\n"},
    {"GET / HTTP/1.1\r\nHOST:[::1]:80\r\nA:\t b c \t\r\nEmpty:\r\n\r\n",
     "request GET / [/][] 1.1 keep-alive\nHOST=[::1]:80\nA=b c\nEmpty=\n\nidle\n"},
    {"\r\nGET / HTTP/1.0\r\n\r\n", "request GET / [/][] 1.0\n\nidle\n"},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive, Upgrade\r\n\r\n",
     "request GET / [/][] 1.0 keep-alive\nConnection=Keep-Alive, Upgrade\n\nidle\n"},
    {"GET / HTTP/1.1\r\nHost: x\r\nConnection: a , close\r\n\r\n",
     "request GET / [/][] 1.1\nHost=x\nConnection=a , close\n\nidle\n"},
    {"GET http://X:1?a=b HTTP/1.1\r\nHost: x:1\r\n\r\n",
     "request GET http://X:1?a=b [/][a=b] 1.1 keep-alive\nHost=x:1\n\nidle\n"},
    {"GET HTTPS://x/y?? HTTP/1.1\r\nHost: x\r\n\r\n",
     "request GET HTTPS://x/y?? [/y][?] 1.1 keep-alive\nHost=x\n\nidle\n"},
    {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
     "request OPTIONS * [*][] 1.1 keep-alive\nHost=x\n\nidle\n"},
    {"M-SEARCH //a/../{b}|%zz HTTP/1.1\r\nHost: x\r\n\r\n",
     "request M-SEARCH //a/../{b}|%zz [//a/../{b}|%zz][] 1.1 keep-alive\nHost=x\n\nidle\n"},
    {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
     "head GET / [/][] 1.1 keep-alive\nHost=x\nContent-Length=2\n"
     "request GET / [/][] 1.1 keep-alive\nHost=x\nContent-Length=2\nhi\nidle\n"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n",
     "request POST / [/][] 1.1 "
     "keep-alive\nHost=x\nContent-Length=0\nExpect=100-continue\n\nidle\n"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
     "2\r\n\r\n\r\n0A;a;b=c;d=\"e\\\"\"\r\n0123456789\r\n000;x\r\nContent-Length: 3\r\nA: "
     "b\r\n\r\n",
     "head POST / [/][] 1.1 keep-alive\nHost=x\nTransfer-Encoding=Chunked\n"
     "request POST / [/][] 1.1 keep-alive\nHost=x\nTransfer-Encoding=Chunked\n"
     "\r\n0123456789\nidle\n"},
    {"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET /3 HTTP",
     "request GET /1 [/1][] 1.1 keep-alive\nHost=x\n\n"
     "request GET /2 [/2][] 1.1 keep-alive\nHost=x\n\nopen\n"},
    {"\r\n", "idle\n"},
    {"G", "open\n"},
};

TEST(RequestDecoderTest, DecodesTheSameAtEveryCut) {
  for (const auto& row : kAccepted)
    testing::for_each_cut(
        row.bytes, [&](const auto& pieces) { EXPECT_EQ(transcript_of(pieces), row.transcript); });
}

TEST(RequestDecoderTest, LeavesWhatFollowsTheRequest) {
  const std::string_view head =
      "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
      "websocket\r\n\r\n";
  RequestDecoder decoder;
  const auto step = decoder.decode(std::string(head) + "\x81\x80next");
  EXPECT_EQ(step.state, RequestDecoder::kRequest);
  EXPECT_EQ(step.consumed, head.size());
  EXPECT_TRUE(decoder.request().upgrade);
  EXPECT_EQ(decoder.decode("\x81").consumed, 0u);
}

TEST(RequestDecoderTest, HeadersAreDoneBeforeTheBodyIsTouched) {
  const std::string_view head =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nexpect: 100-Continue\r\n\r\n";
  RequestDecoder decoder;
  auto step = decoder.decode(std::string(head) + "hello");
  EXPECT_EQ(step.state, RequestDecoder::kHeadersDone);
  EXPECT_EQ(step.consumed, head.size());
  EXPECT_TRUE(decoder.request().expect_continue);
  step = decoder.decode("");
  EXPECT_EQ(step.state, RequestDecoder::kNeedMore);
  step = decoder.decode("hello!");
  EXPECT_EQ(step.state, RequestDecoder::kRequest);
  EXPECT_EQ(step.consumed, 5u);
  EXPECT_EQ(decoder.request().body, "hello");
}

TEST(RequestDecoderTest, IdleHoldsNothing) {
  EXPECT_LE(sizeof(RequestDecoder), 48u);
  RequestDecoder decoder;
  EXPECT_TRUE(decoder.idle());
  EXPECT_EQ(decoder.decode("").state, RequestDecoder::kNeedMore);
  decoder.decode("\r");
  EXPECT_TRUE(decoder.idle());
  decoder.decode("\n");
  EXPECT_TRUE(decoder.idle());
  decoder.decode("G");
  EXPECT_FALSE(decoder.idle());
  decoder.decode("ET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_FALSE(decoder.idle());
  decoder.reset();
  EXPECT_TRUE(decoder.idle());
  EXPECT_EQ(decoder.decode("\x16").state, RequestDecoder::kError);
  EXPECT_FALSE(decoder.idle());
  decoder.reset();
  EXPECT_EQ(decoder.error(), DecodeError::kNone);
  EXPECT_EQ(decoder.decode("GET / HTTP/1.0\r\n\r\n").state, RequestDecoder::kRequest);
}

TEST(RequestDecoderTest, TheBodyLimitCanBeLoweredPerRequest) {
  const std::string_view head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
  RequestDecoder decoder(Limits{.body_bytes = 5});
  decoder.decode(head);
  decoder.limit_body(100);
  EXPECT_EQ(decoder.decode("hello").state, RequestDecoder::kRequest);
  decoder.reset();
  decoder.decode(head);
  decoder.limit_body(4);
  EXPECT_EQ(decoder.decode("").state, RequestDecoder::kError);
  EXPECT_EQ(decoder.error(), DecodeError::kBodyTooLarge);
  decoder.reset();
  decoder.decode("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  decoder.limit_body(4);
  EXPECT_EQ(decoder.decode("3\r\nabc\r\n2\r\n").state, RequestDecoder::kError);
  EXPECT_EQ(decoder.error(), DecodeError::kBodyTooLarge);
  decoder.reset();
  decoder.decode(head);
  EXPECT_EQ(decoder.decode("hello").state, RequestDecoder::kRequest) << "not sticky";
}

// Each limit at its value (accepted) and one beyond (refused).
struct LimitCase {
  std::string_view name;
  Limits limits;
  std::string fits;
  std::string exceeds;
  int status;
};

std::string get(std::string_view target, std::string_view headers) {
  return "GET " + std::string(target) + " HTTP/1.0\r\n" + std::string(headers) + "\r\n";
}
std::string chunked(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

TEST(RequestDecoderTest, EachLimitHoldsAtEveryCut) {
  const std::string fill(22, 'x');
  const LimitCase cases[] = {
      {"request line", {.request_line = 20}, get("/1234", ""), get("/12345", ""), 414},
      {"header bytes",
       {.header_bytes = 11},
       get("/", "A: 1234\r\n"),
       get("/", "A: 12345\r\n"),
       431},
      {"headers",
       {.header_count = 2},
       get("/", "A:\r\nB:\r\n"),
       get("/", "A:\r\nB:\r\nC:\r\n"),
       431},
      {"plain body",
       {.body_bytes = 3},
       "PUT / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
       "PUT / HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcd",
       413},
      {"chunked body",
       {.body_bytes = 3},
       chunked("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
       chunked("1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n"),
       413},
      {"chunk line",
       {},
       chunked("0;" + std::string(252, 'a') + "\r\n\r\n"),
       chunked("0;" + std::string(253, 'a') + "\r\n\r\n"),
       400},
      {"chunk extensions",
       {.header_bytes = 50},
       chunked("1;" + fill + "\r\na\r\n0;" + fill + "\r\n\r\n"),
       chunked("1;" + fill + "\r\na\r\n1;" + fill + "\r\nb\r\n0;" + fill + "\r\n\r\n"),
       400},
      {"trailer bytes",
       {.header_bytes = 50},
       chunked("0\r\nA:" + fill + fill + "\r\n\r\n"),
       chunked("0\r\nA:" + fill + fill + "x\r\n\r\n"),
       431},
      {"trailers",
       {.header_count = 2},
       chunked("0\r\nA:\r\nB:\r\n\r\n"),
       chunked("0\r\nA:\r\nB:\r\nC:\r\n\r\n"),
       431},
  };
  for (const auto& row : cases) {
    const auto last_error = [&](const std::vector<std::string_view>& pieces) {
      const auto text = transcript_of(pieces, row.limits);
      const size_t at = text.find("error ");
      return at == std::string::npos ? DecodeError::kNone
                                     : static_cast<DecodeError>(std::stoi(text.substr(at + 6)));
    };
    testing::for_each_cut(row.fits, [&](const auto& pieces) {
      EXPECT_EQ(last_error(pieces), DecodeError::kNone) << row.name;
    });
    testing::for_each_cut(row.exceeds, [&](const auto& pieces) {
      EXPECT_EQ(http_status(last_error(pieces)), row.status) << row.name;
    });
  }
}

TEST(RequestDecoderTest, AnEndlessLineIsRefusedAtTheLimit) {
  RequestDecoder decoder;
  const std::string line(8 * 1024, 'a');
  EXPECT_EQ(decoder.decode(line).state, RequestDecoder::kNeedMore);
  EXPECT_EQ(decoder.decode("a").state, RequestDecoder::kError);
  EXPECT_EQ(http_status(decoder.error()), 414);
}

// A million steps; a decoder that looked at old bytes again would touch 2^39 of them.
TEST(RequestDecoderTest, ADribbledHeaderIsDecoded) {
  RequestDecoder decoder(Limits{.header_bytes = 1 << 20});
  decoder.decode("GET / HTTP/1.1\r\nHost: x\r\nA: ");
  const std::string value((1 << 20) - 100, 'v');
  for (const char c : value)
    ASSERT_EQ(decoder.decode(std::string_view(&c, 1)).state, RequestDecoder::kNeedMore);
  EXPECT_EQ(decoder.decode("\r\n\r\n").state, RequestDecoder::kRequest);
  EXPECT_EQ(decoder.request().header("a"), value);
}

TEST(RequestDecoderTest, AnAnnouncedBodyReservesNothing) {
  RequestDecoder decoder;
  decoder.decode("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n");
  EXPECT_LT(decoder.request().body.capacity(), 64u);
}

TEST(RequestDecoderTest, SaysHowMuchOfABodyIsToCome) {
  RequestDecoder decoder;
  EXPECT_EQ(decoder.body_left(), 0u);
  decoder.decode("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n");
  EXPECT_EQ(decoder.body_left(), 0u);
  EXPECT_EQ(decoder.decode("\r\n").state, RequestDecoder::kHeadersDone);
  decoder.decode("ab");
  EXPECT_EQ(decoder.body_left(), 98u);
  EXPECT_EQ(decoder.decode(std::string(98, 'c')).state, RequestDecoder::kRequest);
  EXPECT_EQ(decoder.body_left(), 0u);
  decoder.reset();
  EXPECT_EQ(decoder.body_left(), 0u);

  // Of chunks only the one that has begun is known.
  const std::string_view head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(decoder.decode(head).state, RequestDecoder::kHeadersDone);
  decoder.decode("40\r\nabcd");
  EXPECT_EQ(decoder.body_left(), 60u);
  decoder.decode(std::string(60, 'e') + "\r\n");
  EXPECT_EQ(decoder.body_left(), 0u);
  EXPECT_EQ(decoder.decode("x\r\n").state, RequestDecoder::kError);
  EXPECT_EQ(decoder.body_left(), 0u);
}

TEST(RequestTest, FindsHeadersTokensAndParameters) {
  RequestDecoder decoder;
  decoder.decode(
      "GET /?a=1&a=2&b=x%2By+z&c&bad=%2 HTTP/1.1\r\nHost: x\r\nAccept: a\r\naccept: b, C "
      ",d\r\n\r\n");
  const auto& request = decoder.request();
  EXPECT_EQ(request.header("ACCEPT"), "a");
  EXPECT_EQ(request.header("Missing"), "");
  EXPECT_EQ(request.query_param("a"), "1");
  EXPECT_EQ(request.query_param("b"), "x+y z");
  EXPECT_EQ(request.query_param("c"), "");
  EXPECT_EQ(request.query_param("bad"), std::nullopt);
  EXPECT_EQ(request.query_param("d"), std::nullopt);
}

}  // namespace
}  // namespace parley::codec::http1
