// Frames at random, from a printed seed: whatever comes, the session ends in order or goes on.
#include <random>

#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

constexpr std::string_view kFrames[] = {
    R"({"id":1,"connect":{"name":"js"}})",
    R"({"id":2,"subscribe":{"channel":"a","join_leave":true}})",
    R"({"id":3,"subscribe":{"channel":"a","recover":true,"offset":3,"epoch":"_","flag":3}})",
    R"({"id":3,"subscribe":{"channel":"b","recover":true,"offset":1}})",
    R"({"id":4,"unsubscribe":{"channel":"a"}})",
    R"({"id":5,"publish":{"channel":"a","data":[1,{"x":null}]}})",
    R"({"id":5,"publish":{"channel":"plain","data":"y"}})",
    R"({"id":6,"history":{"channel":"a","limit":-1,"reverse":true}})",
    R"({"id":7,"presence":{"channel":"a"}})",
    R"({"id":8,"presence_stats":{"channel":"b"}})",
    R"({"id":9,"rpc":{"data":1}})",
    R"({"id":9,"sub_refresh":{"channel":"a","token":"t"}})",
    R"({"send":{"data":1}})",
    "{}",
};

class GarbageTest : public CentrifugeTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  GarbageTest() { protobuf = GetParam() % 2 == 0; }

  std::mt19937 random{GetParam()};
  size_t below(size_t n) { return random() % n; }

  std::string frame_for(const FakeClient& client) {
    std::string frame;
    for (size_t i = 0; i <= below(3); ++i)
      frame += std::string(kFrames[below(std::size(kFrames))]) + "\n";
    frame = encoded(client, frame);
    const bool damaged = below(4) == 0;
    for (size_t i = below(4) + 1; damaged && i > 0; --i)
      frame[below(frame.size())] = static_cast<char>(random());
    return frame;
  }
};

TEST_P(GarbageTest, NeverBreaksTheServer) {
  for (int i = 0; i < 20; ++i) {
    FakeClient& client = below(4) == 0 ? open() : connect();
    for (int n = 0; n < 30 && !client.ended(); ++n) {
      client.send(frame_for(client),
                  below(8) == 0 ? session::MessageType::kBinary : session::MessageType::kText);
      if (below(2) == 0) world.run();
      if (below(5) == 0) publish("a", n, n);
      if (below(9) == 0) world.advance(seconds(1));
    }
    if (below(2) == 0) client.leave();
    world.run();
    if (client.ended()) {
      EXPECT_GE(client.end_seen()->code.code, 3000);
    }
  }
  FakeClient& witness = connect();
  EXPECT_THAT(ask(witness, R"({"id":2,"subscribe":{"channel":"after"}})"), ::testing::SizeIs(1));
  world.table().end_all(session::EndReason::kShutdown);
  world.run();
  EXPECT_EQ(world.table().size(), 0u);
  EXPECT_TRUE(world.subscribers().empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, GarbageTest, ::testing::Range(1u, 41u));

}  // namespace
}  // namespace parley::adapter::centrifuge
