// Messages that come without a command around them, in both encodings.
#include <cstring>
#include <memory>

#include <gtest/gtest.h>

#include "codec/centrifuge/json_command_decoder.h"
#include "codec/centrifuge/protobuf_command_decoder.h"
#include "tests/support/centrifuge_command_text.h"
#include "tests/support/metric_delta.h"

namespace parley::codec::centrifuge {
namespace {

using parley::testing::from_hex;
using parley::testing::MetricDelta;

// "session node data", or "refused".
template <class Decoder>
std::string emulated(Decoder&& decoder, std::string_view text) {
  // Nothing may be read behind it.
  const auto exact = std::make_unique<char[]>(text.size());
  std::memcpy(exact.get(), text.data(), text.size());
  EmulationRequest out;
  if (!decoder.decode(ByteView(exact.get(), text.size()), out)) return "refused";
  return std::string(out.session) + ' ' + std::string(out.node) + ' ' + std::string(out.data);
}
std::string from_json(std::string_view text) { return emulated(JsonCommandDecoder(), text); }
std::string from_protobuf(std::string_view text) {
  return emulated(ProtobufCommandDecoder(), text);
}

TEST(Emulation, JsonHoldsTheCommandsInAString) {
  EXPECT_EQ(from_json(R"({"session":"s","node":"n","data":"{\"id\":2}\n{\"id\":3}"})"),
            "s n {\"id\":2}\n{\"id\":3}");
  EXPECT_EQ(from_json(R"( {"data":"{}","more":[1],"session":"s"} )"), "s  {}");
  EXPECT_EQ(from_json("{}"), "  ");
  for (const auto* bad :
       {"", "[]", "{", "1", R"({"data":{"id":1}})", R"({"session":1})", R"({"data":"\ud800"})",
        R"({"session":"a","session":"b"})", "{}{}", R"({"data":"x")"})
    EXPECT_EQ(from_json(bad), "refused") << bad;
}

TEST(Emulation, ProtobufHoldsTheirBytes) {
  // As the codec of npm centrifuge writes it: node 1, session 2, data 3.
  const std::string whole = from_hex("0a016e1201731a03010203");
  EXPECT_EQ(from_protobuf(whole), "s n \x01\x02\x03");
  EXPECT_EQ(from_protobuf(""), "  ");
  // Unknown fields are skipped; what comes twice counts as it came last.
  EXPECT_EQ(from_protobuf(whole + from_hex("2005120174")), "t n \x01\x02\x03");
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    const bool border = cut == 3 || cut == 6;
    EXPECT_EQ(from_protobuf(std::string_view(whole).substr(0, cut)) == "refused", !border) << cut;
  }
  // A length beyond the rest, also one that 32 bits do not hold; a wrong wire type; not UTF-8.
  for (const auto* bad : {"12ff01", "1a818080801061", "0801", "1201ff", "0b", "07"})
    EXPECT_EQ(from_protobuf(from_hex(bad)), "refused") << bad;
}

TEST(Emulation, RefusalsAreCounted) {
  const MetricDelta refused(R"(parley_centrifuge_frames_refused_total{reason="malformed"})");
  EXPECT_EQ(from_json("{"), "refused");
  EXPECT_EQ(from_protobuf(from_hex("1a05")), "refused");
  EXPECT_EQ(refused(), 2);
}

TEST(ConnectAlone, IsTheRequestOfAOneWayClient) {
  JsonCommandDecoder decoder;
  ConnectRequest request;
  ASSERT_TRUE(decoder.decode(
      R"({"token":"t","headers":{"X":"y"},"subs":{"news":{"recover":true,"offset":5}}})", request));
  EXPECT_EQ(request.token, "t");
  ASSERT_EQ(request.headers.size(), 1u);
  ASSERT_EQ(request.subs.size(), 1u);
  EXPECT_EQ(request.subs[0].first, "news");
  EXPECT_EQ(request.subs[0].second.offset, 5u);
  for (const auto* empty : {"{}", "null", " { } "}) {
    ConnectRequest nothing;
    EXPECT_TRUE(decoder.decode(empty, nothing)) << empty;
    EXPECT_EQ(nothing.token, "");
  }
  for (const auto* bad : {"", "{", "5", "null null", R"({"token":1})", R"({"subs":[]})"}) {
    ConnectRequest nothing;
    EXPECT_FALSE(decoder.decode(bad, nothing)) << bad;
  }
}

TEST(ConnectAlone, HasTheLimitsOfACommand) {
  JsonCommandDecoder decoder({.max_depth = 4, .max_items = 2});
  ConnectRequest request;
  EXPECT_FALSE(decoder.decode(R"({"headers":{"a":"","b":"","c":""}})", request));
  EXPECT_FALSE(decoder.decode(R"({"data":[[[[1]]]]})", request));
}

}  // namespace
}  // namespace parley::codec::centrifuge
