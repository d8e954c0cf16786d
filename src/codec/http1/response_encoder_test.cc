#include "codec/http1/response_encoder.h"

#include <vector>

#include <gtest/gtest.h>

namespace parley::codec::http1 {
namespace {

using Kind = ResponseFraming::Kind;

std::string head(int status, std::vector<HeaderView> headers, ResponseFraming framing) {
  Buffer out = "before|";
  return encode_response_head(status, headers, framing, out) ? out : "refused";
}

TEST(ResponseEncoderTest, WritesHeads) {
  EXPECT_EQ(head(200, {{"A", "b"}, {"C", ""}}, {.length = 12}),
            "before|HTTP/1.1 200 OK\r\nA: b\r\nC: \r\nContent-Length: 12\r\n\r\n");
  EXPECT_EQ(head(404, {}, {.kind = Kind::kChunked, .close = true}),
            "before|HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: "
            "close\r\n\r\n");
  EXPECT_EQ(head(299, {}, {.kind = Kind::kUntilClose}),
            "before|HTTP/1.1 299 \r\nConnection: close\r\n\r\n");
  EXPECT_EQ(head(101, {{"Connection", "Upgrade"}}, {.length = 5}),
            "before|HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n");
  EXPECT_EQ(head(204, {}, {.kind = Kind::kChunked}), "before|HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(head(100, {}, {}), "before|HTTP/1.1 100 Continue\r\n\r\n");
}

TEST(ResponseEncoderTest, RefusesWhatWouldSplitTheResponse) {
  for (int value = 0; value < 256; ++value) {
    const std::string text = std::string("a") + static_cast<char>(value) + "b";
    const bool control = (value < 0x20 && value != '\t') || value == 0x7f;
    EXPECT_EQ(head(200, {{"A", text}}, {}) == "refused", control) << value;
  }
  for (const auto* name : {"", "A B", "A:", "A\r\nB", "A\n", "Content-Length", "transfer-encoding"})
    EXPECT_EQ(head(200, {{"Good", "x"}, {name, "b"}}, {}), "refused") << name;
  EXPECT_EQ(head(99, {}, {}), "refused");
  EXPECT_EQ(head(1000, {}, {}), "refused");
  Buffer out = "kept";
  EXPECT_FALSE(encode_response_head(200, std::vector<HeaderView>{{"A", "\n"}}, {}, out));
  EXPECT_EQ(out, "kept");
}

TEST(ResponseEncoderTest, WritesChunks) {
  Buffer out;
  encode_chunk("hello", out);
  encode_chunk("", out);
  encode_chunk(std::string(26, 'x'), out);
  encode_last_chunk(out);
  EXPECT_EQ(out, "5\r\nhello\r\n1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
}

TEST(ResponseEncoderTest, KnowsPhrasesAndBodies) {
  EXPECT_EQ(reason_phrase(100), "Continue");
  EXPECT_EQ(reason_phrase(505), "HTTP Version Not Supported");
  EXPECT_EQ(reason_phrase(506), "");
  EXPECT_EQ(reason_phrase(0), "");
  EXPECT_TRUE(status_has_body(200));
  EXPECT_FALSE(status_has_body(103));
  EXPECT_FALSE(status_has_body(304));
}

}  // namespace
}  // namespace parley::codec::http1
