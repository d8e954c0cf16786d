// POST /pub/<channel>: what curl and web pages send, and what they are told.
#include "http_api/publish_door.h"

#include "http_api/json_fault.h"
#include "http_api/publish_request.h"
#include "tests/support/fake_quotas.h"
#include "tests/support/http_api_testing.h"
#include "tests/support/metric_delta.h"

namespace parley::http_api::testing {
namespace {

using hub::ContentKind;
using ::testing::HasSubstr;

constexpr const char* kForm = "application/x-www-form-urlencoded";

class PublishDoorTest : public ::testing::Test {
 protected:
  PublishDoorTest() { make({}); }
  void make(PublishDoorOptions options) {
    door.reset();
    door = std::make_unique<PublishDoor>(world.hub(), access, world.tokens(), std::move(options));
  }
  Answer send(Request request, const std::string& channel = "news") {
    std::optional<Answer> answer;
    door->serve(std::move(request), channel, [&](Answer given) { answer = std::move(given); });
    world.run();
    EXPECT_TRUE(answer.has_value());
    EXPECT_EQ(door->waiting(), 0u);
    return answer.value_or(Answer{});
  }
  Answer send_typed(const char* type, std::string body) {
    return send(post(std::move(body), {{"Content-Type", type}}));
  }
  std::vector<hub::PublicationPtr> stored() {
    const auto answer = world.history("news", {.limit = 100});
    return std::get<hub::ReadPage>(*answer).publications;
  }

  parley::testing::SessionWorld world;
  parley::testing::FakeAccess access;
  std::unique_ptr<PublishDoor> door;
};

TEST_F(PublishDoorTest, AnswersWithThePosition) {
  const Answer answer = send_typed("application/json", R"({"a": 1})");
  EXPECT_EQ(answer.status, 200);
  const auto page = *world.history("news", {.limit = 1});
  EXPECT_EQ(answer.body, R"({"epoch":")" + hub::to_string(std::get<hub::ReadPage>(page).epoch) +
                             R"(","offset":1})");
  EXPECT_EQ(stored()[0]->data, R"({"a": 1})");
  EXPECT_EQ(stored()[0]->publisher, nullptr);
}

TEST_F(PublishDoorTest, AboveARateOfTheNodeItIs429WithATime) {
  const parley::testing::MetricDelta refused(R"(parley_publish_door_refused_total{status="429"})");
  parley::testing::FakeQuotas quotas;
  quotas.left = 1;
  make({.api_key = "secret", .quotas = &quotas});
  EXPECT_EQ(send_typed("text/plain", "a").status, 200);
  const Answer answer = send_typed("text/plain", "b");
  EXPECT_EQ(answer.status, 429);
  EXPECT_THAT(answer.body, HasSubstr(R"("code":111)"));
  EXPECT_EQ(header_of(answer, "Retry-After"), "1");
  EXPECT_EQ(send(post("c", {{"X-API-Key", "secret"}})).status, 200) << "the operator's own";
  EXPECT_EQ(refused(), 1);
  EXPECT_EQ(stored().size(), 2u);
}

TEST_F(PublishDoorTest, ForgedTokensSpendTheRateOfTheirAddress) {
  parley::testing::FakeQuotas quotas;
  quotas.left = 1;
  make({.quotas = &quotas});
  const auto forged = [this] {
    return send(post("a", {{"Authorization", "Bearer forged"}})).status;
  };
  EXPECT_EQ(forged(), 401);
  EXPECT_EQ(forged(), 429) << "before the signature is looked at";
}

// As somebody must fetch its key later, and nobody has looked at a signature.
TEST_F(PublishDoorTest, SoDoThoseThatCannotBeJudgedNow) {
  world.tokens().bad["later"] = auth::TokenError::kUnavailable;
  parley::testing::FakeQuotas quotas;
  quotas.left = 1;
  make({.quotas = &quotas});
  const auto later = [this] { return send(post("a", {{"Authorization", "Bearer later"}})).status; };
  EXPECT_EQ(later(), 503);
  EXPECT_EQ(later(), 429);
}

TEST_F(PublishDoorTest, ATokenWaitsOnBehalfOfItsAddress) {
  world.tokens().connect_token("good", "42");
  world.tokens().slow = true;
  door->serve(post("a", {{"Authorization", "Bearer good"}}), "news", [](const Answer&) {}, 7);
  ASSERT_EQ(world.tokens().waiting(), 1u);
  EXPECT_EQ(world.tokens().asker(0), (auth::Asker{.among = nullptr, .id = 7}));
  world.tokens().answer_all();
}

TEST_F(PublishDoorTest, AboveTheChannelsRateItIs429) {
  hub::ChannelOptions options = parley::testing::FakeRules::usual();
  options.publish_rate = {.per_second = 2};
  world.rules().set("news", options);
  make({.api_key = "secret"});
  int refused = 0;
  for (int i = 0; i < 5; ++i) refused += send_typed("text/plain", "a").status == 429 ? 1 : 0;
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(send(post("c", {{"X-API-Key", "secret"}})).status, 200);
}

TEST_F(PublishDoorTest, TheContentTypeDecidesTheKind) {
  const struct {
    const char* type;
    std::string body;
    ContentKind kind;
  } cases[] = {
      {"application/json", "{}", ContentKind::kJson},
      {"Application/JSON; charset=utf-8", "{}", ContentKind::kJson},
      {"application/cloudevents+json", "{}", ContentKind::kJson},
      {"text/plain", "{}", ContentKind::kText},
      {"TEXT/html;x=y", "ä", ContentKind::kText},
      {"application/octet-stream", "{}", ContentKind::kBinary},
      {"nonsense", "{}", ContentKind::kBinary},
      {kForm, R"({"a":1})", ContentKind::kJson},
      {kForm, "hello", ContentKind::kText},
      {kForm, "a=b&c=d", ContentKind::kText},
      {kForm, "17", ContentKind::kJson},
      {kForm, "\xff\xfe", ContentKind::kBinary},
      {"", "{}", ContentKind::kJson},
  };
  for (const auto& row : cases) {
    EXPECT_EQ(send_typed(row.type, row.body).status, 200) << row.type;
    EXPECT_EQ(stored().back()->kind, row.kind) << row.type;
    EXPECT_EQ(stored().back()->data, row.body);
  }
}

TEST_F(PublishDoorTest, BadBodies) {
  const parley::testing::MetricDelta bad(R"(parley_publish_door_refused_total{status="400"})");
  const Answer json = send_typed("application/json", "{\n \"a\": tru}");
  EXPECT_EQ(json.status, 400);
  EXPECT_EQ(json.body,
            R"({"error":{"code":107,"message":"the body is not JSON: see line 2, column 7"}})");
  EXPECT_EQ(send_typed("text/plain", "\xff").status, 400);
  EXPECT_EQ(send(post("")).status, 400);
  EXPECT_EQ(send(post("x", {{"Idempotency-Key", std::string(257, 'k')}})).status, 400);
  EXPECT_EQ(send(post("x", {{"Parley-Event", std::string(257, 'e')}})).status, 400);
  EXPECT_EQ(send(post("x", {{"Parley-Event", "\xff"}})).status, 400);
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(bad(), 6);
}

TEST_F(PublishDoorTest, EventAndIdempotency) {
  const parley::testing::MetricDelta conflicts(
      R"(parley_hub_refused_total{reason="idempotency_conflict"})");
  const std::vector<Header> headers = {{"Parley-Event", "created"}, {"Idempotency-Key", "k1"}};
  const std::string first = send(post("1", headers)).body;
  EXPECT_EQ(send(post("1", headers)).body, first);
  EXPECT_EQ(stored().size(), 1u);
  EXPECT_EQ(stored()[0]->event, "created");
  const Answer conflict = send(post("2", headers));
  EXPECT_EQ(conflict.status, 409);
  EXPECT_THAT(conflict.body, HasSubstr(R"("code":113)"));
  EXPECT_EQ(conflicts(), 1);
}

TEST_F(PublishDoorTest, KeysOfStrangersDoNotTouchTheServerApi) {
  send(post("1", {{"Idempotency-Key", "k"}}));
  FakeNode node;
  ServerApi api(world.hub(), node, {.insecure = true});
  std::string body;
  api.serve(post(R"({"channel":"news","data":2,"idempotency_key":"k"})"), "publish",
            [&](Answer answer) { body = answer.body; });
  world.run();
  EXPECT_THAT(body, HasSubstr(R"("offset":2)"));
}

TEST_F(PublishDoorTest, Refusals) {
  access.denied.insert("secret");
  access.unknown.insert("gone:x");
  auto text_only = parley::testing::FakeRules::usual();
  text_only.kinds = {false, true, false};
  world.rules().set("text", text_only);
  world.rules().remove("vanished");
  const struct {
    const char* channel;
    std::string status;
    const char* code;
  } cases[] = {
      {"secret", "403", R"("code":103)"},   {"gone:x", "404", R"("code":102)"},
      {"vanished", "404", R"("code":102)"}, {"\xc3\xa4", "400", R"("code":107)"},
      {"text", "415", R"("code":107)"},
  };
  for (const auto& row : cases) {
    const parley::testing::MetricDelta refused("parley_publish_door_refused_total{status=\"" +
                                               row.status + "\"}");
    const Answer answer = send(post("{}"), row.channel);
    EXPECT_EQ(std::to_string(answer.status), row.status) << row.channel;
    EXPECT_EQ(refused(), 1) << row.channel;
    EXPECT_THAT(answer.body, HasSubstr(row.code));
    EXPECT_EQ(answer.content_type, kJsonType);
  }
}

TEST_F(PublishDoorTest, ATokenSaysWhoPublishes) {
  access.rules.anonymous = false;
  auto& claims = world.tokens().connect_token("good", "42");
  claims.info = R"({"name":"A"})";
  claims.expires_at = world.now().wall / 1000 + 60;
  EXPECT_EQ(send(post("1", {{"Authorization", "Bearer good"}})).status, 200);
  ASSERT_NE(stored()[0]->publisher, nullptr);
  EXPECT_EQ(stored()[0]->publisher->user, "42");
  EXPECT_EQ(stored()[0]->publisher->connection_info, R"({"name":"A"})");
  access.denied.insert("secret");
  EXPECT_EQ(send(post("1", {{"Authorization", "bearer good"}}), "secret").status, 403);
  Request in_query = post("1");
  in_query.query = "token=good";
  EXPECT_EQ(send(std::move(in_query)).status, 401) << "a URL is no place for a secret";
}

TEST_F(PublishDoorTest, BadTokens) {
  world.tokens().bad["old"] = auth::TokenError::kExpired;
  world.tokens().bad["later"] = auth::TokenError::kUnavailable;
  world.tokens().connect_token("over", "42").expires_at = world.now().wall / 1000;
  world.tokens().connect_token("nobody");
  access.rules.anonymous_tokens = false;
  const std::pair<const char*, int> cases[] = {
      {"forged", 401}, {"old", 401}, {"later", 503}, {"over", 401}, {"nobody", 403}};
  for (const auto& [token, status] : cases) {
    const Answer answer = send(post("1", {{"Authorization", std::string("Bearer ") + token}}));
    EXPECT_EQ(answer.status, status) << token;
    EXPECT_EQ(header_of(answer, "WWW-Authenticate"), status == 401 ? "Bearer" : "") << token;
    EXPECT_EQ(answer.body.find(token), std::string::npos);
  }
  EXPECT_TRUE(stored().empty());
}

TEST_F(PublishDoorTest, StrangersNeedATokenWhereAnonymousIsOff) {
  access.rules.anonymous = false;
  EXPECT_EQ(send(post("1")).status, 401);
  access.rules.user_header = "X-User";
  EXPECT_EQ(send(post("1", {{"X-User", "42"}})).status, 200);
  EXPECT_EQ(stored()[0]->publisher->user, "42");
}

TEST_F(PublishDoorTest, ATokenThatIsVerifiedLater) {
  make({.waiting = 1});
  world.tokens().slow = true;
  world.tokens().connect_token("good", "42");
  std::vector<int> answers;
  const auto ask = [&] {
    door->serve(post("1", {{"Authorization", "Bearer good"}}), "news",
                [&](Answer answer) { answers.push_back(answer.status); });
    world.run();
  };
  ask();
  ask();
  EXPECT_EQ(answers, std::vector<int>{503}) << "they count as waiting";
  world.tokens().answer_all();
  world.run();
  EXPECT_EQ(answers, (std::vector<int>{503, 200}));
  ask();
  door.reset();
  world.tokens().answer_all();
  EXPECT_EQ(answers.size(), 2u);
}

TEST_F(PublishDoorTest, TheApiKeyOpensEveryChannelThatExists) {
  make({.api_key = "K"});
  access.rules.anonymous = false;
  access.denied.insert("secret");
  world.rules().remove("vanished");
  const auto with_key = [&](const char* key, const char* channel) {
    return send(post("1", {{"X-API-Key", key}}), channel).status;
  };
  EXPECT_EQ(with_key("K", "secret"), 200);
  EXPECT_EQ(with_key("K", "vanished"), 404);
  EXPECT_EQ(with_key("K", "\xc3\xa4"), 400);
  EXPECT_EQ(with_key("L", "news"), 401);
  make({});
  EXPECT_EQ(with_key("", "news"), 401);
  EXPECT_EQ(with_key("K", "news"), 401);
}

TEST_F(PublishDoorTest, LimitsOfSizeAndNumber) {
  const parley::testing::MetricDelta large(R"(parley_publish_door_refused_total{status="413"})");
  const parley::testing::MetricDelta busy(R"(parley_publish_door_refused_total{status="503"})");
  make({.data_bytes = 10, .waiting = 1});
  EXPECT_EQ(send(post(std::string(10, 'x'))).status, 200);
  EXPECT_EQ(send(post(std::string(11, 'x'))).status, 413);
  std::vector<Answer> answers;
  for (int i = 0; i < 2; ++i)
    door->serve(post("x"), "news", [&](Answer answer) { answers.push_back(std::move(answer)); });
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 503);
  EXPECT_EQ(header_of(answers[0], "Retry-After"), "1");
  EXPECT_THAT(answers[0].body, HasSubstr(R"("code":111)"));
  world.run();
  EXPECT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].status, 200);
  EXPECT_EQ(large(), 1);
  EXPECT_EQ(busy(), 1);
}

TEST_F(PublishDoorTest, AnswersAfterTheDoorHasGoneAreNotDelivered) {
  door->serve(post("x"), "news", [](Answer) { ADD_FAILURE(); });
  door.reset();
  world.run();
  EXPECT_EQ(stored().size(), 1u);
}

TEST_F(PublishDoorTest, PagesNeedAnAllowedOrigin) {
  const parley::testing::MetricDelta foreign(R"(parley_publish_door_refused_total{status="403"})");
  make({.origins = http::OriginPolicy({"https://app.example"})});
  const auto page = [&](std::string origin) {
    return send(post("1", {{"Host", "rt.example"}, {"Origin", std::move(origin)}}));
  };
  const Answer allowed = page("https://app.example");
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(header_of(allowed, "Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(header_of(allowed, "Vary"), "Origin");
  EXPECT_EQ(page("https://rt.example").status, 200);
  const Answer refused = page("https://evil.example");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(header_of(refused, "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(page("null").status, 403);
  EXPECT_EQ(stored().size(), 2u);
  EXPECT_EQ(foreign(), 2);
  make({.origins = http::OriginPolicy({"*"})});
  EXPECT_EQ(page("https://evil.example").status, 200);
}

TEST_F(PublishDoorTest, Preflight) {
  make({.origins = http::OriginPolicy({"https://app.example"})});
  const auto preflight = [&](std::string origin) {
    Request request = post("", {{"Origin", std::move(origin)}});
    request.method = "OPTIONS";
    return send(std::move(request));
  };
  const Answer allowed = preflight("https://app.example");
  EXPECT_EQ(allowed.status, 204);
  EXPECT_TRUE(allowed.body.empty());
  EXPECT_EQ(header_of(allowed, "Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(header_of(allowed, "Access-Control-Allow-Methods"), "POST");
  EXPECT_THAT(std::string(header_of(allowed, "Access-Control-Allow-Headers")),
              HasSubstr("Idempotency-Key"));
  EXPECT_EQ(preflight("https://evil.example").status, 403);
  EXPECT_TRUE(stored().empty());
}

TEST(JsonFault, NamesThePlace) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "line 1, column 1"},
      {"nope", "line 1, column 1"},
      {"{\"a\":}", "line 1, column 6"},
      {"{\"a\" 1}", "line 1, column 6"},
      {"{a:1}", "line 1, column 2"},
      {"{\"a\":1,}", "line 1, column 8"},
      {"[1,]", "line 1, column 4"},
      {"[1 2]", "line 1, column 4"},
      {"[1}", "line 1, column 3"},
      {"[1", "line 1, column 3"},
      {"{} {}", "line 1, column 4"},
      {"01", "line 1, column 2"},
      {"[\n1,\n\"x]", "line 3, column 1"},
      {"]", "line 1, column 1"},
      {"\"a\xff\"", "line 1, column 3"},
      {"[[1],{\"a\":[]}", "line 1, column 14"},
      {std::string(65, '['), "line 1, column 65"},
  };
  for (const auto& [text, place] : cases) EXPECT_EQ(json_fault_place(text), place) << text;
}

TEST_F(PublishDoorTest, WhoseAccessIsTakenBackMayNotPublish) {
  door.reset();
  door =
      std::make_unique<PublishDoor>(world.hub(), access, world.good_tokens(), PublishDoorOptions{});
  world.tokens().connect_token("good", "42").id.uid = "t1";
  const auto status = [this] { return send(post("1", {{"Authorization", "Bearer good"}})).status; };
  EXPECT_EQ(status(), 200);
  world.revocations().remember({.kind = auth::Revocation::Kind::kToken, .subject = "t1"});
  EXPECT_EQ(status(), 401);
  world.revocations().remember({.kind = auth::Revocation::Kind::kBlock, .subject = "42"});
  EXPECT_EQ(status(), 403);
}

// It waits for want of memory, and whose it is loses the right to it.
TEST_F(PublishDoorTest, WhatWaitsIsRefusedWhenAccessIsTakenBack) {
  access.rules.user_header = "X-User";
  access.rules.anonymous = false;
  door.reset();
  door = std::make_unique<PublishDoor>(
      world.hub(), access, world.good_tokens(),
      PublishDoorOptions{.api_key = "K", .revocations = &world.revocations()});
  world.tokens().connect_token("good", "42").id.uid = "t1";
  world.tokens().connect_token("another", "42").id.uid = "t2";
  world.hub().brake(hub::PublishBrake::Step::kSlow);
  std::vector<std::pair<std::string, int>> answers;
  const auto send_as = [&](const char* name, const std::string& value) {
    door->serve(post("1", {{name, value}}), "news", [&answers, value](const Answer& answer) {
      answers.emplace_back(value, answer.status);
    });
  };
  using Answers = std::vector<std::pair<std::string, int>>;
  send_as("Authorization", "Bearer good");
  send_as("Authorization", "Bearer another");
  send_as("X-User", "ann");
  send_as("X-API-Key", "K");
  hub::Control revoke{.kind = hub::Control::Kind::kRevoke};
  revoke.token = "t1";
  EXPECT_TRUE(world.control(std::move(revoke)).has_value());
  EXPECT_EQ(answers, (Answers{{"Bearer good", 403}}));
  hub::Control block{.kind = hub::Control::Kind::kBlock};
  block.user = "ann";
  EXPECT_TRUE(world.control(std::move(block)).has_value());
  EXPECT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers.back(), (Answers::value_type{"ann", 403}));
  world.hub().brake(hub::PublishBrake::Step::kOff);
  world.run();
  EXPECT_EQ(answers.size(), 4u);
  EXPECT_EQ(stored().size(), 2u);
}

TEST_F(PublishDoorTest, TheOperatorHasPlacesOfItsOwn) {
  make({.waiting = 8, .api_key = "K"});
  std::vector<int> answers;
  const auto send_with = [&](std::vector<Header> headers) {
    door->serve(post("1", std::move(headers)), "news",
                [&](const Answer& answer) { answers.push_back(answer.status); });
  };
  for (int i = 0; i < 8; ++i) send_with({});
  send_with({});
  EXPECT_EQ(answers, std::vector<int>{503});
  send_with({{"X-API-Key", "wrong"}});
  EXPECT_EQ(answers.back(), 401) << "and takes no place";
  send_with({{"X-API-Key", "K"}});
  EXPECT_EQ(answers.size(), 2u);
  send_with({{"X-API-Key", "K"}});
  EXPECT_EQ(answers.back(), 503);
  world.run();
  EXPECT_EQ(stored().size(), 9u);
}

}  // namespace
}  // namespace parley::http_api::testing
