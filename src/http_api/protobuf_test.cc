// The server API in Protobuf: every field of every message, by the numbers of Centrifugo's schema.
#include <protozero/pbf_writer.hpp>

#include "http_api/protobuf_command.h"
#include "tests/support/http_api_testing.h"
#include "tests/support/scripted_adapter.h"

namespace parley::http_api::testing {
namespace {

using hub::Control;

// Writes a message, field by field.
class Message {
 public:
  Message& number(uint32_t field, uint64_t value) {
    protozero::pbf_writer(bytes_).add_uint64(field, value);
    return *this;
  }
  Message& text(uint32_t field, std::string_view value) {
    protozero::pbf_writer(bytes_).add_bytes(field, value.data(), value.size());
    return *this;
  }
  Message& message(uint32_t field, const Message& value) { return text(field, value.bytes_); }
  operator const std::string&() const { return bytes_; }
  friend bool operator==(const std::string& bytes, const Message& message) {
    return bytes == message.bytes_;
  }

 private:
  std::string bytes_;
};

const Message kTrue = Message().number(1, 1);
const Message kFalse;
Message error(int code, std::string_view message) {
  return Message().number(1, static_cast<uint64_t>(code)).text(2, message);
}
const Message kBadRequest = Message().message(1, error(107, "bad request"));
const Message kEmptyMessage = Message().text(2, "");

class ProtobufTest : public ApiTest {
 protected:
  static Request protobuf(const std::string& body, std::vector<Header> headers = {}) {
    headers.push_back({"Content-Type", "application/octet-stream"});
    return post(body, std::move(headers));
  }
  std::string call(std::string_view method, const std::string& body) {
    const Answer answer = ask(method, protobuf(body));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "application/octet-stream");
    return answer.body;
  }
  int status(std::string_view method, const std::string& body) {
    return ask(method, protobuf(body)).status;
  }
  std::string published(const std::string& channel, uint64_t offset) {
    return Message().message(2, Message().number(1, offset).text(2, epoch(channel)));
  }
};

TEST_F(ProtobufTest, PublishWithEveryField) {
  const Message tag = Message().text(1, "k").text(2, "v");
  const Message body = Message()
                           .text(1, "c")
                           .text(2, R"({"a":1})")
                           .number(4, 0)
                           .message(5, tag)
                           .text(6, "key")
                           .number(7, 1)
                           .number(8, 3)
                           .text(9, "e")
                           .text(100, "unknown")
                           .number(101, 5);
  EXPECT_EQ(call("publish", body), published("c", 1));
  EXPECT_EQ(call("publish", body), published("c", 1));  // the key is known
  const auto stored_now = stored("c");
  ASSERT_EQ(stored_now.size(), 1u);
  EXPECT_EQ(stored_now[0]->data, R"({"a":1})");
  EXPECT_EQ(stored_now[0]->kind, hub::ContentKind::kJson);
  EXPECT_EQ(stored_now[0]->tags, (hub::Tags{{"k", "v"}}));
  EXPECT_TRUE(stored_now[0]->delta);
  EXPECT_EQ(call("publish", Message().text(1, "c").text(2, "x").number(8, 2).text(9, "e")),
            published("c", 1));  // an old version
  EXPECT_EQ(call("publish", Message().text(1, "c").text(2, "x").number(4, 1)), kEmptyMessage);
}

TEST_F(ProtobufTest, DataMayBeAnyBytes) {
  call("publish", Message().text(1, "c").text(2, std::string_view("\x00\xff", 2)));
  EXPECT_EQ(stored("c").back()->data, std::string_view("\x00\xff", 2));
  EXPECT_EQ(stored("c").back()->kind, hub::ContentKind::kBinary);
  call("publish", Message().text(1, "c").text(2, "1").text(3, "Mg=="));
  EXPECT_EQ(stored("c").back()->data, "2");
}

TEST_F(ProtobufTest, PublishRefusals) {
  world.rules().remove("gone:x");
  EXPECT_EQ(call("publish", Message().text(2, "1")), kBadRequest);
  EXPECT_EQ(call("publish", Message().text(1, "c")), kBadRequest);
  EXPECT_EQ(call("publish", Message().text(1, "c").text(3, "!")), kBadRequest);
  EXPECT_EQ(call("publish", Message().text(1, "gone:x").text(2, "1")),
            std::string(Message().message(1, error(102, "unknown channel"))));
  for (const Message& body :
       {Message().number(1, 1), Message().text(4, "1"), Message().text(1, "\xff"),
        Message().text(5, "\x08"), Message().text(7, "")})
    EXPECT_EQ(status("publish", body), 400);
  EXPECT_EQ(status("publish", "\x0a\x05news"), 400);                   // a length beyond the end
  EXPECT_EQ(status("publish", "\x0a\x85\x80\x80\x80\x10news!"), 400);  // ... that fits in 32 bits
}

TEST_F(ProtobufTest, Broadcast) {
  world.rules().remove("gone:x");
  const Message body = Message().text(1, "a").text(1, "gone:x").text(1, "").text(2, "1");
  const Message expected =
      Message().message(2, Message()
                               .text(1, published("a", 1))
                               .message(1, Message().message(1, error(102, "unknown channel")))
                               .message(1, kBadRequest));
  EXPECT_EQ(call("broadcast", body), expected);
  EXPECT_EQ(call("broadcast", Message().text(2, "1")), kBadRequest);
}

TEST_F(ProtobufTest, History) {
  for (const std::string data : {"1", "2", "3"})
    call("publish",
         Message().text(1, "c").text(2, data).message(5, Message().text(1, "t").text(2, data)));
  const auto publication = [](uint64_t offset) {
    const std::string data = std::to_string(offset);
    return Message().text(2, data).number(4, offset).message(5,
                                                             Message().text(1, "t").text(2, data));
  };
  const auto answer = [&](std::vector<uint64_t> offsets) -> std::string {
    Message result;
    for (const uint64_t offset : offsets) result.message(1, publication(offset));
    return Message().message(2, result.text(2, epoch("c")).number(3, 3));
  };
  const Message all = Message().text(1, "c").number(2, UINT64_MAX);  // -1
  EXPECT_EQ(call("history", all), answer({1, 2, 3}));
  EXPECT_EQ(call("history", Message().text(1, "c")), answer({}));
  const Message since = Message().number(1, 2).text(2, epoch("c"));
  EXPECT_EQ(call("history", Message(all).message(3, since)), answer({3}));
  EXPECT_EQ(call("history", Message(all).message(3, since).number(4, 1)), answer({1}));
  EXPECT_EQ(call("history", Message(all).message(3, Message().number(1, 2).text(2, "other"))),
            std::string(Message().message(1, error(112, "unrecoverable position"))));
  EXPECT_EQ(call("history", Message(all).message(3, Message()).number(4, 1)), kBadRequest);
  EXPECT_EQ(call("history_remove", Message().text(1, "c")), kEmptyMessage);
  EXPECT_EQ(call("history", all), answer({}));
}

TEST_F(ProtobufTest, PresenceChannelsAndInfo) {
  Listener listener(world.hub(), "room");
  world.hub().change_presence(
      "room", hub::Change::kEnter,
      {.user = "u", .client = "c1", .connection_info = "{\"n\":1}", .channel_info = "2"});
  world.run();
  const Message info = Message().text(1, "u").text(2, "c1").text(3, "{\"n\":1}").text(4, "2");
  EXPECT_EQ(call("presence", Message().text(1, "room")),
            std::string(Message().message(
                2, Message().message(1, Message().text(1, "c1").message(2, info)))));
  EXPECT_EQ(call("presence_stats", Message().text(1, "room")),
            std::string(Message().message(2, Message().number(1, 1).number(2, 1))));
  EXPECT_EQ(
      call("channels", Message().text(1, "r*")),
      std::string(Message().message(
          2, Message().message(1, Message().text(1, "room").message(2, Message().number(1, 1))))));
  EXPECT_EQ(call("channels", Message().text(1, "[")), kBadRequest);
  const Message facts = Message()
                            .text(1, "uid1")
                            .text(2, "parley@host")
                            .text(3, "0.1.0")
                            .number(4, 4)
                            .number(5, 3)
                            .number(6, 2)
                            .number(7, 60)
                            .number(10, 5);
  EXPECT_EQ(call("info", ""), std::string(Message().message(2, Message().message(1, facts))));
}

TEST_F(ProtobufTest, ControlsWithEveryField) {
  CommandLimits limits;
  const auto control = [&](std::string_view method, const std::string& body) {
    const auto list = decode_protobuf_request(method, body, limits);
    EXPECT_TRUE(list && list->error == ApiError::kNone && list->commands.size() == 1);
    return *list->commands.at(0).control;
  };
  const Message overrides =
      Message().message(1, kTrue).message(2, kFalse).message(3, kTrue).message(4, kTrue).message(
          5, kFalse);
  const Control subscribe =
      control("subscribe", Message()
                               .text(1, "c")
                               .text(2, "u")
                               .number(3, 1'900'000'000)
                               .text(4, "1")
                               .text(5, "WzNd")
                               .text(6, "cl")
                               .text(7, "{}")
                               .message(9, Message().number(1, 7).text(2, "e"))
                               .message(10, overrides)
                               .text(11, "s")
                               .number(13, 1));
  EXPECT_EQ(subscribe.kind, Control::Kind::kSubscribe);
  EXPECT_EQ(subscribe.channel, "c");
  EXPECT_EQ(subscribe.user, "u");
  EXPECT_EQ(subscribe.client, "cl");
  EXPECT_EQ(subscribe.session, "s");
  EXPECT_EQ(subscribe.expire_at, 1'900'000'000);
  EXPECT_EQ(subscribe.info, "[3]");
  EXPECT_EQ(subscribe.data, "{}");
  EXPECT_EQ(subscribe.recover_since->offset, 7u);
  EXPECT_EQ(subscribe.recover_since->epoch, "e");
  EXPECT_EQ(subscribe.overrides.presence, true);
  EXPECT_EQ(subscribe.overrides.join_leave, false);
  EXPECT_EQ(subscribe.overrides.force_recovery, true);
  EXPECT_EQ(subscribe.overrides.force_positioning, true);
  EXPECT_EQ(subscribe.overrides.force_push_join_leave, false);

  const Control unsubscribe =
      control("unsubscribe", Message().text(1, "c").text(2, "u").text(3, "cl").text(4, "s"));
  EXPECT_EQ(unsubscribe.kind, Control::Kind::kUnsubscribe);
  EXPECT_EQ(unsubscribe.channel + unsubscribe.user + unsubscribe.client + unsubscribe.session,
            "cucls");

  const Control disconnect =
      control("disconnect", Message()
                                .text(1, "u")
                                .message(2, Message().number(1, 4001).text(2, "why"))
                                .text(3, "cl")
                                .text(4, "w1")
                                .text(4, "w2")
                                .text(5, "s"));
  EXPECT_EQ(disconnect.kind, Control::Kind::kDisconnect);
  EXPECT_EQ(disconnect.user + disconnect.client + disconnect.session, "ucls");
  EXPECT_EQ(disconnect.code, 4001);
  EXPECT_EQ(disconnect.reason, "why");
  EXPECT_EQ(disconnect.whitelist, (std::vector<std::string>{"w1", "w2"}));

  const Control refresh = control(
      "refresh",
      Message().text(1, "u").text(2, "cl").number(3, 1).number(4, 5).text(5, "{}").text(6, "s"));
  EXPECT_EQ(refresh.kind, Control::Kind::kRefresh);
  EXPECT_EQ(refresh.user + refresh.client + refresh.session, "ucls");
  EXPECT_TRUE(refresh.expired);
  EXPECT_EQ(refresh.expire_at, 5);
  EXPECT_EQ(refresh.info, "{}");
}

TEST_F(ProtobufTest, ControlRefusals) {
  make({.insecure = true, .limits = {.whitelist = 1}});
  EXPECT_EQ(call("subscribe", Message().text(1, "")), kBadRequest);
  EXPECT_EQ(call("subscribe", Message().text(1, "c").text(4, "not JSON")), kBadRequest);
  EXPECT_EQ(call("subscribe", Message().text(1, "c").text(7, "{")), kBadRequest);
  EXPECT_EQ(call("refresh", Message().text(5, "{")), kBadRequest);
  EXPECT_EQ(call("disconnect", Message().message(2, Message().number(1, 70'000))), kBadRequest);
  EXPECT_EQ(call("disconnect", Message().text(4, "a").text(4, "b")), kBadRequest);
  EXPECT_EQ(call("disconnect", ""), kEmptyMessage);
  EXPECT_EQ(call("rpc", ""), std::string(Message().message(1, error(104, "not found"))));
}

TEST_F(ProtobufTest, Batch) {
  const Message publish = Message().text(1, "a").text(2, "1");
  const Message body = Message()
                           .number(2, 1)
                           .message(1, Message().message(4, publish))
                           .message(1, Message().message(5, publish))
                           .message(1, Message().text(8, "").text(8, ""))  // two in one
                           .message(1, Message().text(99, ""))
                           .message(1, Message().message(12, Message().text(1, "a")));
  const std::string at = Message().number(1, 1).text(2, epoch("a"));
  EXPECT_EQ(call("batch", Message().message(1, Message().message(4, publish))),
            std::string(Message().message(1, Message().text(4, at))));
  const std::string second = Message().number(1, 2).text(2, epoch("a"));
  const std::string third = Message().number(1, 3).text(2, epoch("a"));
  const Message expected =
      Message()
          .message(1, Message().text(4, second))
          .message(1, Message().message(5, Message().message(1, Message().text(2, third))))
          .message(1, Message().message(2, error(107, "bad request")))
          .message(1, Message().message(2, error(104, "not found")))
          .message(1, Message().text(12, ""));
  EXPECT_EQ(call("batch", body), expected);
  EXPECT_EQ(call("batch", ""), "");
  EXPECT_EQ(status("batch", Message().number(1, 1)), 400);
  EXPECT_EQ(status("batch", Message().message(1, Message().number(4, 1))), 400);
  make({.insecure = true, .limits = {.commands = 1}});
  EXPECT_EQ(call("batch", Message().text(1, "").text(1, "")), kBadRequest);
}

TEST_F(ProtobufTest, ErrorsInTransportMode) {
  const Answer answer = ask("nothing", protobuf("", {{"X-Centrifugo-Error-Mode", "transport"}}));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, std::string(error(104, "not found")));
  EXPECT_EQ(call("nothing", ""), std::string(Message().message(1, error(104, "not found"))));
}

TEST_F(ProtobufTest, WhatIsCutOffIsRefusedOrASmallerMessage) {
  const Message publish =
      Message().text(1, "a").text(2, "{}").message(5, Message().text(1, "k").text(2, "v"));
  const Message subscribe = Message()
                                .text(1, "c")
                                .message(9, Message().number(1, 300))
                                .message(10, Message().message(1, kTrue));
  const std::string whole = Message()
                                .message(1, Message().message(4, publish))
                                .message(1, Message().message(6, subscribe));
  for (size_t size = 0; size <= whole.size(); ++size) {
    const auto list = decode_protobuf_request("batch", ByteView(whole).substr(0, size), {});
    const size_t first = std::string(Message().message(1, Message().message(4, publish))).size();
    EXPECT_EQ(list.has_value(), size == 0 || size == first || size == whole.size()) << size;
  }
}

}  // namespace
}  // namespace parley::http_api::testing
