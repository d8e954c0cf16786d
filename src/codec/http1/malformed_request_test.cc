// Requests that two servers could read in two ways, or that nobody should read at all: each one is
// refused with its status, however it is cut, and nothing after it is decoded.
#include <set>

#include <gtest/gtest.h>

#include "codec/http1/request_transcript.h"
#include "tests/support/cuts.h"

namespace parley::codec::http1 {
namespace {

using namespace std::string_view_literals;
using enum DecodeError;

struct Case {
  std::string_view name;
  std::string_view bytes;
  int status;
  DecodeError error;
};

#define HOST "Host: a.example\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST
#define POST "POST / HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

const Case kLengths[] = {
    {"cl and te", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     kAmbiguousLength},
    {"te and cl", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400,
     kAmbiguousLength},
    {"cl and unknown te", POST "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", 400,
     kAmbiguousLength},
    {"cl twice", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400,
     kRepeatedContentLength},
    {"cl twice equal", POST "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello", 400,
     kRepeatedContentLength},
    {"cl list", POST "Content-Length: 5, 5\r\n\r\nhello", 400, kBadContentLength},
    {"cl trailing comma", POST "Content-Length: 5,\r\n\r\nhello", 400, kBadContentLength},
    {"cl plus", POST "Content-Length: +5\r\n\r\nhello", 400, kBadContentLength},
    {"cl minus", POST "Content-Length: -5\r\n\r\nhello", 400, kBadContentLength},
    {"cl minus zero", POST "Content-Length: -0\r\n\r\n", 400, kBadContentLength},
    {"cl hex", POST "Content-Length: 0x5\r\n\r\nhello", 400, kBadContentLength},
    {"cl octal", POST "Content-Length: 010\r\n\r\nhello", 400, kBadContentLength},
    {"cl space inside", POST "Content-Length: 1 1\r\n\r\nhello", 400, kBadContentLength},
    {"cl tab inside", POST "Content-Length: 1\t1\r\n\r\nhello", 400, kBadContentLength},
    {"cl empty", POST "Content-Length:\r\n\r\nhello", 400, kBadContentLength},
    {"cl blank", POST "Content-Length: \t \r\n\r\nhello", 400, kBadContentLength},
    {"cl decimal point", POST "Content-Length: 5.0\r\n\r\nhello", 400, kBadContentLength},
    {"cl exponent", POST "Content-Length: 5e0\r\n\r\nhello", 400, kBadContentLength},
    {"cl quoted", POST "Content-Length: \"5\"\r\n\r\nhello", 400, kBadContentLength},
    {"cl unit", POST "Content-Length: 5b\r\n\r\nhello", 400, kBadContentLength},
    {"cl 2^64", POST "Content-Length: 18446744073709551616\r\n\r\nhello", 400, kBadContentLength},
    {"cl 2^64-1", POST "Content-Length: 18446744073709551615\r\n\r\nhello", 413, kBodyTooLarge},
    {"cl 2^63", POST "Content-Length: 9223372036854775808\r\n\r\nhello", 413, kBodyTooLarge},
    {"cl arabic digit", POST "Content-Length: \xd9\xa5\r\n\r\nhello", 400, kBadContentLength},
    {"cl vertical tab", POST "Content-Length: \v5\r\n\r\nhello", 400, kBadHeaderValue},
    {"cl nul", POST "Content-Length: 5\0\r\n\r\nhello"sv, 400, kBadHeaderValue},
};

const Case kEncodings[] = {
    {"te xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, kBadTransferEncoding},
    {"te chunkedx", POST "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n", 400, kBadTransferEncoding},
    {"te identity", POST "Transfer-Encoding: identity\r\n\r\n", 400, kBadTransferEncoding},
    {"te gzip", POST "Transfer-Encoding: gzip\r\n\r\n", 400, kBadTransferEncoding},
    {"te gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400,
     kBadTransferEncoding},
    {"te chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400,
     kBadTransferEncoding},
    {"te chunked comma", POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", 400,
     kBadTransferEncoding},
    {"te comma chunked", POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 400,
     kBadTransferEncoding},
    {"te quoted", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400,
     kBadTransferEncoding},
    {"te parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 400,
     kBadTransferEncoding},
    {"te empty", POST "Transfer-Encoding:\r\n\r\n", 400, kBadTransferEncoding},
    {"te twice", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, kBadTransferEncoding},
    {"te identity and chunked",
     POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     kBadTransferEncoding},
    {"te vertical tab", POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400, kBadHeaderValue},
    {"te nbsp",
     POST "Transfer-Encoding: \xa0"
          "chunked\r\n\r\n0\r\n\r\n",
     400, kBadTransferEncoding},
    {"te space colon", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, kBadHeaderName},
    {"te folded", POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400, kObsoleteFold},
    {"te on 1.0", "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     kBadTransferEncoding},
    {"te bare lf smuggle", POST "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     kBadLineEnd},
};

const Case kChunks[] = {
    {"chunk 2^64", CHUNKED "10000000000000000\r\n", 400, kBadChunkSize},
    {"chunk 2^64+5", CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk 2^64-1", CHUNKED "ffffffffffffffff\r\n", 413, kBodyTooLarge},
    {"chunk 17 zeros", CHUNKED "00000000000000005\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk wraps the sum", CHUNKED "5\r\nhello\r\nfffffffffffffffb\r\n", 413, kBodyTooLarge},
    {"chunk plus", CHUNKED "+5\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk minus", CHUNKED "-5\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk 0x", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk leading space", CHUNKED " 5\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk trailing space", CHUNKED "5 \r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk underscore", CHUNKED "1_0\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk empty size", CHUNKED "\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk not hex", CHUNKED "g\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk bare lf", CHUNKED "5\nhello\r\n0\r\n\r\n", 400, kBadLineEnd},
    {"chunk bare cr", CHUNKED "5\rhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk cr cr lf", CHUNKED "5\r\r\nhello\r\n0\r\n\r\n", 400, kBadChunkSize},
    {"chunk data too long", CHUNKED "5\r\nhello!\r\n0\r\n\r\n", 400, kBadChunkEnd},
    {"chunk data too short", CHUNKED "5\r\nhell\r\n0\r\n\r\n", 400, kBadLineEnd},
    {"chunk data bare lf", CHUNKED "5\r\nhello\n0\r\n\r\n", 400, kBadLineEnd},
    {"chunk data no end", CHUNKED "5\r\nhello0\r\n\r\n", 400, kBadChunkEnd},
    {"chunk ext lf", CHUNKED "5;a\nb\r\nhello\r\n0\r\n\r\n", 400, kBadLineEnd},
    {"chunk ext quoted lf", CHUNKED "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", 400, kBadLineEnd},
    {"chunk ext cr", CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", 400, kBadChunkExtension},
    {"chunk ext nul", CHUNKED "5;a=\0\r\nhello\r\n0\r\n\r\n"sv, 400, kBadChunkExtension},
    {"chunk ext empty", CHUNKED "5;\r\nhello\r\n0\r\n\r\n", 400, kBadChunkExtension},
    {"chunk ext no value", CHUNKED "5;a=\r\nhello\r\n0\r\n\r\n", 400, kBadChunkExtension},
    {"chunk ext open quote", CHUNKED "5;a=\"b\r\nhello\r\n0\r\n\r\n", 400, kBadChunkExtension},
    {"chunk ext open escape", CHUNKED "5;a=\"\\\r\nhello\r\n0\r\n\r\n", 400, kBadChunkExtension},
    {"chunk ext space", CHUNKED "5; a\r\nhello\r\n0\r\n\r\n", 400, kBadChunkExtension},
    {"last chunk bare lf", CHUNKED "0\n\n", 400, kBadLineEnd},
    {"last chunk end bare lf", CHUNKED "0\r\n\n", 400, kBadLineEnd},
    {"trailer without colon", CHUNKED "0\r\nGET / HTTP/1.1\r\n\r\n", 400, kBadHeaderName},
    {"trailer fold", CHUNKED "0\r\nA: b\r\n c\r\n\r\n", 400, kObsoleteFold},
    {"trailer nul", CHUNKED "0\r\nA: \0\r\n\r\n"sv, 400, kBadHeaderValue},
};

const Case kHeaders[] = {
    {"bare lf everywhere", "GET / HTTP/1.1\nHost: a\n\n", 400, kBadLineEnd},
    {"bare lf after header", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400, kBadLineEnd},
    {"bare lf ends head", GET "\n", 400, kBadLineEnd},
    {"bare cr in value", GET "A: b\rC: d\r\n\r\n", 400, kBadHeaderValue},
    {"cr cr lf", GET "A: b\r\r\n\r\n", 400, kBadHeaderValue},
    {"bare cr line", GET "\rA: b\r\n\r\n", 400, kBadHeaderName},
    {"obs-fold", GET "A: b\r\n c\r\n\r\n", 400, kObsoleteFold},
    {"obs-fold tab", GET "A: b\r\n\tc\r\n\r\n", 400, kObsoleteFold},
    {"fold of the request line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, kObsoleteFold},
    {"fold of nothing", GET " \r\n\r\n", 400, kObsoleteFold},
    {"nul in value", GET "A: b\0c\r\n\r\n"sv, 400, kBadHeaderValue},
    {"escape in value", GET "A: \x1b[2J\r\n\r\n", 400, kBadHeaderValue},
    {"delete in value", GET "A: \x7f\r\n\r\n", 400, kBadHeaderValue},
    {"nul in name", GET "A\0B: c\r\n\r\n"sv, 400, kBadHeaderName},
    {"space before colon", GET "A : b\r\n\r\n", 400, kBadHeaderName},
    {"tab before colon", GET "A\t: b\r\n\r\n", 400, kBadHeaderName},
    {"space in name", GET "A B: c\r\n\r\n", 400, kBadHeaderName},
    {"empty name", GET ": b\r\n\r\n", 400, kBadHeaderName},
    {"no colon", GET "A\r\n\r\n", 400, kBadHeaderName},
    {"non-ascii name", GET "\xc3\xa4: b\r\n\r\n", 400, kBadHeaderName},
    {"separator in name", GET "A(b): c\r\n\r\n", 400, kBadHeaderName},
    {"unknown expectation", POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx", 417,
     kExpectationFailed},
    {"two expectations", POST "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n", 417,
     kExpectationFailed},
};

const Case kHosts[] = {
    {"no host", "GET / HTTP/1.1\r\n\r\n", 400, kMissingHost},
    {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, kRepeatedHost},
    {"two equal hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400, kRepeatedHost},
    {"two hosts on 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, kRepeatedHost},
    {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, kBadHost},
    {"host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, kBadHost},
    {"host with space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, kBadHost},
    {"host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, kBadHost},
    {"host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, kBadHost},
    {"host with scheme", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", 400, kBadHost},
    {"host with escape", "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n", 400, kBadHost},
    {"host non-ascii", "GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n", 400, kBadHost},
    {"host bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400, kBadHost},
    {"host large port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400, kBadHost},
    {"host empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400, kBadHost},
    {"host two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400, kBadHost},
    {"host open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, kBadHost},
    {"host empty brackets", "GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400, kBadHost},
    {"host bad address", "GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n", 400, kBadHost},
    {"host after bracket", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", 400, kBadHost},
    {"host differs", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, kHostMismatch},
    {"two origins", GET "Origin: https://a\r\nOrigin: https://b\r\n\r\n", 400, kRepeatedOrigin},
    {"two equal origins", GET "Origin: https://a\r\norigin: https://a\r\n\r\n", 400,
     kRepeatedOrigin},
};

const Case kRequestLines[] = {
    {"leading space", " GET / HTTP/1.1\r\n" HOST "\r\n", 400, kBadMethod},
    {"leading tab", "\tGET / HTTP/1.1\r\n" HOST "\r\n", 400, kBadMethod},
    {"leading lf", "\n" GET "\r\n", 400, kBadMethod},
    {"leading cr", "\r" GET "\r\n", 400, kBadLineEnd},
    {"two blank lines", "\r\n\r\n" GET "\r\n", 400, kBadMethod},
    {"tls hello", "\x16\x03\x01\x02", 400, kBadMethod},
    {"two spaces after method", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400, kBadVersion},
    {"tab after method", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400, kBadMethod},
    {"two spaces before version", "GET /  HTTP/1.1\r\n" HOST "\r\n", 400, kBadVersion},
    {"tab before version", "GET /\tHTTP/1.1\r\n" HOST "\r\n", 400, kBadRequestLine},
    {"space after version", "GET / HTTP/1.1 \r\n" HOST "\r\n", 400, kBadVersion},
    {"space in target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", 400, kBadVersion},
    {"method not a token", "G(T / HTTP/1.1\r\n" HOST "\r\n", 400, kBadMethod},
    {"method nul", "G\0T / HTTP/1.1\r\n" HOST "\r\n"sv, 400, kBadMethod},
    {"method only", "GET\r\n\r\n", 400, kBadRequestLine},
    {"http 0.9", "GET /\r\n", 505, kVersionNotSupported},
    {"http 0.9 post", "POST /\r\n", 400, kBadRequestLine},
    {"http 0.9 named", "GET / HTTP/0.9\r\n\r\n", 505, kVersionNotSupported},
    {"http 1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", 505, kVersionNotSupported},
    {"http 2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", 505, kVersionNotSupported},
    {"http2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, kVersionNotSupported},
    {"version case", "GET / http/1.1\r\n" HOST "\r\n", 400, kBadVersion},
    {"version without minor", "GET / HTTP/1\r\n" HOST "\r\n", 400, kBadVersion},
    {"version two digits", "GET / HTTP/1.10\r\n" HOST "\r\n", 400, kBadVersion},
    {"version comma", "GET / HTTP/1,1\r\n" HOST "\r\n", 400, kBadVersion},
    {"connect", "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n", 501, kMethodNotSupported},
    {"fragment", "GET /#a HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
    {"no slash", "GET a HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
    {"asterisk with get", "GET * HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
    {"asterisk and more", "OPTIONS *x HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
    {"target non-ascii", "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
    {"target nul", "GET /\0 HTTP/1.1\r\n" HOST "\r\n"sv, 400, kBadTarget},
    {"target bare cr", "GET /\r HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
    {"other scheme", "GET ftp://a.example/ HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
    {"scheme without host", "GET http:/// HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
    {"user in target", "GET http://u@a.example/ HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
    {"target backslash host", "GET http://a\\b/ HTTP/1.1\r\n" HOST "\r\n", 400, kBadTarget},
};

// Decodes one piece after the other; what follows the error must never be decoded.
void expect_refused(const Case& row, const std::vector<std::string_view>& pieces) {
  RequestDecoder decoder;
  for (auto in : pieces) {
    auto step = decoder.decode(in);
    while (step.state == RequestDecoder::kHeadersDone) {
      in.remove_prefix(step.consumed);
      step = decoder.decode(in);
    }
    ASSERT_NE(step.state, RequestDecoder::kRequest) << row.name;
    if (step.state == RequestDecoder::kNeedMore) continue;
    EXPECT_EQ(decoder.error(), row.error) << row.name << ": " << reason(decoder.error());
    EXPECT_EQ(http_status(decoder.error()), row.status) << row.name;
    const auto again = decoder.decode(GET "\r\n");
    EXPECT_EQ(again.consumed, 0u) << row.name;
    EXPECT_EQ(again.state, RequestDecoder::kError) << row.name;
    return;
  }
  FAIL() << row.name << ": not refused";
}

template <size_t N>
void expect_all_refused(const Case (&table)[N]) {
  for (const auto& row : table)
    testing::for_each_cut(row.bytes, [&](const auto& pieces) { expect_refused(row, pieces); });
}

TEST(MalformedRequestTest, AmbiguousLengthsAreRefused) { expect_all_refused(kLengths); }
TEST(MalformedRequestTest, AmbiguousEncodingsAreRefused) { expect_all_refused(kEncodings); }
TEST(MalformedRequestTest, MalformedChunksAreRefused) { expect_all_refused(kChunks); }
TEST(MalformedRequestTest, MalformedHeadersAreRefused) { expect_all_refused(kHeaders); }
TEST(MalformedRequestTest, MalformedHostsAreRefused) { expect_all_refused(kHosts); }
TEST(MalformedRequestTest, MalformedRequestLinesAreRefused) { expect_all_refused(kRequestLines); }

TEST(MalformedRequestTest, EachRefusalHasANameForMetricsAndAReason) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kDecodeErrors; ++i) {
    const auto error = static_cast<DecodeError>(i);
    EXPECT_TRUE(names.insert(name(error)).second) << name(error);
    EXPECT_EQ(name(error).find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), name(error).npos);
    if (error == DecodeError::kNone) continue;
    EXPECT_FALSE(name(error).empty() || reason(error).empty()) << i;
    EXPECT_GE(http_status(error), 400) << name(error);
  }
}

// Every byte value at the places where a lenient parser would let it through.
TEST(MalformedRequestTest, EachByteValueInEachPlace) {
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const auto state_of = [&](std::string_view before, std::string_view after) {
      std::string bytes(before);
      bytes += c;
      bytes += after;
      return RequestDecoder().decode(bytes).state;
    };
    const bool in_value = value == '\t' || (value >= 0x20 && value != 0x7f);
    EXPECT_EQ(state_of(GET "A: b", "c\r\n\r\n") == RequestDecoder::kRequest, in_value) << value;
    const bool in_name =
        std::isalnum(value) != 0 ? value < 128 : std::string_view("!#$%&'*+-.^_`|~").contains(c);
    EXPECT_EQ(state_of(GET "A", "B: c\r\n\r\n") == RequestDecoder::kRequest,
              in_name || value == ':')
        << value;
    EXPECT_EQ(state_of("G", "T / HTTP/1.1\r\n" HOST "\r\n") == RequestDecoder::kRequest, in_name)
        << value;
    const bool in_target = value > 0x20 && value < 0x7f && value != '#';
    EXPECT_EQ(state_of("GET /a", "b HTTP/1.1\r\n" HOST "\r\n") == RequestDecoder::kRequest,
              in_target)
        << value;
  }
}

}  // namespace
}  // namespace parley::codec::http1
