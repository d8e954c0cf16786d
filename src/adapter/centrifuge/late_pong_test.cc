// Pongs that come late because we did not read.
#include <algorithm>

#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

class PausedClientTest : public CentrifugeTest {
 protected:
  PausedClientTest() : CentrifugeTest({}, {.pending_commands = 1}) {}
};

// Found by the simulated contract: a client whose input had been paused over two pings was ended
// with 3501, which tells an SDK never to come back.
TEST_F(PausedClientTest, AnswersEachPingOfAPauseLater) {
  world.tokens().subscribe_token("good", "$p");
  FakeClient& client = connect();
  world.tokens().slow = true;
  client.send(R"({"id":2,"subscribe":{"channel":"$p","token":"good"}})");
  world.run();
  ASSERT_TRUE(client.input_paused());
  int pings = 0;
  while (pings < 2) {
    world.advance(seconds(1));
    pings += static_cast<int>(std::ranges::count(take(client), "{}"));
    ASSERT_FALSE(client.ended());
  }
  world.tokens().answer_all();
  world.run();
  ASSERT_FALSE(client.input_paused());
  EXPECT_EQ(disconnect(client, "{}"), 0);
  EXPECT_EQ(disconnect(client, "{}"), 0);
  EXPECT_EQ(disconnect(client, "{}"), 3501) << "still one pong for each ping";
}

TEST_F(PausedClientTest, MustAnswerTheLastPingTooWhenItIsReadAgain) {
  world.tokens().subscribe_token("good", "$p");
  FakeClient& client = connect();
  world.tokens().slow = true;
  client.send(R"({"id":2,"subscribe":{"channel":"$p","token":"good"}})");
  for (int pings = 0; pings < 2;) {
    world.advance(seconds(1));
    pings += static_cast<int>(std::ranges::count(take(client), "{}"));
  }
  world.tokens().answer_all();
  world.run();
  EXPECT_EQ(disconnect(client, "{}"), 0);
  world.advance(seconds(9));
  EXPECT_EQ(disconnect(client), 3012);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
