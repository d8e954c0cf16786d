// The methods on connections: what each field becomes, who is reached, and what is refused.
#include "tests/support/http_api_testing.h"
#include "tests/support/scripted_adapter.h"

namespace parley::http_api::testing {
namespace {

using hub::Control;
using parley::testing::FakeClient;
using parley::testing::Script;
using parley::testing::ScriptedAdapter;

const std::string kDone = R"({"result":{}})";

class ControlApiTest : public ApiTest {
 protected:
  // Sessions end before their scripts.
  ~ControlApiTest() override {
    for (FakeClient* client : clients_) client->leave();
    world.run();
  }
  FakeClient& connect(std::string_view user, std::string_view client,
                      std::string_view session = {}) {
    Script& script = *scripts_.emplace_back(std::make_unique<Script>());
    script.identity = {user, std::string(client), session};
    script.open = [](session::Effects& effects) { effects.identify(); };
    script.control = [this, client](const Control& control, session::Effects&) {
      reached_.emplace_back(client);
      last_ = control;
    };
    clients_.push_back(&world.open(std::make_unique<ScriptedAdapter>(script), {.path = "/"}));
    return *clients_.back();
  }
  // The clients that were reached, sorted.
  std::vector<std::string> reached() {
    std::ranges::sort(reached_);
    return std::exchange(reached_, {});
  }

  using Names = std::vector<std::string>;
  Control last_;

 private:
  Names reached_;
  std::vector<std::unique_ptr<Script>> scripts_;
  std::vector<FakeClient*> clients_;
};

TEST_F(ControlApiTest, SubscribeCarriesEveryField) {
  connect("ann", "c1", "s1");
  connect("ann", "c2");
  const std::string body =
      R"({"channel":"news","user":"ann","client":"c1","session":"s1","expire_at":1900000000,)"
      R"("info":{"a":1},"data":[2],"recover_since":{"offset":7,"epoch":"xyz"},)"
      R"("override":{"presence":{"value":true},"join_leave":{"value":false},)"
      R"("force_recovery":{"value":true},"force_positioning":{},"force_push_join_leave":null},)"
      R"("label_filter":null,"unknown":[]})";
  EXPECT_EQ(call("subscribe", body), kDone);
  EXPECT_EQ(reached(), Names{"c1"});
  EXPECT_EQ(last_.kind, Control::Kind::kSubscribe);
  EXPECT_EQ(last_.channel, "news");
  EXPECT_EQ(last_.expire_at, 1'900'000'000);
  EXPECT_EQ(last_.info, R"({"a":1})");
  EXPECT_EQ(last_.data, "[2]");
  ASSERT_TRUE(last_.recover_since.has_value());
  EXPECT_EQ(last_.recover_since->offset, 7u);
  EXPECT_EQ(last_.recover_since->epoch, "xyz");
  EXPECT_EQ(last_.overrides.presence, true);
  EXPECT_EQ(last_.overrides.join_leave, false);
  EXPECT_EQ(last_.overrides.force_recovery, true);
  EXPECT_EQ(last_.overrides.force_positioning, false);
  EXPECT_EQ(last_.overrides.force_push_join_leave, std::nullopt);
}

TEST_F(ControlApiTest, SubscribeTakesBase64InsteadOfJson) {
  connect("ann", "c1");
  EXPECT_EQ(call("subscribe", R"({"channel":"c","user":"ann","info":1,"b64info":"eyJhIjoxfQ==",)"
                              R"("data":2,"b64data":"WzNd"})"),
            kDone);
  EXPECT_EQ(last_.info, R"({"a":1})");
  EXPECT_EQ(last_.data, "[3]");
  EXPECT_EQ(call("subscribe", R"({"channel":"c","user":"ann"})"), kDone);
  EXPECT_EQ(last_.info, std::nullopt);
  EXPECT_FALSE(last_.recover_since.has_value());
}

TEST_F(ControlApiTest, SubscribeRefusals) {
  world.rules().remove("gone:x");
  connect("", "c1");
  const std::pair<std::string, std::string> cases[] = {
      {R"({"user":""})", kBadRequestBody},
      {R"({"channel":""})", kBadRequestBody},
      {R"({"channel":"ä"})", kBadRequestBody},
      {R"({"channel":"c","b64info":"!"})", kBadRequestBody},
      {R"({"channel":"c","b64data":"AP8="})", kBadRequestBody},  // not JSON
      {R"({"channel":"gone:x"})", error_body(102, "unknown channel")},
  };
  for (const auto& [body, expected] : cases) EXPECT_EQ(call("subscribe", body), expected) << body;
  for (const std::string body :
       {R"({"channel":7})", R"({"channel":"c","expire_at":"soon"})",
        R"({"channel":"c","override":1})", R"({"channel":"c","override":{"presence":{"value":1}}})",
        R"({"channel":"c","recover_since":[]})", "[]"})
    EXPECT_EQ(status("subscribe", body), 400) << body;
  EXPECT_EQ(reached(), Names{});
}

TEST_F(ControlApiTest, UnsubscribeReachesTheUsersConnections) {
  world.rules().remove("gone:x");
  connect("ann", "c1", "s1");
  connect("ann", "c2", "s2");
  connect("", "c3");
  EXPECT_EQ(call("unsubscribe", R"({"channel":"news","user":"ann"})"), kDone);
  EXPECT_EQ(reached(), (Names{"c1", "c2"}));
  EXPECT_EQ(last_.kind, Control::Kind::kUnsubscribe);
  EXPECT_EQ(last_.channel, "news");
  EXPECT_EQ(call("unsubscribe", R"({"channel":"news","user":"ann","client":"c2"})"), kDone);
  EXPECT_EQ(reached(), Names{"c2"});
  EXPECT_EQ(call("unsubscribe", R"({"channel":"news","user":"ann","session":"s1"})"), kDone);
  EXPECT_EQ(reached(), Names{"c1"});
  EXPECT_EQ(call("unsubscribe", R"({"channel":"news"})"), kDone);  // the anonymous ones
  EXPECT_EQ(reached(), Names{"c3"});
  EXPECT_EQ(call("unsubscribe", R"({"channel":"","user":"ann"})"), kDone);  // from nothing
  EXPECT_EQ(call("unsubscribe", R"({"user":"ann"})"), kDone);
  EXPECT_EQ(call("unsubscribe", R"({"channel":"ä","user":"ann"})"), kBadRequestBody);
  EXPECT_EQ(call("unsubscribe", R"({"channel":"gone:x","user":"ann"})"),
            error_body(102, "unknown channel"));
  EXPECT_EQ(reached(), Names{});
}

TEST_F(ControlApiTest, DisconnectWithCodeAndWhitelist) {
  FakeClient& one = connect("ann", "c1");
  FakeClient& two = connect("ann", "c2");
  FakeClient& other = connect("bob", "c3");
  EXPECT_EQ(call("disconnect", R"({"user":"ann","whitelist":["c2","x"],)"
                               R"("disconnect":{"code":4100,"reason":"moved"}})"),
            kDone);
  ASSERT_TRUE(one.ended());
  EXPECT_EQ(one.end_seen()->code.code, 4100);
  EXPECT_EQ(one.end_seen()->code.text, "moved");
  EXPECT_FALSE(two.ended());
  EXPECT_EQ(call("disconnect", R"({"user":"ann"})"), kDone);
  ASSERT_TRUE(two.ended());
  EXPECT_EQ(two.end_seen()->code.code, 3503);
  EXPECT_EQ(two.end_seen()->code.text, "force disconnect");
  EXPECT_FALSE(other.ended());
}

TEST_F(ControlApiTest, DisconnectRefusals) {
  make({.insecure = true, .limits = {.whitelist = 1}});
  FakeClient& client = connect("", "c1");
  const std::string long_reason(124, 'x');
  for (const std::string& body : {std::string(R"({"disconnect":{"code":2999}})"),
                                  std::string(R"({"disconnect":{"code":5000}})"),
                                  std::string(R"({"disconnect":{"code":70000}})"),
                                  std::string(R"({"disconnect":{"reason":"x"}})"),
                                  R"({"disconnect":{"code":4000,"reason":")" + long_reason + "\"}}",
                                  std::string(R"({"whitelist":["a","b"]})")})
    EXPECT_EQ(call("disconnect", body), kBadRequestBody) << body;
  for (const std::string body : {R"({"disconnect":{"code":-1}})", R"({"disconnect":3})",
                                 R"({"whitelist":"a"})", R"({"user":1})"})
    EXPECT_EQ(status("disconnect", body), 400) << body;
  EXPECT_FALSE(client.ended());
  EXPECT_EQ(call("disconnect", R"({"disconnect":{}})"), kDone);
  EXPECT_TRUE(client.ended());
}

TEST_F(ControlApiTest, RefreshCarriesEveryField) {
  connect("ann", "c1");
  EXPECT_EQ(call("refresh", R"({"user":"ann","client":"c1","expired":true,"expire_at":1900000000,)"
                            R"("info":{"b":2},"session":""})"),
            kDone);
  EXPECT_EQ(reached(), Names{"c1"});
  EXPECT_EQ(last_.kind, Control::Kind::kRefresh);
  EXPECT_TRUE(last_.expired);
  EXPECT_EQ(last_.expire_at, 1'900'000'000);
  EXPECT_EQ(last_.info, R"({"b":2})");
  EXPECT_EQ(status("refresh", R"({"expired":1})"), 400);
}

TEST_F(ControlApiTest, InABatchTheyComeInOrder) {
  FakeClient& client = connect("ann", "c1");
  EXPECT_EQ(call("batch", R"({"commands":[{"unsubscribe":{"user":"ann","channel":"a"}},)"
                          R"({"disconnect":{"user":"ann"}},)"
                          R"({"unsubscribe":{"user":"ann","channel":"b"}},{"rpc":{}}]})"),
            R"({"replies":[{"unsubscribe":{}},{"disconnect":{}},{"unsubscribe":{}},)"
            R"({"error":{"code":104,"message":"not found"}}]})");
  EXPECT_EQ(reached(), Names{"c1"});
  EXPECT_TRUE(client.ended());
}

TEST_F(ControlApiTest, ThereIsNoRpc) {
  EXPECT_EQ(call("rpc", R"({"method":"x","params":{"a":1}})"), error_body(104, "not found"));
}

class LegacyTest : public ApiTest {};

TEST_F(LegacyTest, OneCommand) {
  EXPECT_EQ(call("", R"({"method":"publish","params":{"channel":"a","data":1},"id":5})"),
            R"({"id":5,"result":{"offset":1,"epoch":")" + epoch("a") + "\"}}\n");
  // In any order, and without an id.
  EXPECT_EQ(call("", R"({"params":{"channel":"a"},"method":"presence_stats"})"),
            "{\"result\":{\"num_clients\":0,\"num_users\":0}}\n");
  EXPECT_EQ(call("", R"({"method":"publish","params":{"channel":""},"id":1})"),
            "{\"id\":1,\"error\":{\"code\":107,\"message\":\"bad request\"}}\n");
}

TEST_F(LegacyTest, SeveralInOrder) {
  const std::string first = R"({"id":1,"method":"publish","params":{"channel":"a","data":"}\"{"}})";
  const std::string second =
      "{\"id\":2,\n \"method\":\"history\",\n \"params\":{\"channel\":\"a\"}}";
  const std::string third = R"({"id":3,"method":"nothing","params":{"channel":7}})";
  const std::string fourth = R"({"id":4,"method":"info"})";
  const std::string body = call("", first + "\n" + second + third + "\r\n" + fourth + "\n\n");
  const std::string at = R"("epoch":")" + epoch("a") + "\"";
  EXPECT_THAT(body, ::testing::StartsWith(R"({"id":1,"result":{"offset":1,)" + at + "}}\n" +
                                          R"({"id":2,"result":{"publications":[],)" + at +
                                          R"(,"offset":1}})" + "\n" +
                                          R"({"id":3,"error":{"code":104,"message":"not found"}})" +
                                          "\n" + R"({"id":4,"result":{"nodes":)"));
  EXPECT_EQ(stored("a").at(0)->data, R"("}\"{")");
}

TEST_F(LegacyTest, Refusals) {
  make({.insecure = true, .limits = {.commands = 2}});
  for (const std::string body :
       {"", " \n", "[]", "1", R"({"method":"info")", R"({"method":"info"}x)", R"({"method":7})",
        R"({"method":"info","id":-1})", R"({"method":"publish","params":[]})", R"({"method"})",
        R"({"method":"info"},{"method":"info"})", R"({"method":"info","method":"info"})"})
    EXPECT_EQ(status("", body), 400) << body;
  const std::string info = R"({"method":"info"})";
  EXPECT_EQ(call("", info + info + info), kBadRequestBody);
  EXPECT_EQ(call("", R"({"method":"batch","params":{},"id":1})"),
            "{\"id\":1,\"error\":{\"code\":104,\"message\":\"not found\"}}\n");
}

class FormatTest : public ApiTest {
 protected:
  void use(hub::DataFormat format) {
    auto options = parley::testing::FakeRules::usual();
    options.data_format = format;
    world.rules().set("c", options);
  }
  bool takes(const std::string& fields) {
    const std::string body = call("publish", R"({"channel":"c")" + fields + "}");
    if (body == kBadRequestBody) return false;
    EXPECT_THAT(body, ::testing::HasSubstr("offset"));
    return true;
  }
};

TEST_F(FormatTest, TheDefaultRefusesEmptyDataOnly) {
  EXPECT_FALSE(takes(""));
  EXPECT_FALSE(takes(R"(,"b64data":"")"));
  EXPECT_TRUE(takes(R"(,"data":null)"));
  EXPECT_TRUE(takes(R"(,"b64data":"AP8=")"));
}

TEST_F(FormatTest, Json) {
  use(hub::DataFormat::kJson);
  EXPECT_FALSE(takes(""));
  EXPECT_FALSE(takes(R"(,"b64data":"AP8=")"));
  EXPECT_TRUE(takes(R"(,"data":"text")"));
  EXPECT_TRUE(takes(R"(,"b64data":"MTI=")"));  // 12
  EXPECT_EQ(stored("c").back()->kind, hub::ContentKind::kJson);
}

TEST_F(FormatTest, JsonObject) {
  use(hub::DataFormat::kJsonObject);
  EXPECT_FALSE(takes(""));
  EXPECT_FALSE(takes(R"(,"data":[1])"));
  EXPECT_FALSE(takes(R"(,"data":"{}")"));
  EXPECT_FALSE(takes(R"(,"b64data":"MTI=")"));
  EXPECT_TRUE(takes(R"(,"data": {"a":1})"));
  EXPECT_TRUE(takes(R"(,"b64data":"IHt9")"));  // " {}"
}

TEST_F(FormatTest, BinaryMayBeEmpty) {
  use(hub::DataFormat::kBinary);
  EXPECT_TRUE(takes(""));
  EXPECT_EQ(stored("c").back()->data, "");
  EXPECT_EQ(stored("c").back()->kind, hub::ContentKind::kBinary);
  EXPECT_TRUE(takes(R"(,"b64data":"AP8=")"));
  EXPECT_FALSE(takes(R"(,"b64data":"!")"));
}

TEST_F(ApiTest, VersionsLeaveOutOldPublications) {
  const auto at = [this](int offset) {
    return R"({"result":{"offset":)" + std::to_string(offset) + R"(,"epoch":")" + epoch("c") +
           "\"}}";
  };
  const auto publish = [this](const std::string& fields) {
    return call("publish", R"({"channel":"c","data":1,)" + fields + "}");
  };
  EXPECT_EQ(publish(R"("version":2)"), at(1));
  EXPECT_EQ(publish(R"("version":2)"), at(1));
  EXPECT_EQ(publish(R"("version":1)"), at(1));
  EXPECT_EQ(publish(R"("version":18446744073709551615)"), at(2));
  EXPECT_EQ(publish(R"("version":1,"version_epoch":"new")"), at(3));
  EXPECT_EQ(publish(R"("version":1,"version_epoch":"new")"), at(3));
  EXPECT_EQ(publish(R"("version":0)"), at(4));
  EXPECT_EQ(stored("c").size(), 4u);
  without_history("live");
  EXPECT_EQ(call("publish", R"({"channel":"live","data":1,"version":1})"), kDone);
  EXPECT_EQ(call("broadcast", R"({"channels":["c","d"],"data":1,"version":1})"),
            R"({"result":{"responses":[)" + at(4) + R"(,{"result":{"offset":1,"epoch":")" +
                epoch("d") + "\"}}]}}");
  const std::string long_epoch(257, 'e');
  EXPECT_EQ(publish(R"("version":1,"version_epoch":")" + long_epoch + "\""), kBadRequestBody);
  EXPECT_EQ(status("publish", R"({"channel":"c","data":1,"version":-1})"), 400);
}

TEST_F(ApiTest, DeltaIsCarriedToTheStream) {
  call("publish", R"({"channel":"c","data":1,"delta":true})");
  EXPECT_TRUE(stored("c").back()->delta);
  call("publish", R"({"channel":"c","data":1})");
  EXPECT_FALSE(stored("c").back()->delta);
}

}  // namespace
}  // namespace parley::http_api::testing
