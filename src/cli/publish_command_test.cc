#include "cli/publish_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(DetectKind, JsonThenTextThenBinary) {
  for (const char* json : {R"({"a":1})", "[]", "1", "\"x\"", "null", " {} ", "-1.5e3", "{\n}\n"})
    EXPECT_EQ(detect_kind(json), DataKind::kJson) << json;
  for (const char* text :
       {"", "hello", "{a:1}", "{\"a\":1", "01", "nul", "gr\xc3\xbc\xc3\x9f", "NaN"})
    EXPECT_EQ(detect_kind(text), DataKind::kText) << text;
  for (const char* binary : {"\xff", "ab\xc3", "\"\xff\""})
    EXPECT_EQ(detect_kind(binary), DataKind::kBinary) << binary;
}

PublishCommand command(DataKind kind = DataKind::kDetect) {
  return {.url = "http://h",
          .channel = "news",
          .data = {},
          .kind = kind,
          .event = {},
          .idempotency_key = {}};
}

TEST(PublishRequest, SaysWhatTheDataIs) {
  const auto json = to_request(command(), R"({"a":1})", false);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->path, "/pub/news");
  EXPECT_EQ(json->body, R"({"a":1})");
  EXPECT_THAT(json->headers, ElementsAre("Content-Type: application/json"));
  EXPECT_THAT(to_request(command(), "hello", false)->headers,
              ElementsAre("Content-Type: text/plain; charset=utf-8"));
  EXPECT_THAT(to_request(command(), "\xff", false)->headers,
              ElementsAre("Content-Type: application/octet-stream"));
  EXPECT_THAT(to_request(command(DataKind::kText), "42", false)->headers,
              ElementsAre("Content-Type: text/plain; charset=utf-8"));
  EXPECT_THAT(to_request(command(DataKind::kBinary), "42", false)->headers,
              ElementsAre("Content-Type: application/octet-stream"));
}

TEST(PublishRequest, CarriesEventAndKey) {
  PublishCommand with = command();
  with.event = "created";
  with.idempotency_key = "order-7";
  const auto request = to_request(with, "1", false);
  EXPECT_THAT(request->headers, Contains("Parley-Event: created"));
  EXPECT_THAT(request->headers, Contains("Idempotency-Key: order-7"));
}

TEST(PublishRequest, EscapesTheChannel) {
  PublishCommand with = command();
  with.channel = "a/b c?d#e%\xc3\xbc-._~";
  EXPECT_EQ(to_request(with, "1", false)->path, "/pub/a%2Fb%20c%3Fd%23e%25%C3%BC-._~");
}

TEST(PublishRequest, DropsTheLineEndThatEchoAdds) {
  EXPECT_EQ(to_request(command(), "hi\n", true)->body, "hi");
  EXPECT_EQ(to_request(command(), "hi\r\n", true)->body, "hi");
  EXPECT_EQ(to_request(command(), "hi\n\n", true)->body, "hi\n");
  EXPECT_EQ(to_request(command(), "hi\n", false)->body, "hi\n");
  EXPECT_EQ(to_request(command(DataKind::kBinary), "hi\n", true)->body, "hi\n");
}

TEST(PublishRequest, RefusesWhatIsNotAsSaid) {
  EXPECT_THAT(to_request(command(DataKind::kJson), "{a:1}", false).error().message,
              HasSubstr("JSON"));
  EXPECT_THAT(to_request(command(DataKind::kText), "\xff", false).error().message,
              HasSubstr("--binary"));
  for (const std::string& line :
       {std::string("a\r\nX: y"), std::string("a\n"), std::string("a\0b", 3)}) {
    PublishCommand event = command();
    event.event = line;
    EXPECT_FALSE(to_request(event, "1", false));
    PublishCommand key = command();
    key.idempotency_key = line;
    EXPECT_FALSE(to_request(key, "1", false));
  }
}

TEST(DescribePublished, PrintsThePosition) {
  const std::string answer = R"({"epoch":"1f","offset":12})";
  EXPECT_EQ(*describe_published(200, answer), "offset=12 epoch=1f");
  EXPECT_EQ(*describe_published(200, answer, {.channel = "news", .json = true}),
            R"({"channel":"news","offset":12,"epoch":"1f"})");
}

TEST(DescribePublished, TellsWhyNot) {
  EXPECT_EQ(describe_published(403, "not allowed to publish here\n").error().message,
            "not published: the server answered 403: not allowed to publish here");
  EXPECT_EQ(describe_published(503, "").error().message, "not published: the server answered 503");
  EXPECT_EQ(describe_published(400, R"({"error":"bad"})").error().message,
            "not published: the server answered 400: bad");
  EXPECT_EQ(describe_published(400, R"({"error":{"code":1,"message":"bad"}})").error().message,
            "not published: the server answered 400: bad");
  EXPECT_EQ(describe_published(400, "\x1b[2J").error().message,
            "not published: the server answered 400: \\x1b[2J");
  for (const char* strange :
       {"", "<html>", "{}", "[1]", R"({"offset":-1,"epoch":"x"})", R"({"offset":1})"})
    EXPECT_THAT(describe_published(200, strange).error().message, HasSubstr("PARLEY_URL"))
        << strange;
}

}  // namespace
}  // namespace parley::cli
