#include "codec/centrifuge/protobuf_command_decoder.h"

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "codec/centrifuge/json_command_decoder.h"
#include "tests/support/centrifuge_command_text.h"
#include "tests/support/centrifuge_protobuf.h"

namespace parley::codec::centrifuge {
namespace {

using testing::delimited;
using testing::describe;
using testing::from_hex;
using testing::put_varint;
using testing::ToProtobuf;

// Decodes a frame that nothing may be read behind.
struct Decoded {
  explicit Decoded(std::string_view bytes, CommandLimits limits = {})
      : frame(std::make_unique<char[]>(bytes.size())) {
    std::memcpy(frame.get(), bytes.data(), bytes.size());
    const ProtobufCommandDecoder decoder(limits);
    end = decoder.decode({frame.get(), bytes.size()}, [this](Command& command) {
      commands.push_back(std::move(command));
      return true;
    });
  }

  template <class T>
  const T& only() const {
    EXPECT_EQ(end, FrameEnd::kDone);
    EXPECT_EQ(commands.size(), 1u);
    return std::get<T>(commands.at(0).request);
  }

  std::unique_ptr<char[]> frame;
  std::vector<Command> commands;
  FrameEnd end;
};

FrameEnd end_of(std::string_view frame, CommandLimits limits = {}) {
  return Decoded(frame, limits).end;
}

// The same command in both encodings. The bytes are those that the official JavaScript client's
// codec makes of the values in the text.
struct Row {
  std::string_view json;
  std::string_view hex;
};
constexpr Row kRows[] = {
    {R"({})", "00"},
    {R"({"id":1,"connect":{}})", "0408012200"},
    {R"({"id":1,"connect":{"token":"<jwt>","data":{"a":1},"subs":{"a":{"recover":true,"epoch":"e",)"
     R"("offset":7},"b":{}},"name":"js","version":"v","headers":{"h":"x"},"flag":1}})",
     "3a080122360a053c6a77743e12077b2261223a317d1a0c0a01611207180132016538071a050a0162"
     "120022026a732a017632060a01681201783801"},
    {R"({"id":2,"subscribe":{"channel":"news","flag":1}})", "0c08022a080a046e6577737001"},
    {R"({"id":20,"subscribe":{"channel":"m","token":"t","recover":true,"epoch":"e","offset":184467)"
     R"(44073709551615,"data":[1],"positioned":true,"recoverable":true,"join_leave":true,"delta":")"
     R"(fossil","tf":{"op":"and","nodes":[{"key":"k","cmp":"eq","val":"v"},{"op":"not","nodes":[{")"
     R"(key":"k","cmp":"in","vals":["x","y"]}]}]},"flag":3,"type":1,"phase":2,"cursor":"c","limit")"
     R"(:-1,"asc":true}})",
     "7008142a6c0a016d120174180132016538ffffffffffffffffff0142035b315d4801500158016206"
     "666f7373696c6a270a03616e64320a12016b1a02657122017632140a036e6f74320d12016b1a0269"
     "6e2a01782a0179700378018001028a0101639001ffffffffffffffffff01980101"},
    {R"({"id":7,"publish":{"channel":"test","data":{"m":1}}})",
     "1308073a0f0a047465737412077b226d223a317d"},
    {R"({"id":7,"publish":{"channel":"m","data":1,"type":1,"key":"k","removed":true}})",
     "1108073a0d0a016d120131180122016b2801"},
    {R"({"id":8,"presence":{"channel":"test"}})", "0a080842060a0474657374"},
    {R"({"id":9,"presence_stats":{"channel":"test"}})", "0a08094a060a0474657374"},
    {R"({"id":10,"history":{"channel":"a","limit":-1,"since":{"offset":2,"epoch":"QwErTyUi"},"reve)"
     R"(rse":true}})",
     "22080a521e0a016138ffffffffffffffffff01420c0802120851774572547955694801"},
    {R"({"id":11,"rpc":{"data":{"x":1},"method":"sum"}})",
     "12080b6a0e0a077b2278223a317d120373756d"},
    {R"({"id":12,"refresh":{"token":"<jwt2>"}})", "0c080c72080a063c6a7774323e"},
    {R"({"id":13,"sub_refresh":{"channel":"c","token":"<jwt>","type":1,"track":[{"signature":"s",")"
     R"(items":[{"key":"k","version":9007199254740993}]}],"untrack":["u"]}})",
     "26080d7a220a016312053c6a77743e180122110a0173120c0a016b1081808080808080102a0175"},
    {R"({"id":14,"unsubscribe":{"channel":"c"}})", "07080e32030a0163"},
    {R"({"send":{"data":[1]}})", "0762050a035b315d"},
    {R"({"id":4294967295,"ping":{}})", "0808ffffffff0f5a00"},
};

std::string varint_field(uint32_t number, uint64_t value) {
  std::string out;
  put_varint(out, number * 8);
  put_varint(out, value);
  return out;
}

// A command of these fields, as a frame.
std::string command(std::string_view fields) { return delimited(0, fields); }

std::string subscribe(std::string_view fields) {
  return command(varint_field(1, 2) + delimited(5, fields));
}

TEST(CentrifugeProtobufDecoder, UnderstandsTheOfficialClientAsInJson) {
  for (const Row& row : kRows) {
    JsonCommandDecoder json;
    std::string wanted;
    ASSERT_EQ(json.decode(row.json,
                          [&wanted](Command& c) {
                            wanted = describe(c);
                            return true;
                          }),
              FrameEnd::kDone);
    const Decoded in(from_hex(row.hex));
    EXPECT_EQ(in.end, FrameEnd::kDone) << row.json;
    ASSERT_EQ(in.commands.size(), 1u) << row.json;
    EXPECT_EQ(describe(in.commands[0]), wanted);
    EXPECT_EQ(ToProtobuf::frame(row.json), from_hex(row.hex)) << row.json;
  }
}

TEST(CentrifugeProtobufDecoder, NewerFieldsOfConnect) {
  const Decoded in(ToProtobuf::frame(R"({"id":1,"connect":{"flag":-1,"dict":"d","profile":"p"}})"));
  EXPECT_EQ(in.only<ConnectRequest>().flag, -1);
  EXPECT_EQ(in.only<ConnectRequest>().dict, "d");
  EXPECT_EQ(in.only<ConnectRequest>().profile, "p");
}

TEST(CentrifugeProtobufDecoder, SeveralCommandsInOneFrame) {
  std::string frame;
  for (const Row& row : kRows) frame += from_hex(row.hex);
  const Decoded in(frame);
  EXPECT_EQ(in.end, FrameEnd::kDone);
  EXPECT_EQ(in.commands.size(), std::size(kRows));
}

TEST(CentrifugeProtobufDecoder, ALengthOfZeroIsAPong) {
  const std::string zero(1, '\0');
  Decoded(zero).only<Pong>();
  // The same length, written longer than need be.
  Decoded(std::string("\x80\0", 2)).only<Pong>();
  EXPECT_EQ(Decoded(zero + zero).commands.size(), 2u);
  // Without id, what is not known is nothing.
  Decoded(command(delimited(11, ""))).only<Pong>();
}

TEST(CentrifugeProtobufDecoder, DataMayBeAnyBytes) {
  const std::string bytes("\0\xFF{\n", 4);
  const Decoded in(
      command(varint_field(1, 1) + delimited(7, delimited(1, "c") + delimited(2, bytes))));
  EXPECT_EQ(in.only<PublishRequest>().data, bytes);
  const Decoded empty(command(varint_field(1, 1) + delimited(7, delimited(2, ""))));
  EXPECT_NE(empty.only<PublishRequest>().data.data(), nullptr);
  const Decoded none(command(varint_field(1, 1) + delimited(7, "")));
  EXPECT_EQ(none.only<PublishRequest>().data.data(), nullptr);
}

TEST(CentrifugeProtobufDecoder, UnknownFieldsAreSkipped) {
  // 100: a varint, 8 bytes, some bytes, 4 bytes.
  std::string unknown = varint_field(100, UINT64_MAX);
  put_varint(unknown, 100 * 8 + 1);
  unknown += "12345678" + delimited(100, "\xFF\xFF");
  put_varint(unknown, 100 * 8 + 5);
  unknown += "1234";
  const Decoded in(command(unknown + varint_field(1, 2) + unknown +
                           delimited(5, unknown + delimited(1, "c") + unknown) + unknown));
  EXPECT_EQ(in.only<SubscribeRequest>().channel, "c");
  EXPECT_EQ(in.commands[0].id, 2u);
  Decoded(command(varint_field(1, 2) + unknown)).only<UnknownRequest>();
}

TEST(CentrifugeProtobufDecoder, WhatComesTwice) {
  const Decoded scalar(subscribe(delimited(1, "a") + varint_field(7, 1) + delimited(1, "b") +
                                 varint_field(7, 0) + varint_field(3, 1)));
  EXPECT_EQ(scalar.only<SubscribeRequest>().channel, "b");
  EXPECT_EQ(scalar.only<SubscribeRequest>().offset, 0u);

  const Decoded merged(command(varint_field(1, 1) +
                               delimited(5, delimited(1, "a") + varint_field(3, 1)) +
                               varint_field(1, 9) + delimited(5, varint_field(7, 4))));
  EXPECT_EQ(merged.commands.at(0).id, 9u);
  EXPECT_EQ(merged.only<SubscribeRequest>().channel, "a");
  EXPECT_TRUE(merged.only<SubscribeRequest>().recover);
  EXPECT_EQ(merged.only<SubscribeRequest>().offset, 4u);

  const Decoded nested(
      subscribe(delimited(13, delimited(1, "and") + delimited(6, delimited(2, "x"))) +
                delimited(13, delimited(6, delimited(2, "y")))));
  EXPECT_EQ(nested.only<SubscribeRequest>().tf->op, "and");
  EXPECT_EQ(nested.only<SubscribeRequest>().tf->nodes.size(), 2u);

  const auto header = [](std::string_view key, std::string_view value) {
    return delimited(6, delimited(1, key) + delimited(2, value));
  };
  const Decoded maps(command(varint_field(1, 1) +
                             delimited(4, header("a", "1") + header("b", "2") + header("a", "3")) +
                             delimited(4, header("b", "4") + header("c", "") + delimited(6, ""))));
  const std::vector<std::pair<std::string_view, std::string_view>> wanted = {
      {"", ""}, {"a", "3"}, {"b", "4"}, {"c", ""}};
  EXPECT_EQ(maps.only<ConnectRequest>().headers, wanted);
}

TEST(CentrifugeProtobufDecoder, FirstPayloadOfTheSchemaCounts) {
  const std::string id = varint_field(1, 1);
  const std::string publish = delimited(7, delimited(1, "b"));
  const std::string connect = delimited(4, delimited(4, "n"));
  EXPECT_EQ(Decoded(command(id + publish + connect)).only<ConnectRequest>().name, "n");
  EXPECT_EQ(Decoded(command(id + connect + publish)).only<ConnectRequest>().name, "n");
  EXPECT_EQ(Decoded(command(id + connect + publish + delimited(4, delimited(5, "v"))))
                .only<ConnectRequest>()
                .name,
            "n");
  EXPECT_EQ(end_of(command(id + connect + delimited(7, "\x0A"))), FrameEnd::kBadRequest);
}

TEST(CentrifugeProtobufDecoder, TooLargeNumbersLoseTheirUpperBits) {
  const Decoded in(command(varint_field(1, (1ull << 32) + 5) +
                           delimited(5, varint_field(15, UINT64_MAX) + varint_field(3, 2))));
  EXPECT_EQ(in.commands.at(0).id, 5u);
  EXPECT_EQ(in.only<SubscribeRequest>().type, -1);
  EXPECT_TRUE(in.only<SubscribeRequest>().recover);
}

TEST(CentrifugeProtobufDecoder, BadFrames) {
  std::string fixed;
  put_varint(fixed, 7 * 8 + 1);
  fixed += "12345678";
  std::string huge_channel("\x0A");
  put_varint(huge_channel, (1ull << 32) + 1);
  std::string huge_unknown;
  put_varint(huge_unknown, 100 * 8 + 2);
  put_varint(huge_unknown, (1ull << 32) + 1);
  const std::pair<const char*, std::string> rows[] = {
      {"nothing", ""},
      {"a length without its end", "\x80"},
      {"a length beyond the frame", std::string("\x02\x08", 2)},
      {"a length of 2^64-1", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"},
      {"a length of 11 bytes", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"},
      {"a length that is small modulo 2^32", std::string("\x81\x80\x80\x80\x10\x08\x01")},
      {"field 0", command(std::string("\0\1", 2))},
      {"a group", command("\x0B\x0C")},
      {"wire type 7", command("\x0F")},
      {"id as bytes", command(delimited(1, "x"))},
      {"a payload as a number", command(varint_field(4, 1))},
      {"a channel as a number", subscribe(varint_field(1, 1))},
      {"a flag as bytes", subscribe(delimited(3, "\1"))},
      {"an offset as 8 bytes", subscribe(fixed)},
      {"an offset of 11 bytes", subscribe("\x38\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")},
      {"a channel that is not UTF-8", subscribe(delimited(1, "\xFF"))},
      {"a channel of half a surrogate pair", subscribe(delimited(1, "\xED\xA0\xBD"))},
      {"a channel beyond its message", subscribe("\x0A\x05"
                                                 "ab")},
      {"a channel that is small modulo 2^32", subscribe(huge_channel + "a")},
      {"an unknown field that is", subscribe(huge_unknown + "a")},
      {"a key of a map that is not UTF-8",
       command(delimited(4, delimited(6, delimited(1, "\xFF"))))},
      {"a value of a map of the wrong type",
       command(delimited(4, delimited(3, varint_field(2, 1))))},
      {"a message inside that is none", subscribe(delimited(13, "\x0A"))},
  };
  for (const auto& [what, frame] : rows) EXPECT_EQ(end_of(frame), FrameEnd::kBadRequest) << what;
}

TEST(CentrifugeProtobufDecoder, CommandsBeforeABadOneAreDelivered) {
  const Decoded in(from_hex(kRows[1].hex) + "\x02\x0F\x0F" + from_hex(kRows[0].hex));
  EXPECT_EQ(in.end, FrameEnd::kBadRequest);
  EXPECT_EQ(in.commands.size(), 1u);
}

TEST(CentrifugeProtobufDecoder, TheSinkMayStop) {
  int calls = 0;
  const auto stop = [&calls](Command&) { return ++calls != 2; };
  EXPECT_EQ(ProtobufCommandDecoder().decode(std::string(3, '\0'), stop), FrameEnd::kStopped);
  EXPECT_EQ(calls, 2);
}

TEST(CentrifugeProtobufDecoder, EveryCutIsRefused) {
  for (const Row& row : kRows) {
    const std::string frame = from_hex(row.hex);
    for (size_t size = 0; size < frame.size(); ++size) {
      EXPECT_EQ(end_of(frame.substr(0, size)), FrameEnd::kBadRequest) << row.json << size;
      // Cut off inside, while the length says that it is whole.
      if (size > 0) end_of(command(frame.substr(1, size)));
    }
  }
}

TEST(CentrifugeProtobufDecoder, AnyByteMayBreakWithoutHarm) {
  std::mt19937 random(1);
  for (const Row& row : kRows) {
    const std::string frame = from_hex(row.hex);
    for (size_t at = 0; at < frame.size(); ++at)
      for (int n = 0; n < 40; ++n) {
        std::string broken = frame;
        broken[at] = static_cast<char>(random());
        if (n % 2 == 0) broken[random() % frame.size()] = static_cast<char>(random());
        if (n % 4 == 0) broken.erase(random() % frame.size(), random() % 4);
        end_of(broken);
      }
  }
}

TEST(CentrifugeProtobufDecoder, LimitsAreEnforced) {
  const auto filter = [](size_t depth) {
    std::string node;
    for (size_t i = 1; i < depth; ++i) node = delimited(6, node);
    return subscribe(delimited(13, node));
  };
  // The command, the subscribe, and 62 nodes.
  EXPECT_EQ(end_of(filter(62)), FrameEnd::kDone);
  EXPECT_EQ(end_of(filter(63)), FrameEnd::kBadRequest);
  EXPECT_EQ(end_of(filter(3'000)), FrameEnd::kBadRequest);
  EXPECT_EQ(end_of(std::string(1, '\0'), {.max_depth = 0}), FrameEnd::kBadRequest);

  EXPECT_EQ(end_of(std::string(2, '\0'), {.max_commands = 2}), FrameEnd::kDone);
  EXPECT_EQ(end_of(std::string(3, '\0'), {.max_commands = 2}), FrameEnd::kBadRequest);

  const std::string three =
      ToProtobuf::frame(R"({"id":1,"connect":{"subs":{"a":{},"b":{}},"headers":{"h":""}}})");
  EXPECT_EQ(end_of(three, {.max_items = 3}), FrameEnd::kDone);
  EXPECT_EQ(end_of(three, {.max_items = 2}), FrameEnd::kBadRequest);
  // Empty elements, two bytes each.
  std::string empty;
  for (int i = 0; i < 10'001; ++i) empty += delimited(5, "");
  EXPECT_EQ(end_of(command(varint_field(1, 1) + delimited(15, empty))), FrameEnd::kBadRequest);
}

}  // namespace
}  // namespace parley::codec::centrifuge
