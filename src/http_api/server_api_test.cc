// Each method of the server API: fields, results and error codes.
#include "tests/support/http_api_testing.h"

namespace parley::http_api::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(ApiTest, PublishAnswersWithThePosition) {
  EXPECT_EQ(call("publish", R"({"channel":"news","data":{"a":1}})"),
            R"({"result":{"offset":1,"epoch":")" + epoch("news") + "\"}}");
  EXPECT_THAT(call("publish", R"({"channel":"news","data":2})"), HasSubstr(R"("offset":2,)"));
}

TEST_F(ApiTest, JsonDataIsKeptByteForByte) {
  Listener listener(world.hub(), "news");
  world.run();
  const std::string data = "{ \"a\" :\n [1.0,  1e5, \"\\u00e4\\/\"] }";
  call("publish", R"({"channel":"news","data":)" + data + "}");
  const auto got = listener.take();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0]->data, data);
  EXPECT_EQ(got[0]->kind, hub::ContentKind::kJson);
  EXPECT_EQ(got[0]->publisher, nullptr);
  EXPECT_NE(got[0]->time, 0);
}

TEST_F(ApiTest, EveryJsonValueIsData) {
  for (const std::string data : {"null", "0", "\"\"", "false", "[]", "{}"}) {
    call("publish", R"({"channel":"c","data":)" + data + "}");
    EXPECT_EQ(stored("c").back()->data, data);
  }
}

TEST_F(ApiTest, Base64WinsOverData) {
  call("publish", R"({"channel":"c","data":1,"b64data":"AP8="})");
  EXPECT_EQ(stored("c").back()->data, std::string_view("\x00\xff", 2));
  EXPECT_EQ(stored("c").back()->kind, hub::ContentKind::kBinary);
  call("publish", R"({"channel":"c","b64data":"eyJhIjoxfQ=="})");
  EXPECT_EQ(stored("c").back()->data, R"({"a":1})");
  EXPECT_EQ(stored("c").back()->kind, hub::ContentKind::kJson);
  call("publish", R"({"channel":"c","b64data":"MTI="})");  // "12"
  EXPECT_EQ(stored("c").back()->kind, hub::ContentKind::kBinary);
  call("publish", R"({"channel":"c","data":7,"b64data":""})");
  EXPECT_EQ(stored("c").back()->data, "7");
  EXPECT_EQ(call("publish", R"({"channel":"c","data":1,"b64data":"!"})"), kBadRequestBody);
}

TEST_F(ApiTest, PublishRefusals) {
  world.rules().remove("gone:x");
  auto text_only = parley::testing::FakeRules::usual();
  text_only.kinds = {false, true, false};
  world.rules().set("text", text_only);
  const std::string long_name(256, 'a');
  const std::string long_key(257, 'k');
  const std::pair<std::string, std::string> cases[] = {
      {R"({"data":1})", kBadRequestBody},
      {R"({"channel":"","data":1})", kBadRequestBody},
      {R"({"channel":null,"data":1})", kBadRequestBody},
      {R"({"channel":"ä","data":1})", kBadRequestBody},
      {R"({"channel":")" + long_name + R"(","data":1})", kBadRequestBody},
      {R"({"channel":"c"})", kBadRequestBody},
      {R"({"channel":"c","data":1,"idempotency_key":")" + long_key + "\"}", kBadRequestBody},
      {R"({"channel":"text","data":1})", kBadRequestBody},
      {R"({"channel":"gone:x","data":1})", error_body(102, "unknown channel")},
  };
  for (const auto& [body, expected] : cases) EXPECT_EQ(call("publish", body), expected) << body;
  EXPECT_TRUE(stored("c").empty());
}

TEST_F(ApiTest, TagsAndTheirLimit) {
  call("publish", R"({"channel":"c","data":1,"tags":{"a":"x","b":""}})");
  EXPECT_EQ(stored("c").back()->tags, (hub::Tags{{"a", "x"}, {"b", ""}}));
  std::string many = R"({"channel":"c","data":1,"tags":{)";
  for (int i = 0; i < 65; ++i) many += (i ? ",\"" : "\"") + std::to_string(i) + "\":\"\"";
  EXPECT_EQ(call("publish", many + "}}"), kBadRequestBody);
}

TEST_F(ApiTest, IdempotentPublish) {
  const std::string once = R"({"channel":"c","data":1,"idempotency_key":"k"})";
  const std::string first = call("publish", once);
  EXPECT_EQ(call("publish", once), first);
  EXPECT_EQ(stored("c").size(), 1u);
  EXPECT_EQ(call("publish", R"({"channel":"c","data":2,"idempotency_key":"k"})"),
            error_body(113, "conflict"));
}

TEST_F(ApiTest, NoPositionWhereNothingIsStored) {
  without_history("live");
  EXPECT_EQ(call("publish", R"({"channel":"live","data":1})"), R"({"result":{}})");
  EXPECT_EQ(call("publish", R"({"channel":"c","data":1,"skip_history":true})"), R"({"result":{}})");
  EXPECT_TRUE(stored("c").empty());
}

TEST_F(ApiTest, UnknownFieldsAreAccepted) {
  EXPECT_THAT(call("publish", R"({"channel":"c","data":1,"delta":true,"version":0,"tags":null,)"
                              R"("version_epoch":"e","what":[{}]})"),
              HasSubstr("offset"));
  EXPECT_TRUE(stored("c").at(0)->delta);
}

TEST_F(ApiTest, BroadcastAnswersInChannelOrder) {
  world.rules().remove("gone:x");
  without_history("live");
  EXPECT_EQ(call("broadcast", R"({"channels":["b","gone:x","","live","a"],"data":1})"),
            R"({"result":{"responses":[{"result":{"offset":1,"epoch":")" + epoch("b") +
                R"("}},{"error":{"code":102,"message":"unknown channel"}},)" +
                R"({"error":{"code":107,"message":"bad request"}},{"result":{}},)" +
                R"({"result":{"offset":1,"epoch":")" + epoch("a") + R"("}}]}})");
}

TEST_F(ApiTest, BroadcastLimits) {
  EXPECT_EQ(call("broadcast", R"({"channels":[],"data":1})"), kBadRequestBody);
  EXPECT_EQ(call("broadcast", R"({"data":1})"), kBadRequestBody);
  // Whether there may be no data is for each channel to say.
  EXPECT_EQ(call("broadcast", R"({"channels":["a"]})"),
            R"({"result":{"responses":[)" + kBadRequestBody + "]}}");
  const auto of = [](int count) {
    std::string body = R"({"data":1,"channels":[)";
    for (int i = 0; i < count; ++i) body += (i ? ",\"c" : "\"c") + std::to_string(i) + '"';
    return body + "]}";
  };
  EXPECT_EQ(call("broadcast", of(1001)), kBadRequestBody);
  EXPECT_TRUE(stored("c0").empty());
  EXPECT_THAT(call("broadcast", of(1000)), HasSubstr("responses"));
  EXPECT_EQ(stored("c999").size(), 1u);
}

class HistoryTest : public ApiTest {
 protected:
  HistoryTest() {
    for (int i = 1; i <= 3; ++i)
      call("publish", R"({"channel":"c","data":)" + std::to_string(i) + "}");
  }
  std::string tail() { return R"(],"epoch":")" + epoch("c") + R"(","offset":3}})"; }
  std::string history(const std::string& fields) {
    return call("history", R"({"channel":"c")" + fields + "}");
  }
  static constexpr std::string_view kHead = R"({"result":{"publications":[)";
};

TEST_F(HistoryTest, LimitSinceAndReverse) {
  const std::string one = R"({"data":1,"offset":1})";
  const std::string two = R"({"data":2,"offset":2})";
  const std::string three = R"({"data":3,"offset":3})";
  const std::string since = R"(,"since":{"epoch":")" + epoch("c") + R"(","offset":)";
  const auto page = [&](const std::string& items) { return std::string(kHead) + items + tail(); };
  EXPECT_EQ(history(""), page(""));
  EXPECT_EQ(history(R"(,"limit":0)"), page(""));
  EXPECT_EQ(history(R"(,"limit":2)"), page(one + "," + two));
  EXPECT_EQ(history(R"(,"limit":-1)"), page(one + "," + two + "," + three));
  EXPECT_EQ(history(R"(,"limit":99999999999)"), page(one + "," + two + "," + three));
  EXPECT_EQ(history(R"(,"limit":1,"reverse":true)"), page(three));
  EXPECT_EQ(history(since + R"(1},"limit":-1)"), page(two + "," + three));
  EXPECT_EQ(history(since + R"(3},"limit":2,"reverse":true)"), page(two + "," + one));
  EXPECT_EQ(history(R"(,"limit":-1,"since":{"offset":2})"), page(three));
}

TEST_F(HistoryTest, Refusals) {
  const std::string unrecoverable = error_body(112, "unrecoverable position");
  EXPECT_EQ(history(R"(,"since":{"epoch":"other","offset":1})"), unrecoverable);
  EXPECT_EQ(history(R"(,"since":{"epoch":")" + epoch("c") + R"(","offset":4})"), unrecoverable);
  EXPECT_EQ(history(R"(,"reverse":true,"since":{"offset":0})"), kBadRequestBody);
  without_history("live");
  EXPECT_EQ(call("history", R"({"channel":"live"})"), error_body(108, "not available"));
  EXPECT_EQ(call("history_remove", R"({"channel":"live"})"), error_body(108, "not available"));
  world.rules().remove("gone:x");
  EXPECT_EQ(call("history", R"({"channel":"gone:x"})"), error_body(102, "unknown channel"));
  EXPECT_EQ(call("history", "{}"), kBadRequestBody);
}

TEST_F(HistoryTest, RemoveKeepsThePosition) {
  EXPECT_EQ(call("history_remove", R"({"channel":"c"})"), R"({"result":{}})");
  EXPECT_EQ(history(R"(,"limit":-1)"), std::string(kHead) + tail());
}

TEST_F(HistoryTest, EndsEarlyAtTheByteLimit) {
  make({.insecure = true, .history_bytes = 1});
  EXPECT_EQ(history(R"(,"limit":-1)"), std::string(kHead) + R"({"data":1,"offset":1})" + tail());
}

TEST_F(ApiTest, HistoryShowsTagsPublisherAndEveryKind) {
  hub::Publication text;
  text.kind = hub::ContentKind::kText;
  text.data = "say \"x\"";
  text.publisher =
      std::make_unique<hub::ClientInfo>(hub::ClientInfo{"u", "c1", R"({"name":"U"})", ""});
  world.publish("c", std::move(text));
  call("publish", R"({"channel":"c","b64data":"AP8=","tags":{"t":"1","u":"2"}})");
  EXPECT_EQ(call("history", R"({"channel":"c","limit":-1})"),
            R"({"result":{"publications":[{"data":"say \"x\"",)"
            R"("info":{"user":"u","client":"c1","conn_info":{"name":"U"}},"offset":1},)"
            R"({"b64data":"AP8=","offset":2,"tags":{"t":"1","u":"2"}}],"epoch":")" +
                epoch("c") + R"(","offset":2}})");
}

TEST_F(ApiTest, Presence) {
  world.hub().change_presence("c", hub::Change::kEnter, {"u1", "c1", "{\"n\":1}", "[2]"});
  world.hub().change_presence("c", hub::Change::kEnter, {"u1", "c2", "", ""});
  world.run();
  EXPECT_EQ(call("presence_stats", R"({"channel":"c"})"),
            R"({"result":{"num_clients":2,"num_users":1}})");
  const std::string presence = call("presence", R"({"channel":"c"})");
  EXPECT_THAT(presence,
              HasSubstr(R"("c1":{"user":"u1","client":"c1","conn_info":{"n":1},"chan_info":[2]})"));
  EXPECT_THAT(presence, HasSubstr(R"("c2":{"user":"u1","client":"c2"})"));
  EXPECT_EQ(call("presence", R"({"channel":"empty"})"), R"({"result":{"presence":{}}})");
  without_history("off");
  for (const char* method : {"presence", "presence_stats"}) {
    EXPECT_EQ(call(method, R"({"channel":"off"})"), error_body(108, "not available"));
    EXPECT_EQ(call(method, "{}"), kBadRequestBody);
  }
}

TEST_F(ApiTest, ChannelsByPattern) {
  Listener one(world.hub(), "chat:1");
  Listener two(world.hub(), "chat:2");
  Listener more(world.hub(), "chat:2");
  Listener other(world.hub(), "news");
  world.run();
  EXPECT_EQ(call("channels", R"({"pattern":"chat:*"})"),
            R"({"result":{"channels":{"chat:1":{"num_clients":1},"chat:2":{"num_clients":2}}}})");
  EXPECT_THAT(call("channels", "{}"), HasSubstr("news"));
  EXPECT_EQ(call("channels", R"({"pattern":"none"})"), R"({"result":{"channels":{}}})");
  EXPECT_EQ(call("channels", R"({"pattern":"chat:[12]"})"), kBadRequestBody);
}

TEST_F(ApiTest, Info) {
  EXPECT_EQ(call("info", "{}"),
            R"({"result":{"nodes":[{"uid":"uid1","name":"parley@host","version":"0.1.0",)"
            R"("num_clients":4,"num_users":3,"num_channels":2,"num_subs":5,"uptime":60}]}})");
}

TEST_F(ApiTest, ALevelThatTheBrokerLacksIsNotAvailable) {
  auto durable = parley::testing::FakeRules::usual();
  durable.level = hub::AckLevel::kDurable;  // more than the memory broker can give
  world.rules().set("safe", durable);
  EXPECT_EQ(call("publish", R"({"channel":"safe","data":1})"), error_body(108, "not available"));
}

}  // namespace
}  // namespace parley::http_api::testing
