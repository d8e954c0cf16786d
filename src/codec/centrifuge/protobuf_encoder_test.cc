#include "codec/centrifuge/protobuf_encoder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "codec/centrifuge/json_encoder.h"
#include "tests/support/centrifuge_command_text.h"
#include "tests/support/centrifuge_protobuf.h"

namespace parley::codec::centrifuge {
namespace {

using testing::FromProtobuf;
using testing::to_hex;

// The bytes, once it is sure that they say what JSON says.
template <class T>
std::string reply(uint32_t id, const T& result) {
  Buffer out = "+";
  ProtobufEncoder::reply(out, id, result);
  EXPECT_EQ(out.front(), '+');
  Buffer json;
  JsonEncoder::reply(json, id, result);
  EXPECT_EQ(FromProtobuf::frame(out.substr(1)), json);
  return to_hex(out.substr(1));
}

template <class T>
std::string push(std::string_view channel, const T& payload) {
  Buffer out = "+";
  ProtobufEncoder::push(out, channel, payload);
  EXPECT_EQ(out.front(), '+');
  Buffer json;
  JsonEncoder::push(json, channel, payload);
  EXPECT_EQ(FromProtobuf::frame(out.substr(1)), json);
  return to_hex(out.substr(1));
}

const Publication kSeq3{.data = R"({"seq":3})", .offset = 3};
const Publication kSeq4{.data = R"({"seq":4})", .offset = 4};
const std::vector kMissed = {kSeq3, kSeq4};

// The expected bytes are those that the official JavaScript client's codec makes of the values.
TEST(CentrifugeProtobufEncoder, Connect) {
  const std::vector<ConnectResult::Sub> subs = {{"#42",
                                                 {.recoverable = true,
                                                  .epoch = "x",
                                                  .recovered = true,
                                                  .offset = 12,
                                                  .positioned = true,
                                                  .was_recovering = true}},
                                                {"b", {}}};
  ConnectResult full{.client = "6f0d",
                     .version = "6.9.0 OSS",
                     .expires = true,
                     .ttl = 600,
                     .data = "{}",
                     .subs = subs,
                     .ping = 25,
                     .pong = true,
                     .session = "s",
                     .node = "n",
                     .time = 1700000000000};
  EXPECT_EQ(reply(1, full),
            "4c08012a480a04366630641209362e392e30204f5353180120d8042a027b7d32140a03233432120d"
            "18013201784001480c5001600132050a01621200381940014a017352016e5880d095ffbc31");
  full.subs = full.subs.subspan(1);
  EXPECT_EQ(push("", full),
            "36223452320a04366630641209362e392e30204f53531a027b7d22050a01621200280130d8043819"
            "40014a017352016e5880d095ffbc31");
  EXPECT_EQ(reply(1, ConnectResult{}), "0408012a00");
}

TEST(CentrifugeProtobufEncoder, Subscribe) {
  EXPECT_EQ(reply(2, SubscribeResult{}), "0408023200");
  const std::vector<Publication> state = {{.data = "1", .key = "a"}};
  EXPECT_EQ(reply(5, SubscribeResult{.expires = true,
                                     .ttl = 9,
                                     .recoverable = true,
                                     .epoch = "QwErTyUi",
                                     .publications = kMissed,
                                     .recovered = true,
                                     .offset = 2,
                                     .positioned = true,
                                     .data = "[1]",
                                     .was_recovering = true,
                                     .delta = true,
                                     .type = 1,
                                     .phase = 2,
                                     .cursor = "c",
                                     .state = state,
                                     .publish_debounce = 7}),
            "5608053252080110091801320851774572547955693a0d22097b22736571223a337d30033a0d2209"
            "7b22736571223a347d30044001480250015a035b315d6001680178018001028a0101639201062201"
            "315a0161980107");
}

TEST(CentrifugeProtobufEncoder, ChannelsByNumber) {
  EXPECT_EQ(reply(2, SubscribeResult{.id = 300}), "070802320370ac02");
  Buffer out;
  ProtobufEncoder::push_numbered(out, 300, Publication{.data = "1", .offset = 7});
  EXPECT_EQ(out, std::string("\x0c\x22\x0a\x08\xac\x02\x22\x05\x22\x01"
                             "1\x30\x07",
                             13));
}

TEST(CentrifugeProtobufEncoder, SmallReplies) {
  EXPECT_EQ(reply(14, UnsubscribeResult{}), "04080e3a00");
  EXPECT_EQ(reply(UINT32_MAX, PublishResult{}), "0808ffffffff0f4200");
  EXPECT_EQ(reply(11, RpcResult{R"({"y":2})"}), "0d080b6a090a077b2279223a327d");
  EXPECT_EQ(reply(12, RefreshResult{"c", "v", true, 600}), "0f080c720b0a0163120176180120d804");
  const std::vector<Publication> items = {{.data = "1", .key = "k", .version = 3}};
  EXPECT_EQ(reply(13, SubRefreshResult{true, 300, items}),
            "14080d7a10080110ac021a092201315a016b800103");
  EXPECT_EQ(reply(1, to_reply(ErrorCode::kInternal)),
            "1f0801121b08641215696e7465726e616c20736572766572206572726f721801");
}

TEST(CentrifugeProtobufEncoder, PresenceAndHistory) {
  EXPECT_EQ(reply(8, PresenceResult{}), "0408084a00");
  const std::vector<PresenceResult::Entry> one = {
      {"6f0d", {.user = "42", .client = "6f0d", .conn_info = R"({"name":"A"})"}}};
  EXPECT_EQ(reply(8, PresenceResult{one}),
            "2608084a220a200a043666306412180a0234321204366630641a0c7b226e616d65223a2241227d");
  const std::vector<PresenceResult::Entry> nameless = {{"", {}}};
  reply(8, PresenceResult{nameless});
  EXPECT_EQ(reply(9, PresenceStatsResult{300, 1}), "090809520508ac021001");
  EXPECT_EQ(reply(9, PresenceStatsResult{}), "0408095200");
  EXPECT_EQ(reply(10, HistoryResult{kMissed, "QwErTyUi", 4}),
            "2e080a5a2a0a0d22097b22736571223a337d30030a0d22097b22736571223a347d30041208517745"
            "72547955691804");
  EXPECT_EQ(reply(10, HistoryResult{}), "04080a5a00");
}

TEST(CentrifugeProtobufEncoder, PublicationWithEveryField) {
  const ClientInfo info{.user = "u", .client = "c", .conn_info = "1", .chan_info = "[2]"};
  const std::vector<Publication::Tag> tags = {{"a", "x"}, {"b", "y"}};
  EXPECT_EQ(push("p", Publication{.data = "0",
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
            "50224e12017022492201302a0e0a01751201631a013122035b325d30ffffffffffffffffff013a06"
            "0a01611201783a060a016212017940015203703a315a016b60016809720165800181808080808080"
            "10");
  push("p", Publication{.score = INT64_MAX});
  push("p", Publication{.score = INT64_MIN + 1});
}

TEST(CentrifugeProtobufEncoder, DataIsRaw) {
  const std::string bytes("\0\xFF\n", 3);
  Buffer out;
  ProtobufEncoder::push(out, "c", Publication{.data = bytes});
  EXPECT_EQ(to_hex(out),
            "0c220a12016322052203"
            "00ff0a");
  // What JSON needs strings for is the same bytes here.
  out.clear();
  ProtobufEncoder::push(out, "c", Publication{.data = "ab", .data_as_string = true});
  EXPECT_EQ(to_hex(out), "0b2209120163220422026162");
}

TEST(CentrifugeProtobufEncoder, OtherPushes) {
  EXPECT_EQ(push("c", JoinPush{{.user = "42", .client = "x"}}),
            "10220e1201632a090a070a023432120178");
  EXPECT_EQ(push("c", LeavePush{}), "09220712016332020a00");
  EXPECT_EQ(push("c", UnsubscribePush{2000, "server unsubscribe"}),
            "1e221c1201633a1710d00f1a1273657276657220756e737562736372696265");
  EXPECT_EQ(push("s", SubscribePush{true, "e", 4, true, "{}"}),
            "1422121201734a0d0801220165280430013a027b7d");
  EXPECT_EQ(push("", MessagePush{R"({"a":1})"}), "0d220b42090a077b2261223a317d");
  EXPECT_EQ(push("", DisconnectPush{3001, "shutdown", true}),
            "1322115a0f08b917120873687574646f776e1801");
  EXPECT_EQ(push("", RefreshPush{true, 60}), "08220662040801103c");
}

TEST(CentrifugeProtobufEncoder, PingsAndFrames) {
  Buffer out;
  ProtobufEncoder::ping(out);
  ProtobufEncoder::reply(out, 14, UnsubscribeResult{});
  ProtobufEncoder::ping(out);
  EXPECT_EQ(to_hex(out),
            "00"
            "04080e3a00"
            "00");
  EXPECT_EQ(FromProtobuf::frame(out), "{}\n{\"id\":14,\"unsubscribe\":{}}\n{}");
}

// Lengths around the sizes where their varint grows, on every level.
TEST(CentrifugeProtobufEncoder, Lengths) {
  for (const size_t around : {size_t{1} << 7, size_t{1} << 14})
    for (size_t size = around - 20; size <= around; ++size) {
      const std::string data = '"' + std::string(size, 'x') + '"';
      push("c", Publication{.data = data});
    }
}

}  // namespace
}  // namespace parley::codec::centrifuge
