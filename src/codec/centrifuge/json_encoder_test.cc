#include "codec/centrifuge/json_encoder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "codec/json/validate.h"

namespace parley::codec::centrifuge {
namespace {

template <class T>
std::string reply(uint32_t id, const T& result) {
  Buffer out = "+";
  JsonEncoder::reply(out, id, result);
  EXPECT_TRUE(json::is_valid(ByteView(out).substr(1))) << out;
  return out.substr(1);
}

template <class T>
std::string push(std::string_view channel, const T& payload) {
  Buffer out = "+";
  JsonEncoder::push(out, channel, payload);
  EXPECT_TRUE(json::is_valid(ByteView(out).substr(1))) << out;
  EXPECT_EQ(out.find('\n'), out.npos);
  return out.substr(1);
}

const Publication kSeq3{.data = R"({"seq":3})", .offset = 3};
const Publication kSeq4{.data = R"({"seq":4})", .offset = 4};
const std::vector kMissed = {kSeq3, kSeq4};

TEST(JsonEncoder, PushesUnderANumber) {
  Buffer out;
  JsonEncoder::push_numbered(out, 4294967297, Publication{.data = R"({"a":1})", .offset = 7});
  EXPECT_EQ(out, R"({"push":{"id":4294967297,"pub":{"data":{"a":1},"offset":7}}})");
}

// Written in one go where nothing is out of the ordinary, and the same either way.
TEST(CentrifugeJsonEncoder, PlainAndOtherPushes) {
  const ClientInfo info{.user = "u", .client = "c"};
  const ClientInfo full{
      .user = "", .client = "c", .conn_info = R"({"a":1})", .chan_info = R"({"b":2})"};
  const ClientInfo quoted{.user = "\"", .client = "c"};
  const ClientInfo broken{.user = "u", .client = "c", .conn_info = "{\n}"};
  EXPECT_EQ(push("a", Publication{.data = "1"}), R"({"push":{"channel":"a","pub":{"data":1}}})");
  EXPECT_EQ(
      push("a", Publication{.data = "1", .info = &info, .offset = UINT64_MAX}),
      R"({"push":{"channel":"a","pub":{"data":1,"info":{"user":"u","client":"c"},"offset":18446744073709551615}}})");
  EXPECT_EQ(
      push("a", Publication{.data = "1", .info = &full}),
      R"({"push":{"channel":"a","pub":{"data":1,"info":{"user":"","client":"c","conn_info":{"a":1},"chan_info":{"b":2}}}}})");
  EXPECT_EQ(
      push("a", Publication{.data = "1", .info = &quoted, .offset = 5}),
      R"({"push":{"channel":"a","pub":{"data":1,"info":{"user":"\"","client":"c"},"offset":5}}})");
  EXPECT_EQ(
      push("a", Publication{.data = "[\r\n1]", .info = &broken}),
      R"({"push":{"channel":"a","pub":{"data":[1],"info":{"user":"u","client":"c","conn_info":{}}}}})");
  EXPECT_EQ(push("a\n", Publication{.data = "1"}),
            R"({"push":{"channel":"a\n","pub":{"data":1}}})");
  EXPECT_EQ(push("a", Publication{.data = "1", .key = "k"}),
            R"({"push":{"channel":"a","pub":{"data":1,"key":"k"}}})");
  EXPECT_EQ(reply(7, PublishResult{}), R"({"id":7,"publish":{}})");
  EXPECT_EQ(reply(0, PublishResult{}), R"({"publish":{}})");
}

TEST(CentrifugeJsonEncoder, Connect) {
  EXPECT_EQ(
      reply(1, ConnectResult{.client = "6f0d",
                             .version = "6.9.0 OSS",
                             .expires = true,
                             .ttl = 600,
                             .ping = 25,
                             .pong = true}),
      R"({"id":1,"connect":{"client":"6f0d","version":"6.9.0 OSS","expires":true,"ttl":600,"ping":25,"pong":true}})");
  const std::vector<ConnectResult::Sub> subs = {{"#42",
                                                 {.recoverable = true,
                                                  .epoch = "x",
                                                  .recovered = true,
                                                  .offset = 12,
                                                  .positioned = true,
                                                  .was_recovering = true}},
                                                {"b", {}}};
  const ConnectResult full{.client = "c",
                           .data = "{}",
                           .subs = subs,
                           .ping = 25,
                           .session = "s",
                           .node = "n",
                           .time = 1700000000000};
  const std::string body =
      R"({"client":"c","data":{},"subs":{"#42":{"recoverable":true,"epoch":"x","recovered":true,"offset":12,"positioned":true,)"
      R"("was_recovering":true},"b":{}},"ping":25,"session":"s","node":"n","time":1700000000000})";
  EXPECT_EQ(reply(1, full), R"({"id":1,"connect":)" + body + "}");
  EXPECT_EQ(push("", full), R"({"push":{"connect":)" + body + "}}");
}

TEST(CentrifugeJsonEncoder, Subscribe) {
  EXPECT_EQ(reply(2, SubscribeResult{}), R"({"id":2,"subscribe":{}})");
  EXPECT_EQ(reply(3, SubscribeResult{.recoverable = true, .epoch = "QwErTyUi", .positioned = true}),
            R"({"id":3,"subscribe":{"recoverable":true,"epoch":"QwErTyUi","positioned":true}})");
  EXPECT_EQ(
      reply(4, SubscribeResult{.recoverable = true,
                               .epoch = "QwErTyUi",
                               .publications = kMissed,
                               .recovered = true,
                               .offset = 2,
                               .positioned = true,
                               .was_recovering = true}),
      R"({"id":4,"subscribe":{"recoverable":true,"epoch":"QwErTyUi","publications":[{"data":{"seq":3},"offset":3},)"
      R"({"data":{"seq":4},"offset":4}],"recovered":true,"offset":2,"positioned":true,"was_recovering":true}})");
  EXPECT_EQ(
      reply(4, SubscribeResult{.recoverable = true,
                               .epoch = "QwErTyUi",
                               .offset = 9,
                               .positioned = true,
                               .was_recovering = true}),
      R"({"id":4,"subscribe":{"recoverable":true,"epoch":"QwErTyUi","offset":9,"positioned":true,"was_recovering":true}})");
  EXPECT_EQ(
      reply(6,
            SubscribeResult{
                .recoverable = true, .epoch = "e", .offset = 5, .positioned = true, .delta = true}),
      R"({"id":6,"subscribe":{"recoverable":true,"epoch":"e","offset":5,"positioned":true,"delta":true}})");
  const std::vector<Publication> state = {{.data = R"({"v":1})", .key = "a"},
                                          {.data = R"({"v":2})", .key = "b"}};
  EXPECT_EQ(
      reply(20, SubscribeResult{.type = 1, .state = state}),
      R"({"id":20,"subscribe":{"type":1,"state":[{"data":{"v":1},"key":"a"},{"data":{"v":2},"key":"b"}]}})");
  EXPECT_EQ(
      reply(5, SubscribeResult{.expires = true,
                               .ttl = 9,
                               .data = "[1]",
                               .phase = 2,
                               .cursor = "c",
                               .publish_debounce = 7}),
      R"({"id":5,"subscribe":{"expires":true,"ttl":9,"data":[1],"phase":2,"cursor":"c","publish_debounce":7}})");
}

TEST(CentrifugeJsonEncoder, SmallReplies) {
  EXPECT_EQ(reply(7, PublishResult{}), R"({"id":7,"publish":{}})");
  EXPECT_EQ(reply(14, UnsubscribeResult{}), R"({"id":14,"unsubscribe":{}})");
  EXPECT_EQ(reply(11, RpcResult{R"({"y":2})"}), R"({"id":11,"rpc":{"data":{"y":2}}})");
  EXPECT_EQ(reply(11, RpcResult{}), R"({"id":11,"rpc":{}})");
  EXPECT_EQ(reply(12, RefreshResult{.expires = true, .ttl = 600}),
            R"({"id":12,"refresh":{"expires":true,"ttl":600}})");
  EXPECT_EQ(reply(12, RefreshResult{.client = "c", .version = "v"}),
            R"({"id":12,"refresh":{"client":"c","version":"v"}})");
  EXPECT_EQ(reply(13, SubRefreshResult{.expires = true, .ttl = 300}),
            R"({"id":13,"sub_refresh":{"expires":true,"ttl":300}})");
  const std::vector<Publication> items = {{.data = "1", .key = "k", .version = 3}};
  EXPECT_EQ(reply(13, SubRefreshResult{.items = items}),
            R"({"id":13,"sub_refresh":{"items":[{"data":1,"key":"k","version":3}]}})");
  EXPECT_EQ(reply(UINT32_MAX, PublishResult{}), R"({"id":4294967295,"publish":{}})");
}

TEST(CentrifugeJsonEncoder, PresenceAndHistoryWriteTheirZeros) {
  EXPECT_EQ(reply(8, PresenceResult{}), R"({"id":8,"presence":{"presence":{}}})");
  const std::vector<PresenceResult::Entry> one = {
      {"6f0d", {.user = "42", .client = "6f0d", .conn_info = R"({"name":"A"})"}}};
  EXPECT_EQ(
      reply(8, PresenceResult{one}),
      R"({"id":8,"presence":{"presence":{"6f0d":{"user":"42","client":"6f0d","conn_info":{"name":"A"}}}}})");
  EXPECT_EQ(reply(9, PresenceStatsResult{1, 1}),
            R"({"id":9,"presence_stats":{"num_clients":1,"num_users":1}})");
  EXPECT_EQ(reply(9, PresenceStatsResult{}),
            R"({"id":9,"presence_stats":{"num_clients":0,"num_users":0}})");
  EXPECT_EQ(
      reply(10, HistoryResult{.publications = kMissed, .epoch = "QwErTyUi", .offset = 4}),
      R"({"id":10,"history":{"publications":[{"data":{"seq":3},"offset":3},{"data":{"seq":4},"offset":4}],"epoch":"QwErTyUi","offset":4}})");
  EXPECT_EQ(reply(10, HistoryResult{}),
            R"({"id":10,"history":{"publications":[],"epoch":"","offset":0}})");
}

TEST(CentrifugeJsonEncoder, Errors) {
  const std::string longest(48, 'x');
  EXPECT_EQ(reply(4'294'967'295, ErrorReply{4'294'967'295, longest, true}),
            R"({"id":4294967295,"error":{"code":4294967295,"message":")" + longest +
                R"(","temporary":true}})");
  EXPECT_EQ(reply(7, ErrorReply{500, longest + "x", true}),
            R"({"id":7,"error":{"code":500,"message":")" + longest + R"(x","temporary":true}})");
  EXPECT_EQ(reply(7, ErrorReply{500, "\"", false}),
            R"({"id":7,"error":{"code":500,"message":"\""}})");
  EXPECT_EQ(reply(7, ErrorReply{500, "", true}),
            R"({"id":7,"error":{"code":500,"temporary":true}})");
  EXPECT_EQ(reply(7, ErrorReply{0, "x", false}), R"({"id":7,"error":{"message":"x"}})");
  EXPECT_EQ(reply(0, ErrorReply{500, "x", false}), R"({"error":{"code":500,"message":"x"}})");
  EXPECT_EQ(reply(4, to_reply(ErrorCode::kUnrecoverablePosition)),
            R"({"id":4,"error":{"code":112,"message":"unrecoverable position"}})");
  EXPECT_EQ(reply(11, to_reply(ErrorCode::kNotAvailable)),
            R"({"id":11,"error":{"code":108,"message":"not available"}})");
  EXPECT_EQ(reply(1, to_reply(ErrorCode::kTokenExpired)),
            R"({"id":1,"error":{"code":109,"message":"token expired"}})");
  EXPECT_EQ(reply(1, to_reply(ErrorCode::kInternal)),
            R"({"id":1,"error":{"code":100,"message":"internal server error","temporary":true}})");
}

TEST(CentrifugeJsonEncoder, PublicationPush) {
  EXPECT_EQ(
      push("recovery:a", Publication{.data = R"({"seq":1})", .offset = 1, .epoch = "QwErTyUi"}),
      R"({"push":{"channel":"recovery:a","pub":{"data":{"seq":1},"offset":1,"epoch":"QwErTyUi"}}})");
  EXPECT_EQ(push("recovery:a", Publication{.data = R"({"seq":2})", .offset = 2}),
            R"({"push":{"channel":"recovery:a","pub":{"data":{"seq":2},"offset":2}}})");
  const ClientInfo anonymous{.client = "6f0d"};
  EXPECT_EQ(
      push("test",
           Publication{.data = R"({"m":1})", .info = &anonymous, .offset = 1, .epoch = "e"}),
      R"({"push":{"channel":"test","pub":{"data":{"m":1},"info":{"user":"","client":"6f0d"},"offset":1,"epoch":"e"}}})");
  EXPECT_EQ(push("streamless:m", Publication{.key = "b", .removed = true}),
            R"({"push":{"channel":"streamless:m","pub":{"key":"b","removed":true}}})");
}

TEST(CentrifugeJsonEncoder, PublicationWithEveryField) {
  const ClientInfo info{.user = "u", .client = "c", .conn_info = "1", .chan_info = "[2]"};
  const std::vector<Publication::Tag> tags = {{"a", "x"}, {"b", "y\"z"}};
  EXPECT_EQ(
      push("p", Publication{.data = "0",
                            .info = &info,
                            .offset = UINT64_MAX,
                            .tags = tags,
                            .delta = true,
                            .channel = "p:1",
                            .key = "k",
                            .removed = true,
                            .score = -5,
                            .epoch = "e",
                            .version = 9007199254740993}),
      R"({"push":{"channel":"p","pub":{"data":0,"info":{"user":"u","client":"c","conn_info":1,"chan_info":[2]},)"
      R"("offset":18446744073709551615,"tags":{"a":"x","b":"y\"z"},"delta":true,"channel":"p:1","key":"k","removed":true,)"
      R"("score":-5,"epoch":"e","version":9007199254740993}}})");
}

TEST(CentrifugeJsonEncoder, DeltaSubscribersGetStrings) {
  EXPECT_EQ(push("delta:d", Publication{.data = R"({"a":1})", .data_as_string = true, .offset = 6}),
            R"({"push":{"channel":"delta:d","pub":{"data":"{\"a\":1}","offset":6}}})");
  EXPECT_EQ(
      push("delta:d",
           Publication{.data = "1S\n6@0,2:ab", .data_as_string = true, .offset = 7, .delta = true}),
      R"({"push":{"channel":"delta:d","pub":{"data":"1S\n6@0,2:ab","offset":7,"delta":true}}})");
}

TEST(CentrifugeJsonEncoder, LineBreaksInEmbeddedJsonGo) {
  EXPECT_EQ(push("x", Publication{.data = "{\r\n  \"a\": \"b\\n\"\n}\n"}),
            R"({"push":{"channel":"x","pub":{"data":{  "a": "b\n"}}}})");
}

TEST(CentrifugeJsonEncoder, NamesThatNeedEscapes) {
  EXPECT_EQ(push("a\"\n\xFF", JoinPush{{.user = "\xC3\xA9"}}),
            "{\"push\":{\"channel\":\"a\\\"\\n\xEF\xBF\xBD\",\"join\":{\"info\":{\"user\":"
            "\"\xC3\xA9\",\"client\":\"\"}}}}");
}

TEST(CentrifugeJsonEncoder, OtherPushes) {
  EXPECT_EQ(push("c", JoinPush{{.user = "42", .client = "x"}}),
            R"({"push":{"channel":"c","join":{"info":{"user":"42","client":"x"}}}})");
  EXPECT_EQ(push("c", LeavePush{{.user = "42", .client = "x"}}),
            R"({"push":{"channel":"c","leave":{"info":{"user":"42","client":"x"}}}})");
  EXPECT_EQ(
      push("c", UnsubscribePush{2000, "server unsubscribe"}),
      R"({"push":{"channel":"c","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}})");
  EXPECT_EQ(
      push("s",
           SubscribePush{
               .recoverable = true, .epoch = "e", .offset = 4, .positioned = true, .data = "{}"}),
      R"({"push":{"channel":"s","subscribe":{"recoverable":true,"epoch":"e","offset":4,"positioned":true,"data":{}}}})");
  EXPECT_EQ(push("s", SubscribePush{}), R"({"push":{"channel":"s","subscribe":{}}})");
  EXPECT_EQ(push("", DisconnectPush{3500, "invalid token"}),
            R"({"push":{"disconnect":{"code":3500,"reason":"invalid token"}}})");
  EXPECT_EQ(push("", DisconnectPush{3001, "shutdown", true}),
            R"({"push":{"disconnect":{"code":3001,"reason":"shutdown","reconnect":true}}})");
  EXPECT_EQ(push("", MessagePush{R"({"a":1})"}), R"({"push":{"message":{"data":{"a":1}}}})");
  EXPECT_EQ(push("", RefreshPush{true, 60}), R"({"push":{"refresh":{"expires":true,"ttl":60}}})");
  Buffer out = "x";
  JsonEncoder::ping(out);
  EXPECT_EQ(out, "x{}");
}

TEST(CentrifugeCodes, TablesAreSortedAndAgreeWithTheRanges) {
  for (size_t i = 1; i < kErrors.size(); ++i) EXPECT_LT(kErrors[i - 1].code, kErrors[i].code);
  EXPECT_EQ(kErrors.size(), 14u);
  for (const DisconnectRow& row : kDisconnects) {
    EXPECT_EQ(row.reconnect, client_reconnects(static_cast<uint32_t>(row.code))) << row.reason;
    EXPECT_LT(row.reason.size(), 124u);
    EXPECT_FALSE(json::is_valid(row.reason)) << "old clients would take it for an object";
  }
  EXPECT_EQ(kDisconnects.size(), 22u);
  for (const UnsubscribeRow& row : kUnsubscribes)
    EXPECT_EQ(row.resubscribe, static_cast<uint32_t>(row.code) >= 2500) << row.reason;
  EXPECT_EQ(row_of(DisconnectCode::kNoPong).reason, "no pong");
  EXPECT_EQ(row_of(UnsubscribeCode::kInsufficientState).reason, "insufficient state");
  EXPECT_TRUE(client_reconnects(4000) && client_reconnects(5000) && client_reconnects(1006));
  EXPECT_FALSE(client_reconnects(4500) || client_reconnects(3999));
}

}  // namespace
}  // namespace parley::codec::centrifuge
