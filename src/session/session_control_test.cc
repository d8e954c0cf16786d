// What the backend wants of sessions: who is addressed, and what happens to them.
#include <gtest/gtest.h>

#include "base/metrics.h"
#include "tests/support/session_fixture.h"

namespace parley::session {
namespace {

using hub::Control;
using testing::FakeClient;
using testing::Script;

class SessionControlTest : public testing::SessionFixture {
 protected:
  struct Known {
    Script& script;
    FakeClient& client;
  };
  Known connect(std::string_view user, std::string_view client, std::string_view session = {}) {
    Script& script = new_script();
    script.identity = {user, std::string(client), session};
    script.open = [](Effects& effects) { effects.identify(); };
    return {script, open(script)};
  }
  static Control addressing(std::string user, Control::Kind kind = Control::Kind::kUnsubscribe) {
    Control control;
    control.kind = kind;
    control.user = std::move(user);
    return control;
  }
  bool send(Control control) {
    const hub::Answer answer = world_.control(std::move(control));
    return answer && std::holds_alternative<hub::Controlled>(*answer);
  }
  // How often it was controlled since the last call.
  static size_t controls(Known& known) {
    return static_cast<size_t>(std::erase(known.script.log, "control"));
  }
};

TEST_F(SessionControlTest, ReachesAllSessionsOfAUserAndNobodyElse) {
  Known one = connect("ann", "c1"), two = connect("ann", "c2"), other = connect("bob", "c3"),
        stranger = connect("", "c4");
  EXPECT_TRUE(send(addressing("ann")));
  EXPECT_EQ(controls(one), 1u);
  EXPECT_EQ(controls(two), 1u);
  EXPECT_EQ(controls(other) + controls(stranger), 0u);
}

TEST_F(SessionControlTest, AnEmptyUserIsTheAnonymousOne) {
  Known named = connect("ann", "c1"), one = connect("", "c2"), two = connect("", "c3");
  Script& silent = new_script();
  open(silent);  // nobody knows yet whose it is
  EXPECT_TRUE(send(addressing("")));
  EXPECT_EQ(controls(named), 0u);
  EXPECT_EQ(controls(one), 1u);
  EXPECT_EQ(controls(two), 1u);
  EXPECT_EQ(silent.log, std::vector<std::string>{"open"});
}

TEST_F(SessionControlTest, ClientAndSessionNarrowItDown) {
  Known one = connect("ann", "c1", "s1"), two = connect("ann", "c2", "s2"),
        other = connect("bob", "c1", "s1");
  Control control = addressing("ann");
  control.client = "c1";
  send(control);
  EXPECT_EQ(controls(one), 1u);
  control.session = "s2";  // both must fit
  send(control);
  control.client = "";
  send(control);
  EXPECT_EQ(controls(one), 0u);
  EXPECT_EQ(controls(two), 1u);
  EXPECT_EQ(controls(other), 0u);
}

TEST_F(SessionControlTest, DisconnectGivesCodeAndWords) {
  Known one = connect("ann", "c1"), kept = connect("ann", "c2"), other = connect("bob", "c3");
  Control control = addressing("ann", Control::Kind::kDisconnect);
  control.code = 4321;
  control.reason = "not paid";
  control.whitelist = {"c2"};
  EXPECT_TRUE(send(control));
  ASSERT_TRUE(one.client.ended());
  EXPECT_EQ(one.client.end_seen()->reason, EndReason::kDisconnected);
  EXPECT_EQ(one.client.end_seen()->code.code, 4321);
  EXPECT_EQ(one.client.end_seen()->code.text, "not paid");
  EXPECT_FALSE(kept.client.ended());
  EXPECT_FALSE(other.client.ended());
  EXPECT_EQ(one.script.log.back(), "end disconnected");
}

TEST_F(SessionControlTest, WhoLeftIsNotFound) {
  std::vector<Known> all;
  for (int i = 0; i < 5; ++i) all.push_back(connect("ann", "c"));
  all[1].client.leave();
  all[4].client.leave();
  world_.run();
  EXPECT_TRUE(send(addressing("ann")));
  for (size_t i : {0u, 2u, 3u}) EXPECT_EQ(controls(all[i]), 1u) << i;
  for (size_t i : {0u, 3u, 2u}) all[i].client.leave();
  world_.run();
  EXPECT_EQ(world_.table().users(), 0u);
  EXPECT_TRUE(send(addressing("ann")));
  EXPECT_TRUE(send(addressing("")));
}

TEST_F(SessionControlTest, CountsUsers) {
  const auto node_wide = [before = metrics::total("parley_users"), this] {
    world_.run();
    return metrics::total("parley_users") - before;
  };
  EXPECT_EQ(world_.table().users(), 0u);
  connect("ann", "c1");
  connect("ann", "c2");
  Known bob = connect("bob", "c3");
  EXPECT_EQ(world_.table().users(), 2u);
  connect("", "c4");
  connect("", "c5");
  EXPECT_EQ(world_.table().users(), 3u);
  EXPECT_EQ(node_wide(), 2);
  bob.client.leave();
  EXPECT_EQ(node_wide(), 1);
}

// More than a turn may handle: all who were there are reached once, nobody who comes meanwhile.
TEST_F(SessionControlTest, AControlOfManySessionsTakesTurns) {
  for (const std::string_view user : {"ann", ""}) {
    SCOPED_TRACE(user);
    constexpr size_t kMany = 2'500;
    std::vector<Known> all;
    for (size_t i = 0; i < kMany; ++i) all.push_back(connect(user, "c"));
    world_.run();
    bool opened = false;
    std::vector<Known> late;
    all.front().script.control = [&](const Control&, Effects&) { opened = true; };
    struct Asker final : hub::Requester {
      bool answered = false;
      void on_answer(hub::StepId, hub::Answer) override { answered = true; }
    } asker;
    const auto id = world_.hub().add(asker);
    world_.hub().control(id, 1, std::make_shared<const Control>(addressing(std::string(user))));
    int turns = 0;
    while (!asker.answered) {
      world_.hub().turn(world_.now());
      ++turns;
      if (opened && late.empty()) {
        EXPECT_FALSE(asker.answered);
        late.push_back(connect(user, "late"));
        all[kMany - 1].client.leave();  // its place in the list and the table go to others
        all[0].client.leave();
        late.push_back(connect(user, "later"));
      }
    }
    EXPECT_GE(turns, 3);
    world_.hub().remove(id);
    for (size_t i = 1; i + 1 < kMany; ++i) ASSERT_EQ(controls(all[i]), 1u) << i;
    EXPECT_LE(controls(all[kMany - 1]), 1u);
    for (Known& known : late) EXPECT_EQ(controls(known), 0u);
    for (Known& known : all) known.client.leave();
    for (Known& known : late) known.client.leave();
    world_.run();
  }
}

TEST_F(SessionControlTest, ANewerSessionSupersedesThoseOfItsUser) {
  const auto only = [this](std::string_view user, std::string_view client) {
    Script& script = new_script();
    script.identity = {user, std::string(client), {}};
    script.open = [](Effects& effects) {
      effects.identify();
      effects.supersede();
    };
    return Known{script, open(script)};
  };
  Known claimless = connect("ann", "c1"), other = connect("bob", "c2"), stranger = connect("", "");
  std::vector<Known> all;
  for (int i = 0; i < 5; ++i) all.push_back(only("ann", "c"));
  Known bobs = only("bob", "c3");
  world_.run();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(all[i].client.ended()) << i;
    EXPECT_EQ(all[i].client.end_seen()->reason, EndReason::kSuperseded);
  }
  EXPECT_FALSE(all[4].client.ended());
  EXPECT_TRUE(claimless.client.ended());
  EXPECT_TRUE(other.client.ended());
  EXPECT_FALSE(bobs.client.ended());
  EXPECT_FALSE(stranger.client.ended());
  Known newest = only("ann", "c");
  world_.run();
  EXPECT_TRUE(all[4].client.ended());
  EXPECT_FALSE(newest.client.ended());
  EXPECT_EQ(controls(newest), 0u);
}

// Who a session is may be known long after it was opened: it is not newer for that.
TEST_F(SessionControlTest, AnOlderSessionThatIsIdentifiedLateGivesWay) {
  const auto slow = [this](std::string_view user) {
    Script& script = new_script();
    script.identity = {user, "c", {}};
    script.message = [](ByteView, Effects& effects) {
      effects.identify();
      effects.supersede();
    };
    return Known{script, open(script)};
  };
  Known older = slow("ann"), newer = slow("ann"), other = slow("bob");
  world_.run();
  newer.client.send("it is me");
  other.client.send("it is me");
  world_.run();
  Known unranked = connect("ann", "plain");  // newer still, but content with others
  older.client.send("it is me");
  world_.run();
  ASSERT_TRUE(older.client.ended());
  EXPECT_EQ(older.client.end_seen()->reason, EndReason::kSuperseded);
  EXPECT_FALSE(newer.client.ended());
  EXPECT_FALSE(other.client.ended());
  EXPECT_FALSE(unranked.client.ended());
}

TEST_F(SessionControlTest, WhoEndsItselfDoesNotHideOthers) {
  Known one = connect("ann", "c1"), two = connect("ann", "c2"), three = connect("ann", "c3");
  one.script.control = [&](const Control&, Effects& effects) { effects.end(EndReason::kSlow); };
  EXPECT_TRUE(send(addressing("ann")));
  EXPECT_TRUE(one.client.ended());
  EXPECT_EQ(controls(two), 1u);
  EXPECT_EQ(controls(three), 1u);
}

}  // namespace
}  // namespace parley::session
