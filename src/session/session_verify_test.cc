// Tokens: how a session has them verified, and publications that are held back meanwhile.
#include "tests/support/session_fixture.h"

namespace parley::testing {
namespace {

using auth::TokenUse;
using Log = std::vector<std::string>;

class SessionVerifyTest : public SessionFixture {
 protected:
  explicit SessionVerifyTest(const session::SessionLimits& limits = {}) : SessionFixture(limits) {
    world_.tokens().connect_token("good", "42");
  }
  void verify(FakeClient& client, Script& script, hub::StepId step, const std::string& token) {
    act(client, script, [&](Effects& effects) { effects.verify(step, TokenUse::kConnect, token); });
  }
  void verify(FakeClient& client, hub::StepId step, const std::string& token) {
    verify(client, script_, step, token);
  }
};

TEST_F(SessionVerifyTest, TheAnswerIsALaterInput) {
  FakeClient& client = open();
  std::string user;
  script_.verified = [&](hub::StepId, const auth::TokenResult& result, Effects&) {
    if (result) user = result->user;
  };
  act(client, [&](Effects& effects) {
    effects.verify(1, TokenUse::kConnect, "good");
    effects.verify(2, TokenUse::kConnect, "bad");
    script_.log.push_back("handler ends");
  });
  EXPECT_EQ(script_.log, (Log{"open", "handler ends", "verified 1", "unverified 2"}));
  EXPECT_EQ(user, "42");
}

TEST_F(SessionVerifyTest, AnAnswerMayAskAgain) {
  FakeClient& client = open();
  script_.verified = [&](hub::StepId step, const auth::TokenResult&, Effects& effects) {
    if (step < 3) effects.verify(step + 1, TokenUse::kConnect, "good");
    script_.log.push_back("told");
  };
  verify(client, 1, "good");
  EXPECT_EQ(script_.log,
            (Log{"open", "verified 1", "told", "verified 2", "told", "verified 3", "told"}));
}

TEST_F(SessionVerifyTest, TheAnswerMayComeLater) {
  world_.tokens().slow = true;
  FakeClient& client = open();
  verify(client, 5, "good");
  world_.run();
  EXPECT_EQ(script_.log, Log{"open"});
  world_.tokens().answer_all();
  EXPECT_EQ(script_.log, (Log{"open", "verified 5"}));
}

TEST_F(SessionVerifyTest, AnAskerThatHasGoneIsNotTold) {
  world_.tokens().slow = true;
  FakeClient& gone = open();
  verify(gone, 1, "good");
  gone.leave();
  world_.run();
  // Another session has its place now.
  Script& other = new_script();
  open(other);
  Script& ended = new_script();
  FakeClient& ending = open(ended);
  verify(ending, ended, 2, "good");
  act(ending, ended, [](Effects& effects) { effects.end(session::EndReason::kBadRequest); });
  world_.tokens().answer_all();
  EXPECT_EQ(script_.log, (Log{"open", "end transport_lost"}));
  EXPECT_EQ(other.log, Log{"open"});
  EXPECT_EQ(ended.log, (Log{"open", "end bad_request"}));
}

TEST_F(SessionVerifyTest, AnAskerIsThereUntilItsEnd) {
  world_.tokens().slow = true;
  FakeClient& client = open();
  verify(client, 1, "good");
  verify(client, 2, "good");
  FakeClient& leaving = open(new_script());
  verify(leaving, *scripts_.back(), 3, "good");
  const auth::Asker& first = world_.tokens().asker(0);
  const auth::Asker& other = world_.tokens().asker(2);
  EXPECT_EQ(first, world_.tokens().asker(1));
  EXPECT_NE(first, other);
  EXPECT_FALSE(first.gone() || other.gone());
  leaving.leave();
  world_.run();
  // Another session has its place now.
  open(new_script());
  EXPECT_TRUE(other.gone());
  EXPECT_FALSE(first.gone());
  act(client, [](Effects& effects) { effects.end(session::EndReason::kBadRequest); });
  EXPECT_TRUE(first.gone());
}

TEST_F(SessionVerifyTest, NothingFollowsAnEndInAnAnswer) {
  FakeClient& client = open();
  script_.verified = [](hub::StepId, const auth::TokenResult&, Effects& effects) {
    effects.end(session::EndReason::kUnauthorized);
  };
  act(client, [](Effects& effects) {
    effects.verify(1, TokenUse::kConnect, "bad");
    effects.verify(2, TokenUse::kConnect, "bad");
  });
  EXPECT_EQ(script_.log, (Log{"open", "unverified 1", "end unauthorized"}));
}

class FewPendingTest : public SessionVerifyTest {
 protected:
  FewPendingTest() : SessionVerifyTest({.pending_commands = 4}) {}
};

TEST_F(FewPendingTest, VerificationsCountAsPending) {
  world_.tokens().slow = true;
  FakeClient& client = open();
  for (hub::StepId step = 1; step < 4; ++step) verify(client, step, "good");
  EXPECT_FALSE(client.input_paused());
  verify(client, 4, "good");
  EXPECT_TRUE(client.input_paused());
  world_.tokens().answer_all();
  EXPECT_FALSE(client.input_paused());
}

TEST_F(SessionVerifyTest, HeldPublicationsWaitForTheReply) {
  FakeClient& client = open();
  subscribe(client, "news");
  act(client, [](Effects& effects) { effects.hold_publications(true); });
  publish("news", "1");
  world_.run();
  EXPECT_TRUE(texts(client).empty());
  world_.advance(seconds(60));
  EXPECT_FALSE(client.ended()) << "the peer is not the one who is slow";
  act(client, [](Effects& effects) { effects.send("control"); });
  world_.run();
  EXPECT_EQ(texts(client), Log{"control"});
  act(client, [](Effects& effects) {
    effects.send("reply");
    effects.hold_publications(false);
  });
  world_.run();
  EXPECT_EQ(texts(client), (Log{"reply", "news:1:1"}));
}

}  // namespace
}  // namespace parley::testing
