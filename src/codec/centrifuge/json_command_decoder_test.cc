#include "codec/centrifuge/json_command_decoder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/metric_delta.h"

namespace parley::codec::centrifuge {
namespace {

using parley::testing::MetricDelta;

// Decodes one frame and keeps decoder and frame alive for the views.
struct Decoded {
  explicit Decoded(std::string text, CommandLimits limits = {})
      : frame(std::move(text)), decoder(limits) {
    end = decoder.decode(frame, [this](Command& command) {
      commands.push_back(std::move(command));
      return true;
    });
  }
  Decoded(const Decoded&) = delete;
  Decoded& operator=(const Decoded&) = delete;

  template <class T>
  const T& only() const {
    EXPECT_EQ(end, FrameEnd::kDone) << frame;
    EXPECT_EQ(commands.size(), 1u) << frame;
    return std::get<T>(commands.at(0).request);
  }

  std::string frame;
  JsonCommandDecoder decoder;
  std::vector<Command> commands;
  FrameEnd end;
};

FrameEnd end_of(std::string frame, CommandLimits limits = {}) {
  return Decoded(std::move(frame), limits).end;
}

constexpr const char* kTranscripts[] = {
    R"({"connect":{"token":"<jwt>","name":"js"},"id":1})",
    R"({"subscribe":{"channel":"news","flag":1},"id":2})",
    R"({"subscribe":{"channel":"recovery:a","flag":1,"recover":true,"offset":2,"epoch":"QwErTyUi"},"id":4})",
    R"({"subscribe":{"channel":"price:x","recover":true,"flag":1},"id":5})",
    R"({"subscribe":{"channel":"delta:d","flag":1,"delta":"fossil"},"id":6})",
    R"({"publish":{"channel":"test","data":{"m":1}},"id":7})",
    R"({"presence":{"channel":"test"},"id":8})",
    R"({"presence_stats":{"channel":"test"},"id":9})",
    R"({"history":{"channel":"recovery:a","limit":2,"since":{"offset":2,"epoch":"QwErTyUi"}},"id":10})",
    R"({"rpc":{"data":{"x":1},"method":"sum"},"id":11})",
    R"({"refresh":{"token":"<jwt2>"},"id":12})",
    R"({"sub_refresh":{"channel":"c","token":"<jwt>"},"id":13})",
    R"({"unsubscribe":{"channel":"c"},"id":14})",
    R"({"send":{"data":[1]}})",
};

TEST(CentrifugeJsonDecoder, ConnectAndSubscribeInOneFrame) {
  const Decoded in{std::string(kTranscripts[0]) + "\n" + kTranscripts[1] + "\n"};
  EXPECT_EQ(in.end, FrameEnd::kDone);
  ASSERT_EQ(in.commands.size(), 2u);
  EXPECT_EQ(in.commands[0].id, 1u);
  EXPECT_EQ(std::get<ConnectRequest>(in.commands[0].request).token, "<jwt>");
  EXPECT_EQ(std::get<ConnectRequest>(in.commands[0].request).name, "js");
  EXPECT_EQ(in.commands[1].id, 2u);
  EXPECT_EQ(std::get<SubscribeRequest>(in.commands[1].request).channel, "news");
  EXPECT_EQ(std::get<SubscribeRequest>(in.commands[1].request).flag, 1);
}

TEST(CentrifugeJsonDecoder, EmptyCommandIsAPong) {
  for (const char* text : {"{}", " {} ", "{}\n", "{}\r\n", R"({"id":0})", R"({"ping":{}})"})
    Decoded(text).only<Pong>();
}

TEST(CentrifugeJsonDecoder, Subscribe) {
  const Decoded recover(kTranscripts[2]);
  const auto& request = recover.only<SubscribeRequest>();
  EXPECT_EQ(request.channel, "recovery:a");
  EXPECT_TRUE(request.recover);
  EXPECT_EQ(request.offset, 2u);
  EXPECT_EQ(request.epoch, "QwErTyUi");
  EXPECT_EQ(request.data.data(), nullptr);
  EXPECT_FALSE(request.positioned || request.recoverable || request.join_leave || request.asc);
  EXPECT_FALSE(request.tf);

  EXPECT_EQ(Decoded(kTranscripts[4]).only<SubscribeRequest>().delta, "fossil");
  const Decoded cache(kTranscripts[3]);
  EXPECT_TRUE(cache.only<SubscribeRequest>().recover);
  EXPECT_EQ(cache.only<SubscribeRequest>().offset, 0u);
}

TEST(CentrifugeJsonDecoder, SubscribeWithEveryField) {
  const Decoded in(
      R"({"id":20,"subscribe":{"channel":"m","token":"t","recover":true,"epoch":"e","offset":18446744073709551615,)"
      R"("data":{"a": 1.0},"positioned":true,"recoverable":true,"join_leave":true,"delta":"fossil","flag":3,"type":1,)"
      R"("phase":2,"cursor":"c","limit":-1,"asc":true,"tf":{"op":"and","nodes":[{"key":"k","cmp":"eq","val":"v"},)"
      R"({"op":"not","nodes":[{"key":"k","cmp":"in","vals":["x","y"]}]}]}}})");
  const auto& request = in.only<SubscribeRequest>();
  EXPECT_EQ(request.token, "t");
  EXPECT_EQ(request.offset, UINT64_MAX);
  EXPECT_EQ(request.data, R"({"a": 1.0})");
  EXPECT_TRUE(request.positioned && request.recoverable && request.join_leave && request.asc);
  EXPECT_EQ(request.flag,
            SubscribeRequest::kFlagCompaction | SubscribeRequest::kFlagRejectUnrecovered);
  EXPECT_EQ(request.type, 1);
  EXPECT_EQ(request.phase, 2);
  EXPECT_EQ(request.cursor, "c");
  EXPECT_EQ(request.limit, -1);
  ASSERT_TRUE(request.tf);
  EXPECT_EQ(request.tf->op, "and");
  ASSERT_EQ(request.tf->nodes.size(), 2u);
  EXPECT_EQ(request.tf->nodes[0].val, "v");
  EXPECT_EQ(request.tf->nodes[1].nodes.at(0).vals, (std::vector<std::string_view>{"x", "y"}));
}

TEST(CentrifugeJsonDecoder, ConnectWithEveryField) {
  const Decoded in(
      R"({"id":1,"connect":{"token":"t","data":null,"subs":{"a":{"recover":true,"offset":7,"epoch":"e"},"b":null},)"
      R"("name":"n","version":"v","headers":{"h":"x\ny"},"flag":1,"dict":"d","profile":"p","later":{"x":[]}}})");
  const auto& request = in.only<ConnectRequest>();
  EXPECT_EQ(request.data.data(), nullptr);
  ASSERT_EQ(request.subs.size(), 2u);
  EXPECT_EQ(request.subs[0].first, "a");
  EXPECT_EQ(request.subs[0].second.offset, 7u);
  EXPECT_EQ(request.subs[1].first, "b");
  ASSERT_EQ(request.headers.size(), 1u);
  EXPECT_EQ(request.headers[0].second, "x\ny");
  EXPECT_EQ(request.version, "v");
  EXPECT_EQ(request.dict, "d");
  EXPECT_EQ(request.profile, "p");
}

TEST(CentrifugeJsonDecoder, PublishKeepsTheBytesOfItsData) {
  EXPECT_EQ(Decoded(kTranscripts[5]).only<PublishRequest>().data, R"({"m":1})");
  const Decoded odd(R"({"id":7,"publish":{"data": {"b":1.10, "a":"\ud83d"} ,"channel":"x"}})");
  EXPECT_EQ(odd.only<PublishRequest>().data, R"({"b":1.10, "a":"\ud83d"})");
  EXPECT_EQ(odd.only<PublishRequest>().channel, "x");
  const Decoded map(R"({"id":7,"publish":{"channel":"m","type":1,"key":"k","removed":true}})");
  EXPECT_EQ(map.only<PublishRequest>().key, "k");
  EXPECT_TRUE(map.only<PublishRequest>().removed);
  EXPECT_EQ(map.only<PublishRequest>().type, 1);
}

// A publish as clients write it is read in one go; with a space in front it never is.
TEST(CentrifugeJsonDecoder, PlainPublishesAreReadAsAnyOther) {
  std::vector<std::string> lines;
  for (const char* id : {"7", "0", "00", "-1", "999999999", "4294967295", "4294967296", "1.0", ""})
    for (const char* channel : {"", "a", "caf\xC3\xA9", "a\\n", "a\tb", "\xC3"})
      for (const char* data : {R"({"m":1})", R"("x")", "[]", "17", "null", " 1", "1 ", "", "{",
                               "1,1", "\"\xC3\"", R"(1,"channel":"b")", R"(1,"key":"k")"}) {
        const std::string publish =
            std::string(R"("publish":{"channel":")") + channel + R"(","data":)" + data + "}";
        lines.push_back(std::string(R"({"id":)") + id + "," + publish + "}");
        lines.push_back("{" + publish + R"(,"id":)" + id + "}");
        lines.push_back("{" + publish + "}");
        lines.push_back(std::string(R"({"id":)") + id + "," + publish + R"(,"id":1})");
      }
  size_t good = 0;
  for (const std::string& line : lines) {
    const Decoded plain(line);
    const Decoded spaced(" " + line);
    ASSERT_EQ(plain.end, spaced.end) << line;
    if (plain.end != FrameEnd::kDone) continue;
    ++good;
    ASSERT_EQ(plain.commands[0].id, spaced.commands[0].id) << line;
    const auto& one = plain.only<PublishRequest>();
    const auto& other = spaced.only<PublishRequest>();
    ASSERT_EQ(one.channel, other.channel) << line;
    ASSERT_EQ(one.data, other.data) << line;
    ASSERT_EQ(one.data.data() == nullptr, other.data.data() == nullptr) << line;
    ASSERT_EQ(one.key, other.key) << line;
  }
  EXPECT_GT(good, 100u);
}

TEST(CentrifugeJsonDecoder, DataOfAPlainPublishMayBeTwoLessDeep) {
  const auto publish = [](size_t depth) {
    return R"({"id":1,"publish":{"channel":"a","data":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}}";
  };
  EXPECT_EQ(end_of(publish(62)), FrameEnd::kDone);
  EXPECT_EQ(end_of(publish(63)), FrameEnd::kBadRequest);
  EXPECT_EQ(end_of(publish(0) + "x", {.max_depth = 1}), FrameEnd::kBadRequest);
}

TEST(CentrifugeJsonDecoder, OtherTranscripts) {
  EXPECT_EQ(Decoded(kTranscripts[6]).only<PresenceRequest>().channel, "test");
  EXPECT_EQ(Decoded(kTranscripts[7]).only<PresenceStatsRequest>().channel, "test");
  const Decoded history(kTranscripts[8]);
  EXPECT_EQ(history.only<HistoryRequest>().limit, 2);
  EXPECT_EQ(history.only<HistoryRequest>().since.value().offset, 2u);
  EXPECT_EQ(history.only<HistoryRequest>().since.value().epoch, "QwErTyUi");
  EXPECT_EQ(Decoded(kTranscripts[9]).only<RpcRequest>().method, "sum");
  EXPECT_EQ(Decoded(kTranscripts[9]).only<RpcRequest>().data, R"({"x":1})");
  EXPECT_EQ(Decoded(kTranscripts[10]).only<RefreshRequest>().token, "<jwt2>");
  EXPECT_EQ(Decoded(kTranscripts[11]).only<SubRefreshRequest>().token, "<jwt>");
  EXPECT_EQ(Decoded(kTranscripts[12]).only<UnsubscribeRequest>().channel, "c");
  EXPECT_EQ(Decoded(kTranscripts[13]).only<SendRequest>().data, "[1]");
}

TEST(CentrifugeJsonDecoder, SubRefreshTracksKeys) {
  const Decoded in(
      R"({"id":1,"sub_refresh":{"channel":"c","type":1,"track":[{"signature":"s","items":[{"key":"k","version":9007199254740993}]}],)"
      R"("untrack":["u"]}})");
  const auto& request = in.only<SubRefreshRequest>();
  EXPECT_EQ(request.track.at(0).signature, "s");
  EXPECT_EQ(request.track.at(0).items.at(0).version, 9007199254740993u);
  EXPECT_EQ(request.untrack.at(0), "u");
}

TEST(CentrifugeJsonDecoder, FirstPayloadOfTheSchemaCounts) {
  Decoded(R"({"id":1,"publish":{"channel":"b"},"connect":{}})").only<ConnectRequest>();
  Decoded(R"({"id":1,"connect":{},"publish":{"channel":"b"}})").only<ConnectRequest>();
  Decoded(R"({"id":1,"connect":null,"publish":{"channel":"b"}})").only<PublishRequest>();
  EXPECT_EQ(end_of(R"({"id":1,"connect":{},"publish":[]})"), FrameEnd::kBadRequest);
}

TEST(CentrifugeJsonDecoder, IdWithoutKnownPayloadIsUnknown) {
  for (const char* text : {R"({"id":1})", R"({"id":1,"ping":{}})", R"({"id":1,"what":{"a":1}})"})
    Decoded(text).only<UnknownRequest>();
}

TEST(CentrifugeJsonDecoder, MissingIdLeavesTheVerdictToTheAdapter) {
  const Decoded in(R"({"connect":{}})");
  in.only<ConnectRequest>();
  EXPECT_EQ(in.commands.at(0).id, 0u);
}

TEST(CentrifugeJsonDecoder, EscapedKeysAndChannels) {
  const Decoded in(R"({"\u0069d":3,"unsubscribe":{"channel":"caf\u00e9\ud83d\ude00"}})");
  EXPECT_EQ(in.only<UnsubscribeRequest>().channel, "caf\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(in.commands[0].id, 3u);
}

TEST(CentrifugeJsonDecoder, BadFrames) {
  for (const char* frame : {"",
                            "\n",
                            "{}\n\n",
                            "\n{}",
                            "{}\n \n",
                            "[]",
                            "null",
                            "1",
                            "\"x\"",
                            "{}{}",
                            "{",
                            "{}x",
                            R"({"id":-1})",
                            R"({"id":4294967296})",
                            R"({"id":1.0})",
                            R"({"id":"1"})",
                            R"({"id":1,"id":1})",
                            R"({"id":1,"connect":[]})",
                            R"({"id":1,"connect":"x"})",
                            R"({"id":1,"connect":{"token":1}})",
                            R"({"id":1,"connect":{"token":"a","token":"b"}})",
                            R"({"id":1,"connect":{"subs":[]}})",
                            R"({"id":1,"connect":{"subs":{"a":1}}})",
                            R"({"id":1,"connect":{"subs":{"a":{},"a":{}}}})",
                            R"({"id":1,"connect":{"headers":{"a":1}}})",
                            R"({"id":1,"connect":{"flag":9223372036854775808}})",
                            R"({"id":1,"subscribe":{"channel":{}}})",
                            R"({"id":1,"subscribe":{"recover":1}})",
                            R"({"id":1,"subscribe":{"offset":18446744073709551616}})",
                            R"({"id":1,"subscribe":{"offset":-1}})",
                            R"({"id":1,"subscribe":{"offset":"1"}})",
                            R"({"id":1,"subscribe":{"type":2147483648}})",
                            R"({"id":1,"subscribe":{"tf":[]}})",
                            R"({"id":1,"subscribe":{"tf":{"nodes":[1]}}})",
                            R"({"id":1,"subscribe":{"channel":"\ud83d"}})",
                            R"({"id":1,"history":{"since":1}})",
                            R"({"id":1,"publish":{"channel":"x","data":{"a":}}})",
                            "{\"id\":1,\"send\":{\"data\":\"\xFF\"}}",
                            "{\"id\":1,\n\"connect\":{}}"})
    EXPECT_EQ(end_of(frame), FrameEnd::kBadRequest) << frame;
}

TEST(CentrifugeJsonDecoder, CommandsBeforeABadOneAreDelivered) {
  const Decoded in("{\"id\":1,\"connect\":{}}\n{bad}\n{}");
  EXPECT_EQ(in.end, FrameEnd::kBadRequest);
  EXPECT_EQ(in.commands.size(), 1u);
}

TEST(CentrifugeJsonDecoder, TheSinkMayStop) {
  JsonCommandDecoder decoder;
  int calls = 0;
  const auto stop = [&calls](Command&) { return ++calls != 2; };
  EXPECT_EQ(decoder.decode("{}\n{}\n{}", stop), FrameEnd::kStopped);
  EXPECT_EQ(calls, 2);
}

TEST(CentrifugeJsonDecoder, EveryTruncationIsRefused) {
  for (const std::string text : kTranscripts)
    for (size_t size = 0; size < text.size(); ++size)
      EXPECT_EQ(end_of(text.substr(0, size)), FrameEnd::kBadRequest) << text.substr(0, size);
}

TEST(CentrifugeJsonDecoder, AnyByteMayBreakWithoutHarm) {
  for (const std::string text : kTranscripts)
    for (size_t at = 0; at < text.size(); ++at)
      for (const char byte : {'\0', '"', '{', '}', '[', ',', '\\', '9', '\n', '\xFF'}) {
        std::string broken = text;
        broken[at] = byte;
        end_of(std::move(broken));
      }
}

TEST(CentrifugeJsonDecoder, LimitsAreEnforced) {
  const auto publish = [](size_t depth) {
    return R"({"id":1,"publish":{"channel":"x","data":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}}";
  };
  const MetricDelta malformed(R"(parley_centrifuge_frames_refused_total{reason="malformed"})");
  const MetricDelta commands(
      R"(parley_centrifuge_frames_refused_total{reason="too_many_commands"})");
  const MetricDelta items(R"(parley_centrifuge_frames_refused_total{reason="too_many_items"})");
  EXPECT_EQ(end_of(publish(62)), FrameEnd::kDone);
  EXPECT_EQ(end_of(publish(63)), FrameEnd::kBadRequest);
  EXPECT_EQ(malformed(), 1);
  EXPECT_EQ(end_of(R"({"id":1,"publish":{"data":)" + std::string(1'000'000, '[')),
            FrameEnd::kBadRequest);

  std::string filter = R"({"id":1,"subscribe":{"tf":{"nodes":[)";
  for (int i = 0; i < 100'000; ++i) filter += "{\"nodes\":[";
  EXPECT_EQ(end_of(filter), FrameEnd::kBadRequest);

  EXPECT_EQ(end_of("{}\n{}\n", {.max_commands = 2}), FrameEnd::kDone);
  EXPECT_EQ(end_of("{}\n{}\n{}", {.max_commands = 2}), FrameEnd::kBadRequest);
  EXPECT_EQ(commands(), 1);

  const std::string three = R"({"id":1,"connect":{"subs":{"a":{},"b":{}},"headers":{"h":""}}})";
  EXPECT_EQ(end_of(three, {.max_items = 3}), FrameEnd::kDone);
  EXPECT_EQ(end_of(three, {.max_items = 2}), FrameEnd::kBadRequest);
  EXPECT_EQ(items(), 1);
}

}  // namespace
}  // namespace parley::codec::centrifuge
