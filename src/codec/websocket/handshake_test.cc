#include "codec/websocket/handshake.h"

#include <vector>

#include <gtest/gtest.h>

namespace parley::codec::websocket {
namespace {

constexpr std::string_view kKnown[] = {"centrifuge-json", "mqtt", "v12.stomp"};

HandshakeRequest good() {
  return {.method = "GET",
          .upgrade = "websocket",
          .connection = "Upgrade",
          .key = "dGhlIHNhbXBsZSBub25jZQ==",
          .version = "13"};
}

TEST(Handshake, VectorOfRfc6455) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const auto accept = accept_handshake(good(), kKnown);
  ASSERT_TRUE(accept);
  EXPECT_EQ(accept->accept_key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(accept->subprotocol, "");
}

struct HandshakeRow {
  std::string_view HandshakeRequest::* field;
  std::vector<std::string_view> values;
  int status;  // 0: accepted
};

TEST(Handshake, Headers) {
  using R = HandshakeRequest;
  const HandshakeRow rows[] = {
      {&R::method, {"GET"}, 0},
      {&R::method, {"POST", "get", "", "CONNECT"}, 400},
      {&R::upgrade,
       {"WebSocket", "h2c, websocket", " websocket ", ",,websocket,", "a,\tWEBSOCKET"},
       0},
      {&R::upgrade,
       {"", "h2c", "websockets", "web socket", "websocket/13", ",", "xwebsocket"},
       426},
      {&R::connection, {"upgrade", "keep-alive, Upgrade", "UPGRADE,close", "a ,\tupgrade\t"}, 0},
      {&R::connection, {"", "keep-alive", "upgraded", "close", "up grade"}, 400},
      {&R::version, {"13"}, 0},
      {&R::version, {"", "12", "8", "14", "013", "13, 8", "1 3", "-13"}, 426},
      {&R::key, {"AAAAAAAAAAAAAAAAAAAAAA==", "/+//////////////////+w=="}, 0},
      {&R::key,
       {"", "AAAA", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZR==",
        "dGhlIHNhbXBsZSBub25jZTEy", "dGhlIHNhbXBsZSBub25jZQ== ", "dGhlIHNhbXBsZSBub25jZ!==",
        "dGhlIHNhbXBsZSBub25jZTE=", "dGhlIHNhbXBsZSBub25jZQ==,dGhlIHNhbXBsZSBub25jZQ=="},
       400},
      {&R::protocols, {"", "mqtt", "unknown", "a, b,, c", " ", ",", "MQTT"}, 0},
      {&R::protocols, {"a b", "mqtt, \"x\"", "mqtt;", "a/b", "mqtt, \r\nx", "m\xc3\xa9"}, 400},
      {&R::extensions, {"", "permessage-deflate; client_max_window_bits", ";;;\"", "x"}, 0},
  };
  for (const auto& row : rows) {
    for (const auto value : row.values) {
      HandshakeRequest request = good();
      request.*row.field = value;
      const auto accept = accept_handshake(request, kKnown);
      EXPECT_EQ(accept ? 0 : accept.error().status, row.status) << value;
    }
  }
  HandshakeRequest old = good();
  old.http_minor = 0;
  EXPECT_EQ(accept_handshake(old, kKnown).error().status, 400);
}

TEST(Handshake, TheClientsFirstKnownSubprotocolIsChosen) {
  const struct {
    std::string_view offers, chosen;
  } cases[] = {
      {"mqtt", "mqtt"},
      {"v12.stomp, mqtt", "v12.stomp"},
      {"other,mqtt,centrifuge-json", "mqtt"},
      {"other", ""},
      {"Mqtt", ""},
      {"mqttv3.1", ""},
      {" , mqtt ,", "mqtt"},
  };
  for (const auto& c : cases) {
    HandshakeRequest request = good();
    request.protocols = c.offers;
    const auto accept = accept_handshake(request, kKnown);
    ASSERT_TRUE(accept);
    EXPECT_EQ(accept->subprotocol, c.chosen) << c.offers;
    EXPECT_TRUE(accept_handshake(request, {})->subprotocol.empty());
  }
}

TEST(Handshake, LongHeadersAreReadOnce) {
  // The old attacks on list parsers (CVE-2021-32640, CVE-2020-7662): quadratic time would be 10^12
  // steps here and run into the test's time limit.
  for (const std::string_view unit : {" ", ",", ", ", "\\", "\"", "a,", "mqtt,"}) {
    std::string flood;
    while (flood.size() < 1'000'000) flood += unit;
    for (const auto field : {&HandshakeRequest::upgrade, &HandshakeRequest::connection,
                             &HandshakeRequest::protocols, &HandshakeRequest::extensions}) {
      HandshakeRequest request = good();
      request.*field = flood;
      const bool accepted = accept_handshake(request, kKnown).has_value();
      EXPECT_TRUE(accepted || field != &HandshakeRequest::extensions);
    }
  }
}

}  // namespace
}  // namespace parley::codec::websocket
