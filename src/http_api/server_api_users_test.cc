// The methods on users, their tokens and connections: what is read, what is done and what is said.
#include <protozero/pbf_writer.hpp>

#include "tests/support/http_api_testing.h"
#include "tests/support/scripted_adapter.h"

namespace parley::http_api::testing {
namespace {

using parley::testing::FakeClient;
using parley::testing::Script;
using parley::testing::ScriptedAdapter;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kDone = R"({"result":{}})";
const std::string kNotAvailableBody = error_body(108, "not available");
constexpr int64_t kNowSeconds = 1'700'000'000;

class UsersApiTest : public ApiTest {
 protected:
  explicit UsersApiTest(const hub::HubOptions& hub = {}) : ApiTest(hub) {}
  ~UsersApiTest() override {
    for (FakeClient* client : clients_) client->leave();
    world.run();
  }
  // By a token with this id, issued ten seconds ago.
  FakeClient& connect(std::string_view user, const std::string& token) {
    world.tokens().connect_token(token, std::string(user)).id = {.uid = token,
                                                                 .issued_at = kNowSeconds - 10};
    Script& script = *scripts_.emplace_back(std::make_unique<Script>());
    script.identity = {.user = user, .client = "client-" + token, .session = {}};
    script.open = [token](session::Effects& effects) {
      effects.verify(1, auth::TokenUse::kConnect, token);
    };
    script.verified = [](hub::StepId, const auth::TokenResult& result, session::Effects& effects) {
      if (!result) return effects.end(session::EndReason::kUnauthorized);
      effects.identify();
      effects.subscribe({"news"}, {});
    };
    clients_.push_back(&world.open(std::make_unique<ScriptedAdapter>(script), {.path = "/"}));
    world.run();
    return *clients_.back();
  }

 private:
  std::vector<std::unique_ptr<Script>> scripts_;
  std::vector<FakeClient*> clients_;
};

TEST_F(UsersApiTest, BlockAndUnblock) {
  FakeClient& ann = connect("ann", "a1");
  FakeClient& bob = connect("bob", "b1");
  EXPECT_EQ(call("block_user", R"({"user":"ann","expire_at":1700000100,"unknown":1})"), kDone);
  EXPECT_EQ(ann.end_seen()->reason, session::EndReason::kBlocked);
  EXPECT_FALSE(bob.ended());
  EXPECT_TRUE(connect("ann", "a1").ended());
  EXPECT_EQ(call("unblock_user", R"({"user":"ann"})"), kDone);
  EXPECT_FALSE(connect("ann", "a1").ended());
  EXPECT_EQ(call("unblock_user", R"({"user":"nobody"})"), kDone);
}

TEST_F(UsersApiTest, RevokeOneToken) {
  FakeClient& one = connect("ann", "a1");
  FakeClient& other = connect("ann", "a2");
  EXPECT_EQ(call("revoke_token", R"({"uid":"a1","expire_at":null})"), kDone);
  EXPECT_EQ(one.end_seen()->reason, session::EndReason::kRevoked);
  EXPECT_FALSE(other.ended());
}

TEST_F(UsersApiTest, InvalidateTokensIssuedBefore) {
  FakeClient& one = connect("ann", "a1");
  EXPECT_EQ(call("invalidate_user_tokens", R"({"user":"ann","issued_before":1699999990})"), kDone);
  EXPECT_FALSE(one.ended());
  // Other tokens than those of subscriptions are not meant.
  EXPECT_EQ(call("invalidate_user_tokens", R"({"user":"ann","channel":"news"})"), kDone);
  EXPECT_FALSE(one.ended());
  // Without a time it is now.
  EXPECT_EQ(call("invalidate_user_tokens", R"({"user":"ann","expire_at":1700009999})"), kDone);
  EXPECT_EQ(one.end_seen()->reason, session::EndReason::kRevoked);
  EXPECT_TRUE(world.revocations()
                  .judge(auth::TokenUse::kConnect, "ann", {.issued_at = kNowSeconds - 1}, {})
                  .has_value());
  EXPECT_FALSE(world.revocations()
                   .judge(auth::TokenUse::kConnect, "ann", {.issued_at = kNowSeconds}, {})
                   .has_value());
}

TEST_F(UsersApiTest, RefusesWhatCannotBeMeant) {
  const std::string long_name(1025, 'x');
  EXPECT_EQ(call("block_user", "{}"), kBadRequestBody);
  EXPECT_EQ(call("block_user", R"({"user":")" + long_name + "\"}"), kBadRequestBody);
  EXPECT_EQ(call("block_user", R"({"user":"ann","expire_at":-1})"), kBadRequestBody);
  EXPECT_EQ(call("block_user", R"({"user":"ann","expire_at":1700000000})"), kBadRequestBody);
  EXPECT_EQ(call("unblock_user", R"({"user":""})"), kBadRequestBody);
  EXPECT_EQ(call("revoke_token", R"({"user":"ann"})"), kBadRequestBody);
  EXPECT_EQ(call("invalidate_user_tokens", R"({"issued_before":5})"), kBadRequestBody);
  EXPECT_EQ(call("invalidate_user_tokens", R"({"user":"a","channel":"\u0001"})"), kBadRequestBody);
  EXPECT_EQ(status("block_user", R"({"user":5})"), 400);
  EXPECT_EQ(status("revoke_token", R"({"uid":"a","expire_at":"soon"})"), 400);
  EXPECT_TRUE(world.revocations().empty());
}

TEST_F(UsersApiTest, InvalidatesNothingThatIsIssuedMoreThanADayFromNow) {
  const auto invalidate = [this](int64_t before) {
    return call("invalidate_user_tokens",
                R"({"user":"ann","issued_before":)" + std::to_string(before) + "}");
  };
  EXPECT_EQ(invalidate(kNowSeconds * 1000), kBadRequestBody);
  EXPECT_EQ(invalidate(kNowSeconds + 24 * 3600 + 1), kBadRequestBody);
  EXPECT_TRUE(world.revocations().empty());
  EXPECT_EQ(invalidate(kNowSeconds + 24 * 3600), kDone);
}

TEST_F(UsersApiTest, AboveTheLimitIs111) {
  world.revocations() = auth::Revocations(1);
  EXPECT_EQ(call("block_user", R"({"user":"ann"})"), kDone);
  EXPECT_EQ(call("revoke_token", R"({"uid":"t"})"), error_body(111, "too many requests"));
  EXPECT_EQ(call("block_user", R"({"user":"ann"})"), kDone);
}

TEST_F(UsersApiTest, ConnectionsOfAUser) {
  connect("ann", "a1");
  connect("bob", "b1");
  EXPECT_EQ(call("connections", R"({"user":"ann"})"),
            R"({"result":{"connections":{"client-a1":{"transport":"fake","protocol":"scripted",)"
            R"("user":"ann","state":{"channels":{"news":{}},)"
            R"("connection_token":{"uid":"a1","issued_at":1699999990}}}}}})");
  EXPECT_EQ(call("connections", R"({"user":"nobody"})"), R"({"result":{"connections":{}}})");
  const std::string all = call("connections", "{}");
  EXPECT_THAT(all, HasSubstr("client-a1"));
  EXPECT_THAT(all, HasSubstr("client-b1"));
  EXPECT_THAT(all, Not(HasSubstr("truncated")));
  EXPECT_THAT(call("connections", R"({"limit":1})"), HasSubstr(R"("truncated":true)"));
  EXPECT_THAT(call("connections", R"({"client":"client-b1"})"), HasSubstr(R"("user":"bob")"));
  EXPECT_EQ(call("connections", R"({"limit":1001})"), kBadRequestBody);
  EXPECT_EQ(call("connections", R"({"expression":"user == '1'"})"), kNotAvailableBody);
}

TEST_F(UsersApiTest, WorkInABatch) {
  EXPECT_EQ(call("batch", R"({"commands":[{"block_user":{"user":"ann"}},{"revoke_token":{}},)"
                          R"({"unblock_user":{"user":"ann"}},{"connections":{}}]})"),
            R"({"replies":[{"block_user":{}},{"error":{"code":107,"message":"bad request"}},)"
            R"({"unblock_user":{}},{"connections":{"connections":{}}}]})");
  EXPECT_TRUE(world.revocations().empty());
  EXPECT_EQ(call("", R"({"method":"block_user","params":{"user":"ann"},"id":3})"),
            "{\"id\":3,\"result\":{}}\n");
  EXPECT_TRUE(world.revocations().is_blocked("ann"));
}

TEST_F(UsersApiTest, InProtobuf) {
  const auto ask_protobuf = [this](std::string_view method, auto write) {
    std::string body;
    protozero::pbf_writer out(body);
    write(out);
    return ask(method, post(body, {{"Content-Type", "application/octet-stream"}})).body;
  };
  const std::string done("\x12\x00", 2);
  FakeClient& ann = connect("ann", "a1");
  const std::string listed =
      ask_protobuf("connections", [](auto& out) { out.add_string(1, "ann"); });
  EXPECT_THAT(listed, HasSubstr("client-a1"));
  EXPECT_THAT(listed, HasSubstr("news"));
  EXPECT_EQ(ask_protobuf("invalidate_user_tokens",
                         [](auto& out) {
                           out.add_int64(1, kNowSeconds + 5);
                           out.add_string(2, "bob");
                           out.add_int64(3, 7);
                           out.add_string(4, "news");
                         }),
            done);
  EXPECT_TRUE(world.revocations()
                  .judge(auth::TokenUse::kSubscribe, "bob", {.issued_at = 6}, "news")
                  .has_value());
  EXPECT_EQ(ask_protobuf("revoke_token", [](auto& out) { out.add_string(2, "a1"); }), done);
  EXPECT_EQ(ann.end_seen()->reason, session::EndReason::kRevoked);
  EXPECT_EQ(ask_protobuf("block_user", [](auto& out) { out.add_string(2, "cid"); }), done);
  EXPECT_TRUE(world.revocations().is_blocked("cid"));
  EXPECT_EQ(ask_protobuf("unblock_user", [](auto& out) { out.add_string(1, "cid"); }), done);
  EXPECT_FALSE(world.revocations().is_blocked("cid"));
}

TEST_F(UsersApiTest, StatusesAreOffUnlessSwitchedOn) {
  for (const std::string method : {"update_user_status", "get_user_status", "delete_user_status"})
    EXPECT_EQ(call(method, R"({"users":["ann"]})"), kNotAvailableBody) << method;
}

class StatusApiTest : public UsersApiTest {
 protected:
  StatusApiTest() : UsersApiTest(hub::HubOptions{.user_status = {.enabled = true}}) {}
};

TEST_F(StatusApiTest, ActiveAndOnline) {
  const std::string both = R"({"users":["bob","ann"]})";
  EXPECT_EQ(call("get_user_status", both),
            R"({"result":{"statuses":[{"user":"bob"},{"user":"ann"}]}})");
  EXPECT_EQ(call("update_user_status", R"({"users":["ann"]})"), kDone);
  FakeClient& bob = connect("bob", "b1");
  world.advance(seconds(20));
  EXPECT_EQ(call("get_user_status", both),
            R"({"result":{"statuses":[{"user":"bob","online":1700000020},)"
            R"({"user":"ann","active":1700000000}]}})");
  bob.leave();
  world.advance(seconds(20));
  EXPECT_EQ(call("get_user_status", R"({"users":["bob"]})"),
            R"({"result":{"statuses":[{"user":"bob","online":1700000020}]}})");
  EXPECT_EQ(call("delete_user_status", both), kDone);
  EXPECT_EQ(call("get_user_status", both),
            R"({"result":{"statuses":[{"user":"bob"},{"user":"ann"}]}})");
}

TEST_F(StatusApiTest, RefusesWhatCannotBeMeant) {
  std::string many = R"({"users":["x")";
  for (int i = 0; i < 1000; ++i) many += R"(,"x")";
  EXPECT_EQ(call("get_user_status", many + "]}"), kBadRequestBody);
  EXPECT_EQ(call("get_user_status", "{}"), kBadRequestBody);
  EXPECT_EQ(call("get_user_status", R"({"users":[]})"), kBadRequestBody);
  EXPECT_EQ(call("update_user_status", R"({"users":[""]})"), kBadRequestBody);
  EXPECT_EQ(status("get_user_status", R"({"users":"ann"})"), 400);
}

TEST_F(StatusApiTest, AnUserThatSaysItIsActive) {
  Script script;
  script.identity = {.user = "ann", .client = "c", .session = {}};
  script.open = [](session::Effects& effects) {
    effects.identify();
    effects.note_active(7);
  };
  FakeClient& ann = world.open(std::make_unique<ScriptedAdapter>(script), {.path = "/"});
  world.run();
  EXPECT_EQ(script.log.back(), "answer 7");
  EXPECT_THAT(call("get_user_status", R"({"users":["ann"]})"), HasSubstr(R"("active":)"));
  ann.leave();
  world.run();
}

}  // namespace
}  // namespace parley::http_api::testing
