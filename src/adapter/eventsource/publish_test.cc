#include "adapter/eventsource/publish.h"

#include <gtest/gtest.h>

#include "tests/support/session_world.h"

namespace parley::adapter::eventsource {
namespace {

const auth::Principal kNobody;

TEST(MakePublication, TheContentTypeSaysTheKind) {
  const std::pair<std::string_view, hub::ContentKind> cases[] = {
      {"application/json", hub::ContentKind::kJson},
      {"Application/JSON; charset=utf-8", hub::ContentKind::kJson},
      {"application/ld+json", hub::ContentKind::kJson},
      {" application/json ;x", hub::ContentKind::kJson},
      {"text/plain", hub::ContentKind::kText},
      {"TEXT/html; charset=utf-8", hub::ContentKind::kText},
      {"text/json", hub::ContentKind::kText},
      {"", hub::ContentKind::kBinary},
      {"application/octet-stream", hub::ContentKind::kBinary},
      {"application/jsonp", hub::ContentKind::kBinary},
      {"context/x", hub::ContentKind::kBinary},
      {"application/x-www-form-urlencoded", hub::ContentKind::kBinary},
  };
  for (const auto& [type, kind] : cases) {
    const auto record =
        make_publication({.channel = "news", .content_type = type, .body = "[1]"}, kNobody);
    ASSERT_TRUE(record) << type;
    EXPECT_EQ(record->publication->kind, kind) << type;
    EXPECT_EQ(record->publication->data, "[1]");
    EXPECT_EQ(record->channel.name, "news");
  }
}

TEST(MakePublication, TakesNameKeyAndPrincipal) {
  const auto record = make_publication({.channel = "news",
                                        .content_type = "text/plain",
                                        .body = "",
                                        .idempotency_key = "k 1",
                                        .event = "price"},
                                       {.user = "alice", .info = {}});
  ASSERT_TRUE(record);
  EXPECT_EQ(record->idempotency_key, "k 1");
  EXPECT_EQ(record->principal, "alice");
  EXPECT_EQ(record->publication->event, "price");
}

TEST(MakePublication, RefusesWhatItCannotPassOn) {
  const std::string long_text(256, 'k');
  const PublishRequest cases[] = {
      {.content_type = "application/json", .body = ""},
      {.content_type = "application/json", .body = "{\"a\":}"},
      {.content_type = "a/b+json", .body = "1 2"},
      {.content_type = "application/json", .body = "\"\xff\""},
      {.content_type = "text/plain", .body = "\xc0\x80"},
      {.content_type = "text/plain", .body = "a", .event = "a\nb"},
      {.content_type = "text/plain", .body = "a", .event = std::string_view("a\0b", 3)},
      {.content_type = "text/plain", .body = "a", .event = "gap"},
      {.content_type = "text/plain", .body = "a", .event = "\xff"},
      {.content_type = "text/plain", .body = "a", .event = long_text},
      {.content_type = "text/plain", .body = "a", .idempotency_key = long_text},
      {.content_type = "text/plain", .body = "a", .idempotency_key = "a\tb"},
  };
  for (const PublishRequest& request : cases) {
    const auto record = make_publication(request, kNobody);
    ASSERT_FALSE(record) << request.body;
    EXPECT_EQ(record.error().status, 400);
    EXPECT_FALSE(record.error().text.empty());
  }
}

TEST(CheckPublish, SaysWhoMay) {
  testing::FakeAccess access;
  access.denied = {"secret"};
  access.unknown = {"nowhere"};
  EXPECT_FALSE(check_publish(access, kNobody, "news"));
  EXPECT_EQ(check_publish(access, kNobody, "secret")->status, 403);
  EXPECT_EQ(check_publish(access, kNobody, "nowhere")->status, 404);
  EXPECT_EQ(check_publish(access, kNobody, "")->status, 400);
  access.anonymous = false;
  EXPECT_EQ(check_publish(access, kNobody, "news")->status, 401);
  EXPECT_FALSE(check_publish(access, {.user = "alice", .info = {}}, "news"));
}

TEST(AppendPublished, IsJson) {
  Buffer out;
  append_published({.position = {{.boot = 36, .counter = 1}, 42}}, out);
  EXPECT_EQ(out, R"({"epoch":"10-1","offset":42})");
}

TEST(PublishErrors, HaveAStatus) {
  EXPECT_EQ(publish_error(hub::HubError::kUnknownChannel).status, 404);
  EXPECT_EQ(publish_error(hub::HubError::kNotAvailable).status, 404);
  EXPECT_EQ(publish_error(hub::HubError::kUnsupportedKind).status, 415);
  EXPECT_EQ(publish_error(hub::HubError::kIdempotencyConflict).status, 409);
  EXPECT_EQ(publish_error(hub::HubError::kOverloaded).status, 503);
  EXPECT_EQ(publish_error(hub::HubError::kUnavailable).status, 503);
}

}  // namespace
}  // namespace parley::adapter::eventsource
