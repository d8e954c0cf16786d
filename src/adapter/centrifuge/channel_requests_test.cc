// Publish, history, presence.
#include "tests/support/centrifuge_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ChannelRequestsTest : public CentrifugeTest {
 protected:
  std::string error_of(FakeClient& client, const std::string& frame) {
    const Replies replies = ask(client, frame);
    return replies.size() == 1 ? between(replies[0], R"("code":)", ",") : "";
  }
  std::string history(const std::string& request) {
    return ask(*client_, R"({"id":9,"history":{"channel":"h")" + request + "}}").at(0);
  }
  static std::string page(std::initializer_list<int> seqs, const std::string& epoch, int offset) {
    std::string list;
    for (const int seq : seqs)
      list += (list.empty() ? "" : ",") + (R"({"data":{"seq":)" + std::to_string(seq)) +
              R"(},"offset":)" + std::to_string(seq) + "}";
    return R"({"id":9,"history":{"publications":[)" + list + R"(],"epoch":")" + epoch +
           R"(","offset":)" + std::to_string(offset) + "}}";
  }
  FakeClient* client_ = nullptr;
};

TEST_F(ChannelRequestsTest, APublisherSeesItsPublicationBeforeTheReply) {
  FakeClient& client = connect();
  ask(client, R"({"id":2,"subscribe":{"channel":"test"}})");
  EXPECT_THAT(
      ask(client, R"({"publish":{"channel":"test","data":{"m":1}},"id":7})"),
      ElementsAre(
          R"({"push":{"channel":"test","pub":{"data":{"m":1},"info":{"user":"","client":")" +
              last_id + R"("},"offset":1,"epoch":")" + epoch("test") + R"("}}})",
          R"({"id":7,"publish":{}})"));
}

TEST_F(ChannelRequestsTest, PublishesWithoutASubscription) {
  FakeClient& reader = connect();
  ask(reader, R"({"id":2,"subscribe":{"channel":"plain"}})");
  EXPECT_THAT(ask(connect(), R"({"publish":{"channel":"plain","data":"x"},"id":7})"),
              ElementsAre(R"({"id":7,"publish":{}})"));
  EXPECT_THAT(
      take(reader),
      ElementsAre(R"({"push":{"channel":"plain","pub":{"data":"x","info":{"user":"","client":")" +
                  last_id + R"("}}}})"));
}

TEST_F(ChannelRequestsTest, APublishInFlightWithASubscribeStaysBehindItsReply) {
  const Replies replies = ask(connect(),
                              "{\"id\":2,\"subscribe\":{\"channel\":\"plain\"}}\n"
                              "{\"id\":3,\"publish\":{\"channel\":\"plain\",\"data\":1}}");
  const auto place = [&](std::string_view part) {
    return std::ranges::find_if(replies, [&](const auto& r) { return r.contains(part); });
  };
  EXPECT_NE(place(R"("publish":{})"), replies.end());
  EXPECT_LT(place(R"("subscribe":{})"), place(R"("pub":)"));
}

TEST_F(ChannelRequestsTest, PublishesManyInOneFrame) {
  FakeClient& client = connect();
  ask(client, R"({"id":2,"subscribe":{"channel":"plain"}})");
  std::string frame;
  for (int i = 10; i < 60; ++i)
    frame += R"({"id":)" + std::to_string(i) + R"(,"publish":{"channel":"plain","data":)" +
             std::to_string(i) + "}}\n";
  const Replies replies = ask(client, frame);
  EXPECT_THAT(replies, SizeIs(100));
  int published = 10, replied = 10;
  for (const std::string& reply : replies) {
    if (reply.find("push") != reply.npos) {
      EXPECT_EQ(between(reply, R"("data":)", ","), std::to_string(published++));
    } else {
      EXPECT_EQ(between(reply, R"("id":)", ","), std::to_string(replied++));
    }
    EXPECT_GE(published, replied);
  }
}

TEST_F(ChannelRequestsTest, RefusesPublications) {
  access.denied = {"secret"};
  access.unknown = {"no:such"};
  hub::ChannelOptions text_only;
  text_only.kinds = {false, true, false};
  world.rules().set("text", text_only);
  world.rules().remove("gone");
  FakeClient& client = connect();
  const auto publish_to = [&](const std::string& channel) {
    return error_of(client, R"({"id":2,"publish":{"channel":")" + channel + R"(","data":1}})");
  };
  EXPECT_EQ(publish_to("secret"), "103");
  EXPECT_EQ(publish_to("no:such"), "102");
  EXPECT_EQ(publish_to("gone"), "102");
  EXPECT_EQ(publish_to(std::string(256, 'x')), "107");
  EXPECT_EQ(publish_to("text"), "107");
  EXPECT_EQ(error_of(client, R"({"id":2,"publish":{"channel":"a"}})"), "107");
  EXPECT_EQ(error_of(client, R"({"id":2,"publish":{"channel":"a","data":1,"type":1,"key":"k"}})"),
            "107");
  EXPECT_EQ(disconnect(client, R"({"id":2,"publish":{"data":1}})"), 3501);
}

TEST_F(ChannelRequestsTest, HistoryByLimitSinceAndReverse) {
  world.rules().set("h", history_only());
  publish("h", 1, 4);
  client_ = &connect();
  const std::string e = epoch("h");
  EXPECT_EQ(history(""), page({}, e, 4));
  EXPECT_EQ(history(R"(,"limit":2)"), page({1, 2}, e, 4));
  EXPECT_EQ(history(R"(,"limit":-1)"), page({1, 2, 3, 4}, e, 4));
  EXPECT_EQ(history(R"(,"limit":2,"reverse":true)"), page({4, 3}, e, 4));
  const auto since = [&](int offset) {
    return R"(,"since":{"offset":)" + std::to_string(offset) + R"(,"epoch":")" + e + "\"}";
  };
  EXPECT_EQ(history(R"(,"limit":2)" + since(2)), page({3, 4}, e, 4));
  EXPECT_EQ(history(R"(,"limit":1)" + since(2)), page({3}, e, 4));
  EXPECT_EQ(history(R"(,"limit":-1)" + since(0)), page({1, 2, 3, 4}, e, 4));
  EXPECT_EQ(history(R"(,"limit":9)" + since(4)), page({}, e, 4));
  EXPECT_EQ(history(R"(,"limit":9,"reverse":true)" + since(3)), page({2, 1}, e, 4));
  EXPECT_EQ(history(R"(,"limit":9,"reverse":true)" + since(1)), page({}, e, 4));
  EXPECT_EQ(history(R"(,"limit":1,"since":{"offset":3})"), page({4}, e, 4))
      << "an empty epoch is not checked";
}

TEST_F(ChannelRequestsTest, HistoryOlderThanTheStreamStartsAtTheFirst) {
  hub::ChannelOptions two = history_only();
  two.history_size = 2;
  world.rules().set("h", two);
  publish("h", 1, 5);
  client_ = &connect();
  EXPECT_EQ(history(R"(,"limit":9,"since":{"offset":1})"), page({4, 5}, epoch("h"), 5));
}

TEST_F(ChannelRequestsTest, HistoryIsCapped) {
  hub::ChannelOptions long_one = history_only();
  long_one.history_size = 1000;
  world.rules().set("h", long_one);
  publish("h", 1, 310);
  client_ = &connect();
  for (const auto* limit : {R"(,"limit":-1)", R"(,"limit":1000)", R"(,"limit":-2147483648)"}) {
    const std::string reply = history(limit);
    EXPECT_NE(reply.find(R"("seq":300})"), reply.npos);
    EXPECT_EQ(reply.find(R"("seq":301})"), reply.npos);
  }
}

TEST_F(ChannelRequestsTest, HistoryOfLargePublicationsComesInPieces) {
  world.rules().set("h", history_only());
  for (int i = 0; i < 20; ++i) world.publish("h", "\"" + std::string(60'000, 'x') + "\"");
  client_ = &connect();
  const std::string reply = history(R"(,"limit":-1)");
  EXPECT_LT(reply.size(), 512u << 10);
  EXPECT_NE(reply.find(R"("offset":4)"), reply.npos);
  EXPECT_NE(reply.find(R"("offset":20})"), reply.npos) << "the top says that there is more";
  EXPECT_EQ(disconnect(*client_), 0);
}

TEST_F(ChannelRequestsTest, RefusesHistory) {
  access.denied = {"secret"};
  FakeClient& client = connect();
  const auto code = [&](const std::string& request) {
    return error_of(client, R"({"id":2,"history":{)" + request + "}}");
  };
  EXPECT_EQ(code(R"("channel":"plain")"), "108");
  EXPECT_EQ(code(R"("channel":"secret")"), "103");
  EXPECT_EQ(code(R"("channel":"a","reverse":true,"since":{"offset":0})"), "107");
  EXPECT_EQ(code(R"("channel":"a","since":{"offset":1,"epoch":"_"})"), "112");
  EXPECT_EQ(code(R"("channel":"a","limit":1,"since":{"offset":1,"epoch":"zz"})"), "112");
  world.rules().remove("gone");
  EXPECT_EQ(code(R"("channel":"gone")"), "102");
  EXPECT_EQ(disconnect(client, R"({"id":2,"history":{}})"), 3501);
}

TEST_F(ChannelRequestsTest, PresenceHoldsSubscribers) {
  FakeClient& client = connect();
  const std::string ask_members = R"({"presence":{"channel":"test"},"id":8})";
  EXPECT_THAT(ask(client, ask_members), ElementsAre(R"({"id":8,"presence":{"presence":{}}})"));
  ask(client, R"({"id":2,"subscribe":{"channel":"test"}})");
  EXPECT_THAT(ask(client, ask_members),
              ElementsAre(R"({"id":8,"presence":{"presence":{")" + last_id +
                          R"(":{"user":"","client":")" + last_id + R"("}}}})"));
  FakeClient& other = connect();
  ask(other, R"({"id":2,"subscribe":{"channel":"test"}})");
  EXPECT_THAT(ask(client, R"({"presence_stats":{"channel":"test"},"id":9})"),
              ElementsAre(R"({"id":9,"presence_stats":{"num_clients":2,"num_users":1}})"));
  ask(client, R"({"id":3,"unsubscribe":{"channel":"test"}})");
  other.leave();
  EXPECT_THAT(ask(client, R"({"presence_stats":{"channel":"test"},"id":9})"),
              ElementsAre(R"({"id":9,"presence_stats":{"num_clients":0,"num_users":0}})"));
}

TEST_F(ChannelRequestsTest, RefusesPresence) {
  access.denied = {"secret"};
  FakeClient& client = connect();
  for (const std::string name : {"presence", "presence_stats"}) {
    const auto code = [&](const std::string& channel) {
      return error_of(client, R"({"id":2,")" + name + R"(":{"channel":")" + channel + "\"}}");
    };
    EXPECT_EQ(code("plain"), "108");
    EXPECT_EQ(code("secret"), "103");
    EXPECT_EQ(code(std::string(300, 'x')), "107");
    EXPECT_EQ(disconnect_after_connect(R"({"id":2,")" + name + R"(":{}})"), 3501);
  }
}

class SmallReplyTest : public CentrifugeTest {
 protected:
  SmallReplyTest() : CentrifugeTest({.reply_bytes = 300}) {}
};

TEST_F(SmallReplyTest, RefusesAReplyThatIsTooLarge) {
  const testing::MetricDelta refused(R"(parley_centrifuge_commands_refused_total{code="106"})");
  FakeClient* client = nullptr;
  for (int i = 0; i < 4; ++i) {
    client = &connect();
    ask(*client, R"({"id":2,"subscribe":{"channel":"test"}})");
  }
  EXPECT_THAT(ask(*client, R"({"presence":{"channel":"test"},"id":8})"),
              ElementsAre(R"({"id":8,"error":{"code":106,"message":"limit exceeded"}})"));
  EXPECT_EQ(refused(), 1);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
