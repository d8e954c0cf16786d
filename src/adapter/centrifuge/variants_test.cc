// Deltas, filters, short names and cache recovery, as clients see them.
#include "adapter/centrifuge/variants.h"

#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class VariantsTest : public CentrifugeTest {
 protected:
  VariantsTest() {
    hub::ChannelOptions options = testing::FakeRules::usual();
    options.allow_delta = options.delta_publish = true;
    options.allow_tags_filter = options.compaction = true;
    world.rules().set("v", options);
    options.cache_recovery = true;
    world.rules().set("cache", options);
    options.auto_cache_recover = true;
    world.rules().set("auto", options);
  }

  static std::string request(const std::string& rest, const std::string& channel = "v") {
    return R"({"id":2,"subscribe":{"channel":")" + channel + "\"" + rest + "}}";
  }
  std::string subscribe(FakeClient& client, const std::string& rest,
                        const std::string& channel = "v") {
    return ask(client, request(rest, channel)).at(0);
  }
  FakeClient& subscriber(const std::string& rest) {
    FakeClient& client = connect();
    EXPECT_THAT(subscribe(client, rest), HasSubstr(R"("subscribe":{)"));
    return client;
  }
  void publish(const std::string& json, hub::Tags tags = {}, const std::string& channel = "v") {
    hub::Publication publication;
    publication.data = json;
    publication.tags = std::move(tags);
    world.publish(channel, std::move(publication));
  }
  static std::string text(int n) {
    return R"({"long":"it is the same in every publication","n":)" + std::to_string(n) + "}";
  }
  static std::string quoted(int n) {
    return R"("{\"long\":\"it is the same in every publication\",\"n\":)" + std::to_string(n) +
           "}\"";
  }
  static std::string pushed(const std::string& rest) {
    return R"({"push":{"channel":"v","pub":{"data":)" + rest + "}}}";
  }
  std::string recover(uint64_t offset, const std::string& rest = {},
                      const std::string& channel = "v") {
    return R"(,"recover":true,"offset":)" + std::to_string(offset) + R"(,"epoch":")" +
           epoch(channel) + "\"" + rest;
  }

  static constexpr auto kDelta = R"(,"delta":"fossil")";
  static constexpr auto kFilter = R"(,"tf":{"key":"k","cmp":"eq","val":"1"})";
};

TEST_F(VariantsTest, DeltaIsNegotiatedWhereItIsAllowed) {
  EXPECT_THAT(subscribe(connect(), kDelta), HasSubstr(R"("delta":true)"));
  EXPECT_THAT(subscribe(connect(), ""), Not(HasSubstr("delta")));
  EXPECT_THAT(subscribe(connect(), kDelta, "other"), Not(HasSubstr("delta")));
}

TEST_F(VariantsTest, TheFirstIsAStringTheOthersAreDeltas) {
  FakeClient& deltas = subscriber(kDelta);
  FakeClient& plain = subscriber("");
  publish(text(1));
  publish(text(2));
  EXPECT_THAT(take(deltas).at(0), HasSubstr(R"("pub":{"data":)" + quoted(1) + R"(,"offset":1)"));
  publish(text(3));
  const std::string third = take(deltas).at(0);
  EXPECT_THAT(third, HasSubstr(R"("offset":3,"delta":true)"));
  EXPECT_THAT(third, HasSubstr(R"(\n)"));
  EXPECT_THAT(third, Not(HasSubstr("every publication")));
  EXPECT_THAT(take(plain).at(2), HasSubstr(text(3)));
  publish("7");
  EXPECT_THAT(take(deltas), ElementsAre(pushed(R"("7","offset":4)")));
}

TEST_F(VariantsTest, RecoveredOnesAreAChainThatGoesOn) {
  FakeClient& stays = subscriber(kDelta);
  for (int i = 1; i <= 4; ++i) publish(text(i));
  take(stays);
  FakeClient& client = connect();
  const std::string reply = subscribe(client, recover(1, kDelta));
  EXPECT_THAT(reply, HasSubstr(R"("publications":[{"data":)" + quoted(2) + R"(,"offset":2},)"));
  EXPECT_THAT(reply, HasSubstr(R"("offset":3,"delta":true})"));
  EXPECT_THAT(reply, HasSubstr(R"("offset":4,"delta":true}],"recovered":true,"offset":1)"));
  publish(text(5));
  EXPECT_THAT(take(client).at(0), HasSubstr(R"("offset":5,"delta":true)"));
  EXPECT_EQ(take(stays).size(), 1u);
}

TEST_F(VariantsTest, WithoutDeltaRecoveredOnesAreAsEver) {
  for (int i = 1; i <= 2; ++i) publish(text(i));
  EXPECT_THAT(subscribe(connect(), recover(1)),
              HasSubstr(R"("publications":[{"data":)" + text(2) + R"(,"offset":2}])"));
}

TEST_F(VariantsTest, AFilterHidesAndMakesNoGap) {
  FakeClient& client = subscriber(kFilter);
  publish("1", {{"k", "1"}});
  publish("2", {{"k", "2"}});
  publish("3");
  publish("4", {{"k", "1"}});
  EXPECT_THAT(take(client),
              ElementsAre(HasSubstr(R"("offset":1,"tags":{"k":"1"})"), HasSubstr(R"("offset":4)")));
  EXPECT_FALSE(client.ended());
}

TEST_F(VariantsTest, AFilterHoldsForRecoveredOnesToo) {
  for (int i = 1; i <= 6; ++i) publish(text(i), {{"k", i % 2 == 0 ? "1" : "2"}});
  FakeClient& client = connect();
  const std::string reply = subscribe(client, recover(1, std::string(kDelta) + kFilter));
  EXPECT_THAT(reply, HasSubstr(R"([{"data":)" + quoted(2) + R"(,"offset":2,)"));
  EXPECT_THAT(reply, Not(HasSubstr(R"("offset":3)")));
  EXPECT_THAT(reply, HasSubstr(R"("offset":4,"tags":{"k":"1"},"delta":true})"));
  EXPECT_THAT(reply, HasSubstr(R"("recovered":true)"));
  publish(text(7), {{"k", "1"}});
  EXPECT_THAT(take(client).at(0), HasSubstr(R"("offset":7,"tags":{"k":"1"},"delta":true)"));
  publish(text(8));
  publish(text(9), {{"k", "1"}});
  EXPECT_THAT(take(client), ElementsAre(HasSubstr(quoted(9))));
}

TEST_F(VariantsTest, FiltersThatAreNoneAreRefused) {
  const std::string bad = R"({"id":2,"error":{"code":107,"message":"bad request"}})";
  FakeClient& client = connect();
  EXPECT_EQ(subscribe(client, kFilter, "other"), bad);
  for (const char* filter : {
           R"({})",
           R"({"key":"k"})",
           R"({"key":"k","cmp":"what","val":"1"})",
           R"({"cmp":"eq","val":"1"})",
           R"({"key":"k","cmp":"eq"})",
           R"({"key":"k","cmp":"eq","val":"1","vals":["1"]})",
           R"({"key":"k","cmp":"in","val":"1"})",
           R"({"key":"k","cmp":"nin"})",
           R"({"key":"k","cmp":"in","val":"1","vals":["1"]})",
           R"({"key":"k","cmp":"ex","val":"1"})",
           R"({"key":"k","cmp":"nex","vals":["1"]})",
           R"({"cmp":"in","vals":["1"]})",
           R"({"op":"xor","nodes":[{"cmp":"ex"}]})",
           R"({"op":"and"})",
           R"({"op":"or","nodes":[]})",
           R"({"op":"not"})",
           R"({"op":"not","nodes":[{"cmp":"ex"},{"cmp":"ex"}]})",
           R"({"op":"and","nodes":[{"key":"k","cmp":"eq"}]})",
       })
    EXPECT_EQ(subscribe(client, std::string(R"(,"tf":)") + filter), bad) << filter;
  std::string deep = R"({"cmp":"ex","key":"k"})";
  for (int i = 0; i < 10; ++i) deep = R"({"op":"not","nodes":[)" + deep + "]}";
  EXPECT_EQ(subscribe(client, R"(,"tf":)" + deep), bad);
  std::string wide = R"({"cmp":"ex","key":"k"})";
  for (int i = 0; i < 99; ++i) wide += R"(,{"cmp":"ex","key":"k"})";
  EXPECT_EQ(subscribe(client, R"(,"tf":{"op":"or","nodes":[)" + wide + "]}"), bad);
  EXPECT_THAT(subscribe(client, R"(,"tf":{"op":"and","nodes":[{"cmp":"nex"},{"op":"not","nodes":)"
                                R"([{"key":"k","cmp":"gte","val":"1.5"}]}]})"),
              HasSubstr(R"("subscribe":{)"));
}

TEST_F(VariantsTest, AShortNameStandsForTheChannel) {
  FakeClient& client = connect();
  EXPECT_THAT(subscribe(client, R"(,"flag":1)"), HasSubstr(R"("id":1})"));
  publish("1");
  EXPECT_THAT(take(client).at(0), HasSubstr(R"({"push":{"id":1,"pub":{"data":1,"offset":1)"));
  FakeClient& other = connect();
  EXPECT_THAT(subscribe(other, R"(,"flag":1,"delta":"fossil")"), HasSubstr(R"("id":1})"));
  publish("2");
  EXPECT_THAT(take(other), ElementsAre(R"({"push":{"id":1,"pub":{"data":"2","offset":2}}})"));
  EXPECT_THAT(subscribe(connect(), R"(,"flag":1)", "other"), Not(HasSubstr(R"("id":1)"
                                                                           "}")));
  EXPECT_THAT(subscribe(connect(), ""), Not(HasSubstr(R"("id":1})")));
}

// --- cache recovery ---------------------------------------------------------------------------

TEST_F(VariantsTest, CacheRecoveryGivesTheNewest) {
  for (int i = 1; i <= 3; ++i) publish(std::to_string(i), {}, "cache");
  const std::string newest = R"("publications":[{"data":3,"offset":3}],"recovered":true)";
  const std::string e = epoch("cache");
  EXPECT_THAT(subscribe(connect(), R"(,"recover":true)", "cache"), HasSubstr(newest));
  EXPECT_THAT(subscribe(connect(), recover(1, "", "cache"), "cache"), HasSubstr(newest));
  EXPECT_THAT(subscribe(connect(), R"(,"recover":true,"offset":3,"epoch":"other")", "cache"),
              HasSubstr(newest));
  EXPECT_EQ(subscribe(connect(), recover(3, "", "cache"), "cache"),
            R"({"id":2,"subscribe":{"recoverable":true,"epoch":")" + e +
                R"(","recovered":true,"offset":3,"positioned":true,"was_recovering":true}})");
  EXPECT_THAT(subscribe(connect(), "", "cache"), Not(HasSubstr("recovering")));
}

// The one publication comes whole, and what follows are changes of it.
TEST_F(VariantsTest, CacheRecoveryBeginsAChain) {
  for (int i = 1; i <= 3; ++i) publish(text(i), {}, "cache");
  FakeClient& client = connect();
  EXPECT_THAT(subscribe(client, std::string(R"(,"recover":true)") + kDelta, "cache"),
              HasSubstr(R"("publications":[{"data":)" + quoted(3) + R"(,"offset":3}])"));
  publish(text(4), {}, "cache");
  EXPECT_THAT(take(client).at(0), HasSubstr(R"("offset":4,"delta":true)"));
  // Whether this one still has the bytes that it had before is not known.
  FakeClient& same = connect();
  EXPECT_THAT(subscribe(same, recover(4, kDelta, "cache"), "cache"),
              Not(HasSubstr("publications")));
  publish(text(5), {}, "cache");
  EXPECT_THAT(take(same).at(0), HasSubstr(quoted(5)));
  publish(text(6), {}, "cache");
  EXPECT_THAT(take(same).at(0), HasSubstr(R"("offset":6,"delta":true)"));
}

TEST_F(VariantsTest, CacheRecoveryOfAnEmptyStream) {
  EXPECT_THAT(subscribe(connect(), R"(,"recover":true)", "cache"),
              ::testing::AllOf(HasSubstr("was_recovering"), Not(HasSubstr("recovered\":true"))));
  EXPECT_THAT(subscribe(connect(), R"(,"recover":true,"flag":2)", "cache"), HasSubstr("112"));
  publish("1", {}, "cache");
  world.advance(seconds(400));  // history has expired, the position has not
  EXPECT_THAT(subscribe(connect(), recover(1, "", "cache"), "cache"),
              HasSubstr(R"("recovered":true,"offset":1)"));
  EXPECT_THAT(subscribe(connect(), R"(,"recover":true)", "cache"),
              Not(HasSubstr("recovered\":true")));
}

TEST_F(VariantsTest, CacheRecoveryWithAFilterGivesTheNewestThatMatches) {
  for (int i = 1; i <= 5; ++i) publish(std::to_string(i), {{"k", i <= 2 ? "1" : "2"}}, "cache");
  FakeClient& client = connect();
  EXPECT_THAT(subscribe(client, std::string(R"(,"recover":true)") + kFilter, "cache"),
              HasSubstr(R"([{"data":2,"offset":2,"tags":{"k":"1"}}],"recovered":true)"));
  publish("6", {{"k", "1"}}, "cache");
  EXPECT_THAT(take(client).at(0), HasSubstr(R"("offset":6)"));
}

TEST_F(VariantsTest, AutoCacheRecoverAsksByItself) {
  publish(text(1), {}, "auto");
  FakeClient& client = connect();
  EXPECT_THAT(subscribe(client, kDelta, "auto"),
              ::testing::AllOf(HasSubstr(R"([{"data":)" + quoted(1) + R"(,"offset":1}])"),
                               HasSubstr(R"("was_recovering":true)")));
  publish(text(2), {}, "auto");
  EXPECT_THAT(take(client).at(0), HasSubstr(R"("offset":2,"delta":true)"));
}

}  // namespace
}  // namespace parley::adapter::centrifuge
