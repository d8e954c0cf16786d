// Around the methods of the server API: keys, bodies that cannot be decoded, error modes, batches,
// limits on what waits, clients that leave.
#include "tests/support/http_api_testing.h"
#include "tests/support/metric_delta.h"

namespace parley::http_api::testing {
namespace {

using ::testing::HasSubstr;

TEST(SameSecret, ComparesAll) {
  EXPECT_TRUE(same_secret("secret", "secret"));
  for (const char* wrong : {"", "secre", "secretx", "Secret", "secretsecret", "s"})
    EXPECT_FALSE(same_secret("secret", wrong)) << wrong;
  EXPECT_FALSE(same_secret("", ""));
}

class KeyTest : public ApiTest {
 protected:
  KeyTest() { make({.key = "the key"}); }
  int status_with(std::vector<Header> headers, std::string query = "") {
    Request request = post("{}", std::move(headers));
    request.query = std::move(query);
    const Answer answer = ask("info", std::move(request));
    EXPECT_EQ(answer.status == 401, answer.body.empty() && answer.content_type.empty());
    return answer.status;
  }
};

TEST_F(KeyTest, InThreePlaces) {
  EXPECT_EQ(status_with({{"X-API-Key", "the key"}}), 200);
  EXPECT_EQ(status_with({{"x-api-key", "the key"}}), 200);
  EXPECT_EQ(status_with({{"Authorization", "apikey the key"}}), 200);
  EXPECT_EQ(status_with({}, "api_key=the%20key"), 200);
  EXPECT_EQ(status_with({}, "a=b&api_key=the+key"), 200);
}

TEST_F(KeyTest, WrongOrMissing) {
  const parley::testing::MetricDelta denied("parley_server_api_denied_total");
  EXPECT_EQ(status_with({}), 401);
  EXPECT_EQ(status_with({{"X-API-Key", "the kez"}}), 401);
  EXPECT_EQ(status_with({{"X-API-Key", "wrong"}}, "api_key=the+key"), 401);
  EXPECT_EQ(status_with({{"Authorization", "Bearer the key"}}), 401);
  EXPECT_EQ(status_with({{"Authorization", "apikey"}}), 401);
  EXPECT_EQ(status_with({}, "api_key="), 401);
  EXPECT_EQ(denied(), 6);
}

TEST_F(KeyTest, WithoutAKeyNobodyPasses) {
  make({});
  EXPECT_EQ(status_with({}), 401);
  EXPECT_EQ(status_with({{"X-API-Key", ""}}, "api_key="), 401);
}

TEST_F(ApiTest, UnknownMethods) {
  for (const char* method : {"Publish", "publish2", "rpc", "map_publish"})
    EXPECT_EQ(call(method, "{}"), error_body(104, "not found")) << method;
}

TEST_F(ApiTest, GarbageBodiesAreAnswered400) {
  const parley::testing::MetricDelta undecodable("parley_server_api_undecodable_total");
  const std::string good = R"({"channel":"c","data":{"a":[1,"x"]},"tags":{"a":"b"}})";
  for (size_t cut = 0; cut < good.size(); ++cut)
    EXPECT_EQ(status("publish", good.substr(0, cut)), 400) << cut;
  EXPECT_EQ(undecodable(), static_cast<int64_t>(good.size()));
  const char* const bodies[] = {
      "[]",
      "1",
      "\"publish\"",
      "null",
      "{}x",
      "{} {}",
      "{,}",
      "{\"a\"}",
      "{'channel':'c'}",
      R"({"channel":1,"data":1})",
      R"({"channel":["c"],"data":1})",
      R"({"channel":"c","data":})",
      R"({"channel":"c","data":01})",
      R"({"channel":"c","data":1,"tags":[]})",
      R"({"channel":"c","data":1,"tags":{"a":1}})",
      R"({"channel":"c","data":1,"skip_history":1})",
      R"({"channel":"c","data":1,"b64data":1})",
      R"({"channel":"c","data":1,"version":-1})",
      R"({"channel":"c","data":1,"idempotency_key":7})",
      R"({"channel":"c","data":nul})",
      R"({"channel":"c","channel":"c","data":1})",
      R"({"channel":"c","data":1,"data":2})",
      R"({"channel":"c","d\u0061ta":1,"data":2})",
      R"({"channel":"c","data":1,"tags":{"a":"","a":""}})",
      R"({"channel":"\ud800","data":1})",
      "{\"channel\":\"c\",\"data\":\"\xff\"}",
      "{\"channel\":\"c\",\"data\":\"\x01\"}",
      "\xef\xbb\xbf{}",
  };
  for (const char* body : bodies) EXPECT_EQ(status("publish", body), 400) << body;
  EXPECT_EQ(status("publish", R"({"data":)" + std::string(70, '[') + std::string(70, ']') + "}"),
            400);
  EXPECT_EQ(status("broadcast", R"({"channels":"c","data":1})"), 400);
  EXPECT_EQ(status("broadcast", R"({"channels":["c",1],"data":1})"), 400);
  EXPECT_EQ(status("history", R"({"channel":"c","limit":"1"})"), 400);
  EXPECT_EQ(status("history", R"({"channel":"c","limit":1.5})"), 400);
  EXPECT_EQ(status("history", R"({"channel":"c","since":1})"), 400);
  EXPECT_EQ(status("history", R"({"channel":"c","since":{"offset":-1}})"), 400);
  EXPECT_EQ(status("channels", R"({"pattern":1})"), 400);
  EXPECT_EQ(status("batch", R"({"commands":{}})"), 400);
  EXPECT_EQ(status("batch", R"({"commands":[1]})"), 400);
  EXPECT_EQ(status("batch", R"({"commands":[{"publish":1}]})"), 400);
  EXPECT_EQ(status("batch", R"({"commands":[],"parallel":1})"), 400);
  EXPECT_EQ(status("info", ""), 400);
  EXPECT_TRUE(stored("c").empty());
}

TEST_F(ApiTest, RandomBytesAreAnswered400) {
  parley::testing::SeededIds random(7);
  for (int i = 0; i < 100; ++i) {
    std::string body = i % 2 == 0 ? "{\"channel\":" : "";
    for (uint64_t left = 1 + random.next_u64() % 40; left > 0; --left)
      body.push_back(static_cast<char>(random.next_u64()));
    for (const char* method : {"publish", "batch", "history"}) EXPECT_EQ(status(method, body), 400);
  }
}

TEST(ApiErrors, OfTheHub) {
  const struct {
    hub::HubError from;
    int code;
    int status;
  } cases[] = {
      {hub::HubError::kUnknownChannel, 102, 404},  {hub::HubError::kNotAvailable, 108, 400},
      {hub::HubError::kUnsupportedKind, 107, 400}, {hub::HubError::kIdempotencyConflict, 113, 409},
      {hub::HubError::kInvalidData, 107, 400},     {hub::HubError::kOverloaded, 111, 503},
      {hub::HubError::kUnavailable, 100, 500},
  };
  for (const auto& row : cases) {
    EXPECT_EQ(static_cast<int>(api_error(row.from)), row.code);
    EXPECT_EQ(row_of(api_error(row.from)).status, row.status);
  }
}

TEST_F(ApiTest, TransportErrorMode) {
  world.rules().remove("gone:x");
  without_history("live");
  const struct {
    std::string_view method;
    std::string body;
    int status;
    std::string error;
  } cases[] = {
      {"publish", R"({"channel":"gone:x","data":1})", 404,
       R"({"code":102,"message":"unknown channel"})"},
      {"nonsense", "{}", 404, R"({"code":104,"message":"not found"})"},
      {"publish", R"({"data":1})", 400, R"({"code":107,"message":"bad request"})"},
      {"history", R"({"channel":"live"})", 400, R"({"code":108,"message":"not available"})"},
      {"history", R"({"channel":"c","since":{"epoch":"x","offset":0}})", 416,
       R"({"code":112,"message":"unrecoverable position"})"},
      {"publish", R"({"channel":"c","data":2,"idempotency_key":"k"})", 409,
       R"({"code":113,"message":"conflict"})"},
  };
  call("publish", R"({"channel":"c","data":1,"idempotency_key":"k"})");
  for (const auto& row : cases) {
    const Answer answer =
        ask(row.method, post(row.body, {{"X-Centrifugo-Error-Mode", "transport"}}));
    EXPECT_EQ(answer.status, row.status) << row.body;
    EXPECT_EQ(answer.body, row.error);
  }
  make({.insecure = true, .transport_errors = true});
  EXPECT_EQ(status("publish", "{}"), 400);
  EXPECT_EQ(status("info", "{}"), 200);
}

TEST_F(ApiTest, BatchAnswersInOrder) {
  std::string body = call("batch", R"({"commands":[
      {"publish":{"channel":"c","data":1}},
      {"history":{"channel":"c","limit":-1}},
      {"broadcast":{"channels":["c","d"],"data":2}},
      {"presence_stats":{"channel":"c"}},
      {"publish":{"data":1}},
      {"nonsense":{}}, {},
      {"batch":{"commands":[]}},
      {"publish":{"channel":"c","data":9},"info":{}},
      {"history":{"channel":"c","limit":1,"reverse":true}}]})");
  for (const char* channel : {"c", "d"}) {
    const std::string name = epoch(channel);
    const std::string stand_in = std::string("E") + (*channel == 'c' ? 'C' : 'D');
    for (size_t at; (at = body.find(name)) != std::string::npos;)
      body.replace(at, name.size(), stand_in);
  }
  EXPECT_EQ(
      body,
      R"({"replies":[{"publish":{"offset":1,"epoch":"EC"}},)"
      R"({"history":{"publications":[{"data":1,"offset":1}],"epoch":"EC","offset":1}},)"
      R"({"broadcast":{"responses":[{"result":{"offset":2,"epoch":"EC"}},{"result":{"offset":1,"epoch":"ED"}}]}},)"
      R"({"presence_stats":{"num_clients":0,"num_users":0}},)"
      R"({"error":{"code":107,"message":"bad request"}},)"
      R"({"error":{"code":104,"message":"not found"}},{"error":{"code":104,"message":"not found"}},)"
      R"({"error":{"code":107,"message":"bad request"}},{"error":{"code":107,"message":"bad request"}},)"
      R"({"history":{"publications":[{"data":2,"offset":2}],"epoch":"EC","offset":2}}]})");
}

TEST_F(ApiTest, ParallelBatchAndEmptyOne) {
  const std::string body =
      call("batch", R"({"parallel":true,"commands":[{"publish":{"channel":"a","data":1}},
      {"info":{}},{"channels":{"pattern":"zzz"}},{"history_remove":{"channel":"a"}}]})");
  EXPECT_THAT(body, HasSubstr(R"({"replies":[{"publish":{"offset":1,)"));
  EXPECT_THAT(body, HasSubstr(R"({"channels":{"channels":{}}},{"history_remove":{}}]})"));
  EXPECT_EQ(call("batch", R"({"commands":[]})"), R"({"replies":[]})");
  EXPECT_EQ(call("batch", "{}"), R"({"replies":[]})");
}

class BatchTest : public ApiTest {
 protected:
  static std::string publish(const std::string& channel, size_t data) {
    return R"({"publish":{"channel":")" + channel + R"(","data":)" + std::to_string(data) + "}}";
  }
  // What of it is asked for while nothing is answered; then the answers.
  size_t published_unanswered(const std::string& commands, const std::string& options = "") {
    const size_t before = world.broker().published();
    world.broker().hold(true);
    api->serve(post("{" + options + R"("commands":[)" + commands + "]}"), "batch",
               [this](Answer given) { answer = std::move(given.body); });
    world.run();
    const size_t asked = world.broker().published() - before;
    world.broker().hold(false);
    world.run();
    return asked;
  }
  std::string answer;
};

TEST_F(BatchTest, PublishesToOneChannelDoNotWaitForEachOther) {
  std::string commands = publish("c", 1);
  for (size_t i = 2; i <= 100; ++i) commands += "," + publish("c", i);
  EXPECT_EQ(published_unanswered(commands), ServerApiOptions().operations);
  EXPECT_THAT(answer, HasSubstr(R"({"publish":{"offset":100,)"));
  const auto publications = stored("c");
  ASSERT_EQ(publications.size(), 100u);
  for (size_t i = 0; i < publications.size(); ++i)
    EXPECT_EQ(publications[i]->data, std::to_string(i + 1));
}

TEST_F(BatchTest, AllElseWaitsForWhatIsBeforeIt) {
  const std::string two = publish("c", 1) + "," + publish("c", 2);
  const std::string wide = R"({"broadcast":{"channels":["c","d"],"data":9}})";
  const std::string history = R"({"history":{"channel":"c","limit":-1}})";
  EXPECT_EQ(published_unanswered(two), 2u);
  EXPECT_EQ(published_unanswered(publish("c", 1) + "," + publish("d", 2)), 1u);
  EXPECT_EQ(published_unanswered(two + "," + publish("d", 2) + "," + publish("c", 3)), 2u);
  EXPECT_EQ(published_unanswered(publish("c", 1) + "," + wide), 1u);
  EXPECT_EQ(published_unanswered(wide + "," + publish("d", 3)), 2u);
  EXPECT_EQ(published_unanswered(publish("c", 1) + "," + history + "," + publish("c", 2)), 1u);
  EXPECT_EQ(published_unanswered(publish("c", 1) + "," + publish("d", 2), R"("parallel":true,)"),
            2u);
}

TEST_F(BatchTest, ReadsSeeWhatIsBeforeThemOnly) {
  const std::string history = R"({"history":{"channel":"c","limit":-1}})";
  const std::string removal = R"({"history_remove":{"channel":"c"}})";
  published_unanswered(publish("c", 1) + "," + publish("c", 2) + "," + history + "," + removal +
                       "," + history + "," + publish("c", 3));
  EXPECT_THAT(answer, HasSubstr(R"([{"data":1,"offset":1},{"data":2,"offset":2}])"));
  EXPECT_THAT(answer, HasSubstr(R"({"history":{"publications":[],)"));
  EXPECT_EQ(stored("c").size(), 1u);
}

TEST_F(BatchTest, APublishThatIsRefusedHoldsNobodyUp) {
  const std::string keyed = R"({"publish":{"channel":"c","data":1,"idempotency_key":"k"}})";
  const std::string other = R"({"publish":{"channel":"c","data":2,"idempotency_key":"k"}})";
  const std::string nameless = R"({"publish":{"data":1}})";
  EXPECT_EQ(published_unanswered(keyed + "," + keyed + "," + other + "," + nameless + "," +
                                 publish("c", 3)),
            4u);
  EXPECT_THAT(answer, HasSubstr(R"({"error":{"code":113,"message":"conflict"}})"));
  EXPECT_THAT(answer, HasSubstr(R"({"publish":{"offset":2,)"));
  EXPECT_EQ(stored("c").size(), 2u);
}

TEST_F(ApiTest, BatchLimits) {
  const parley::testing::MetricDelta refused(R"(parley_api_errors_total{code="107"})");
  make({.insecure = true, .limits = {.commands = 3, .operations = 5}});
  const std::string publish = R"({"publish":{"channel":"c","data":1}})";
  const std::string wide = R"({"broadcast":{"channels":["a","b","c"],"data":1}})";
  const auto batch = [&](const std::string& commands) {
    return call("batch", R"({"commands":[)" + commands + "]}");
  };
  EXPECT_THAT(batch(publish + "," + publish + "," + wide), HasSubstr("replies"));
  EXPECT_EQ(batch(publish + "," + publish + "," + publish + "," + publish), kBadRequestBody);
  EXPECT_EQ(batch(wide + "," + wide), kBadRequestBody);
  EXPECT_EQ(stored("c").size(), 3u);
  EXPECT_EQ(refused(), 2);
}

// The calls below do not run the world, so they wait.
class WaitingTest : public ApiTest {
 protected:
  void begin(const std::string& channel, std::string body = "1") {
    api->serve(post(R"({"channel":")" + channel + R"(","data":)" + body + "}"), "publish",
               [this](Answer answer) { answers.push_back(std::move(answer)); });
  }
  std::vector<Answer> answers;
};

TEST_F(WaitingTest, TooManyCallsAreRefused) {
  const parley::testing::MetricDelta full("parley_server_api_overloaded_total");
  make({.insecure = true, .calls = 2});
  for (int i = 0; i < 3; ++i) begin("c");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 503);
  EXPECT_EQ(full(), 1);
  EXPECT_EQ(header_of(answers[0], "Retry-After"), "1");
  world.run();
  EXPECT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[2].status, 200);
  EXPECT_EQ(stored("c").size(), 2u);
}

TEST_F(WaitingTest, TooManyBytesAreRefused) {
  const parley::testing::MetricDelta full("parley_server_api_overloaded_total");
  make({.insecure = true, .call_bytes = 100});
  begin("c", '"' + std::string(200, 'x') + '"');  // alone it is let through
  begin("c");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 503);
  EXPECT_EQ(full(), 1);
  world.run();
  begin("c");
  world.run();
  EXPECT_EQ(answers.back().status, 200);
  EXPECT_EQ(api->calls_waiting(), 0u);
}

TEST_F(WaitingTest, TheOperationsOfACallTakeTurns) {
  make({.insecure = true, .operations = 1});
  EXPECT_THAT(call("broadcast", R"({"channels":["a","b","c","d","e"],"data":1})"),
              HasSubstr("responses"));
  for (const char* channel : {"a", "b", "c", "d", "e"}) EXPECT_EQ(stored(channel).size(), 1u);
}

TEST_F(WaitingTest, AnswersAfterTheApiHasGoneAreNotDelivered) {
  begin("c");
  api.reset();
  world.run();
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(stored("c").size(), 1u);
}

TEST(PendingTable, BelievesAStepOnce) {
  PendingTable<int> table;
  const auto first = table.add(1);
  EXPECT_EQ(table.take(first), 1);
  EXPECT_EQ(table.take(first), std::nullopt);
  const auto second = table.add(2);
  EXPECT_NE(first, second);
  EXPECT_EQ(table.take(first), std::nullopt);
  EXPECT_EQ(table.take(12345), std::nullopt);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.take(second), 2);
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace parley::http_api::testing
