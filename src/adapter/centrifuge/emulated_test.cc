// Over transports that need another one to send: what the client needs for that, and how it is
// told the end.
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class EmulatedTest : public CentrifugeTest {
 protected:
  EmulatedTest() : CentrifugeTest({.node = "node-1"}) {}

  FakeClient& open_stream(bool binary = false, std::string_view query = {}) {
    FakeClient& client = world.open(factory, {.path = "/connection/http_stream",
                                              .query = std::string(query),
                                              .binary = binary,
                                              .session = "the-key"});
    if (binary) protobuf_clients.insert(&client);
    return client;
  }
};

TEST_F(EmulatedTest, TheClientLearnsWhereToSend) {
  for (const bool binary : {false, true}) {
    const Replies replies = ask(open_stream(binary), R"({"id":1,"connect":{}})");
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_THAT(replies[0], HasSubstr(R"("pong":true,"session":"the-key","node":"node-1")"));
  }
  // Who can send anyway is told nothing of it.
  EXPECT_THAT(ask(open(), R"({"id":1,"connect":{}})").at(0), Not(HasSubstr("session")));
}

TEST_F(EmulatedTest, ItsRequestsAreReadInBothEncodings) {
  const auto read = [&](session::MessageType type, ByteView request) {
    const auto message = factory.read_uplink(type, request);
    return message ? message->session + ' ' + message->data : "nothing";
  };
  using enum session::MessageType;
  EXPECT_EQ(read(kText, R"({"session":"s","node":"node-1","data":"{\"id\":2}"})"), R"(s {"id":2})");
  EXPECT_EQ(read(kBinary, "\x0a\x06node-1\x12\x01s\x1a\x02\x01\x02"), "s \x01\x02");
  EXPECT_EQ(read(kText, "{"), "nothing");
  EXPECT_EQ(read(kBinary, "{"), "nothing");
  // Of another node there is no session here.
  EXPECT_EQ(read(kText, R"({"session":"s","node":"node-2","data":"x"})"), " x");
}

TEST_F(EmulatedTest, TheAddressDoesNotChooseTheEncoding) {
  EXPECT_EQ(ask(open_stream(false, "format=protobuf"), R"({"id":1,"connect":{}})").size(), 1u);
}

TEST_F(EmulatedTest, TheEndIsPushed) {
  FakeClient& client = open_stream();
  ask(client, R"({"id":1,"connect":{}})");
  world.table().end_all(session::EndReason::kShutdown);
  EXPECT_THAT(take(client),
              ElementsAre(R"({"push":{"disconnect":{"code":3001,"reason":"shutdown"}}})"));
  EXPECT_EQ(disconnect(client), 3001);
}

TEST_F(EmulatedTest, AlsoWhatIsNoCommandIsAnsweredByAPush) {
  for (const auto* frame : {"{", "", R"({"id":1})"})
    EXPECT_THAT(ask(open_stream(), frame),
                ElementsAre(R"({"push":{"disconnect":{"code":3501,"reason":"bad request"}}})"));
  FakeClient& stale = open_stream();
  world.advance(seconds(11));
  EXPECT_THAT(take(stale),
              ElementsAre(R"({"push":{"disconnect":{"code":3502,"reason":"stale"}}})"));
}

TEST_F(EmulatedTest, TheBackendsDisconnectIsPushedToo) {
  FakeClient& client = open_stream();
  ask(client, R"({"id":1,"connect":{}})");
  hub::Control control;
  control.session = "the-key";
  control.code = 4501;
  control.reason = "go";
  world.control(std::move(control));
  EXPECT_THAT(take(client), ElementsAre(R"({"push":{"disconnect":{"code":4501,"reason":"go"}}})"));
}

TEST_F(EmulatedTest, AWebSocketIsToldByItsCloseFrame) {
  FakeClient& client = connect();
  world.table().end_all(session::EndReason::kShutdown);
  EXPECT_THAT(take(client), ElementsAre());
  EXPECT_EQ(disconnect(client), 3001);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
