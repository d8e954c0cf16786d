// What a client may offer, and what it is answered.
#include "codec/websocket/deflate_terms.h"

#include <gtest/gtest.h>

#include "codec/websocket/handshake.h"

namespace parley::codec::websocket {
namespace {

constexpr std::string_view kAnswer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

std::string answer_to(std::string_view offers) {
  const auto terms = negotiate_deflate(offers);
  if (!terms) return "malformed";
  return *terms ? (*terms)->answer() : "declined";
}
std::string window(int bits) {
  return std::string(kAnswer) + "; server_max_window_bits=" + std::to_string(bits);
}
std::string offer(std::string_view parameters) {
  return "permessage-deflate; " + std::string(parameters);
}

TEST(DeflateTerms, ParametersThatAreHonoured) {
  const std::string_view offers[] = {
      "permessage-deflate",
      "permessage-deflate; client_max_window_bits",  // browsers
      "permessage-deflate; client_max_window_bits=8",
      "permessage-deflate; client_max_window_bits=15",
      "permessage-deflate; client_max_window_bits=\"10\"",
      "permessage-deflate; server_no_context_takeover",
      "permessage-deflate; client_no_context_takeover",
      "permessage-deflate; client_no_context_takeover; server_no_context_takeover; "
      "client_max_window_bits",
      "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
      "  permessage-deflate\t;\tserver_no_context_takeover ; client_max_window_bits = 9 ",
      "Permessage-Deflate; SERVER_NO_CONTEXT_TAKEOVER; Client_Max_Window_Bits",
  };
  for (const auto offered : offers) EXPECT_EQ(answer_to(offered), kAnswer) << offered;
}

TEST(DeflateTerms, TheWindowIsTheAskedOneOrSmaller) {
  const int given[] = {9, 9, 9, 12, 12, 12, 15};
  for (int asked = 9; asked <= 15; ++asked) {
    const std::string bits = std::to_string(asked);
    EXPECT_EQ(answer_to(offer("server_max_window_bits=" + bits)), window(given[asked - 9]));
    EXPECT_EQ(answer_to(offer("server_max_window_bits=\"" + bits + "\"")),
              window(given[asked - 9]));
    EXPECT_EQ(
        answer_to(offer("server_max_window_bits=\"1\\" + bits.substr(bits.size() - 1) + "\"")),
        asked < 10 ? "declined" : window(given[asked - 9]));
  }
  // zlib's smallest window is 9.
  EXPECT_EQ(answer_to(offer("server_max_window_bits=8")), "declined");
}

TEST(DeflateTerms, OffersThatCannotBeHonoured) {
  const std::string_view parameters[] = {
      "server_max_window_bits",
      "server_max_window_bits=7",
      "server_max_window_bits=16",
      "server_max_window_bits=0",
      "server_max_window_bits=09",
      "server_max_window_bits=9x",
      "server_max_window_bits=+9",
      "server_max_window_bits=-9",
      "server_max_window_bits=265",
      "server_max_window_bits=99999999999999999999",
      "client_max_window_bits=7",
      "client_max_window_bits=16",
      "client_max_window_bits=08",
      "client_max_window_bits=true",
      "server_no_context_takeover=1",
      "client_no_context_takeover=true",
      "server_no_context_takeover; server_no_context_takeover",
      "client_no_context_takeover; Client_No_Context_Takeover",
      "client_max_window_bits; client_max_window_bits",
      "client_max_window_bits=10; client_max_window_bits=10",
      "server_max_window_bits=10; server_max_window_bits=10",
      "mystery",
      "mystery=1",
      "server_no_context_takeover; mystery=\"x\"",
  };
  for (const auto p : parameters) {
    EXPECT_EQ(answer_to(offer(p)), "declined") << p;
    // Whatever stands beside it.
    EXPECT_EQ(answer_to(offer("server_max_window_bits=16; " + std::string(p))), "declined") << p;
  }
}

TEST(DeflateTerms, TheFirstGoodOfferIsTaken) {
  const struct {
    std::string_view offers;
    std::string answer;
  } cases[] = {
      {"", "declined"},
      {" , ,", "declined"},
      {"x-webkit-deflate-frame", "declined"},
      {"permessage-bzip2; level=9, permessage-deflate", std::string(kAnswer)},
      {"other; a=\"b\"; c, permessage-deflate; server_max_window_bits=10", window(9)},
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate", std::string(kAnswer)},
      {"permessage-deflate; server_max_window_bits=9, permessage-deflate", window(9)},
      {"permessage-deflate, permessage-deflate; server_max_window_bits=9", std::string(kAnswer)},
      {"permessage-deflate; mystery, permessage-deflate; server_max_window_bits=16", "declined"},
      {",permessage-deflate,", std::string(kAnswer)},
      {"permessage-deflat, permessage-deflate2, deflate", "declined"},
  };
  for (const auto& c : cases) EXPECT_EQ(answer_to(c.offers), c.answer) << c.offers;
}

TEST(DeflateTerms, Malformed) {
  const std::string_view headers[] = {
      ";",
      "=",
      "permessage-deflate;",
      "permessage-deflate; ;",
      "permessage-deflate; =9",
      "permessage-deflate; server_max_window_bits=",
      "permessage-deflate; server_max_window_bits=\"",
      "permessage-deflate; server_max_window_bits=\"9",
      "permessage-deflate; server_max_window_bits=\"9\\",
      "permessage-deflate; server_max_window_bits=\"\"",
      "permessage-deflate; server_max_window_bits=\" 9\"",
      "permessage-deflate; server_max_window_bits=\"9\"0",
      "permessage-deflate; server_max_window_bits=9 9",
      "permessage-deflate server_no_context_takeover",
      "permessage-deflate; a b",
      "permessage-deflate/1",
      "\"permessage-deflate\"",
      "permessage-deflate, @",
      "permessage-deflate\r\n",
      "perm\xc3\xa9ssage",
  };
  for (const auto header : headers) EXPECT_EQ(answer_to(header), "malformed") << header;
}

HandshakeRequest request(std::string_view extensions) {
  return {.method = "GET",
          .upgrade = "websocket",
          .connection = "Upgrade",
          .key = "dGhlIHNhbXBsZSBub25jZQ==",
          .version = "13",
          .extensions = extensions};
}

TEST(DeflateTerms, InTheHandshake) {
  const auto agreed = accept_handshake(request("permessage-deflate"), {}, true);
  ASSERT_TRUE(agreed && agreed->deflate);
  EXPECT_EQ(agreed->deflate->server_window, 15);
  EXPECT_FALSE(accept_handshake(request("permessage-deflate"), {})->deflate);
  EXPECT_FALSE(accept_handshake(request("other"), {}, true)->deflate);
  EXPECT_EQ(accept_handshake(request("permessage-deflate;"), {}, true).error().status, 400);
  // Without compression nobody reads the offers.
  EXPECT_TRUE(accept_handshake(request("permessage-deflate;"), {}));
}

TEST(DeflateTerms, LongHeadersAreReadOnce) {
  // As Handshake.LongHeadersAreReadOnce: quadratic time would be 10^10 steps.
  for (const std::string_view unit :
       {" ", ",", ";", "\"", "\\", "a,", "a;b,", "a;b=\"c\",", "permessage-deflate;a,", "a; b"}) {
    std::string flood;
    while (flood.size() < 200'000) flood += unit;
    answer_to(flood);
    answer_to("permessage-deflate; a=\"" + flood);
  }
}

}  // namespace
}  // namespace parley::codec::websocket
