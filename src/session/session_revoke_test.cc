// Tokens and users that are taken back: who ends, what is left, and who slips through (nobody).
#include <map>

#include <gtest/gtest.h>

#include "tests/support/metric_delta.h"
#include "tests/support/session_fixture.h"

namespace parley::session {
namespace {

using hub::Control;
using testing::FakeClient;
using testing::Script;

class RevokeTest : public testing::SessionFixture {
 protected:
  struct Known {
    Script& script;
    FakeClient& client;
  };
  // Shows its token, and identifies itself when that is good.
  Known connect(std::string_view user, const std::string& token) {
    Script& script = new_script();
    script.identity = {.user = user, .client = token, .session = {}};
    script.open = [token](Effects& effects) { effects.verify(1, auth::TokenUse::kConnect, token); };
    script.verified = [](hub::StepId, const auth::TokenResult& result, Effects& effects) {
      if (!result) return effects.end(EndReason::kUnauthorized);
      effects.identify();
      effects.send("welcome");
    };
    FakeClient& client = open(script);
    world_.run();
    return {script, client};
  }
  void add_token(const std::string& token, const std::string& user, int64_t issued_at = 0) {
    world_.tokens().connect_token(token, user).id = {.uid = token, .issued_at = issued_at};
  }
  // Subscribes by a token of that id.
  void subscribe_by(Known& known, const std::string& channel, const std::string& token,
                    int64_t issued_at = 0) {
    world_.tokens().subscribe_token(token, channel, std::string(known.script.identity.user)).id = {
        .uid = token, .issued_at = issued_at};
    known.script.verified = [this, channel](hub::StepId, const auth::TokenResult&, Effects& e) {
      handles_[channel] = e.subscribe({channel}, {});
    };
    act(known.client, known.script,
        [&](Effects& effects) { effects.verify(2, auth::TokenUse::kSubscribe, token); });
    world_.run();
  }
  // Shows a token of that id for a subscription that is there; the adapter takes it or not.
  void renew_by(Known& known, const std::string& channel, const std::string& token, bool taken) {
    world_.tokens().subscribe_token(token, channel, std::string(known.script.identity.user)).id = {
        .uid = token, .issued_at = 0};
    known.script.verified = [this, channel, taken](hub::StepId, const auth::TokenResult&,
                                                   Effects& e) {
      if (taken) e.renew(handles_[channel]);
    };
    act(known.client, known.script,
        [&](Effects& effects) { effects.verify(3, auth::TokenUse::kSubscribe, token); });
    world_.run();
  }
  hub::Answer block(const std::string& user) {
    Control control{.kind = Control::Kind::kBlock};
    control.user = user;
    return world_.control(std::move(control));
  }
  void revoke(const std::string& token) {
    Control control{.kind = Control::Kind::kRevoke};
    control.token = token;
    EXPECT_TRUE(world_.control(std::move(control)).has_value());
  }
  void invalidate(const std::string& user, int64_t before, const std::string& channel = {}) {
    Control control{.kind = Control::Kind::kInvalidate};
    control.user = user;
    control.issued_before = before;
    control.channel = channel;
    EXPECT_TRUE(world_.control(std::move(control)).has_value());
  }
  static void ask_to_publish(Effects& effects, hub::StepId step, const std::string& channel) {
    hub::PublishRecord record{.channel = {channel}};
    record.publication = std::make_unique<hub::Publication>();
    record.publication->data = "17";
    effects.publish(step, std::move(record));
  }
  static std::optional<EndReason> end_of(const Known& known) {
    if (!known.client.ended()) return std::nullopt;
    return known.client.end_seen()->reason;
  }
  // From now on `off_` says which channels are taken off the session.
  void note_off(Known& known) {
    known.script.control = [this](const Control& control, Effects& effects) {
      EXPECT_EQ(control.kind, Control::Kind::kUnsubscribe);
      off_.push_back(control.channel);
      effects.unsubscribe(handles_[control.channel]);
    };
  }
  std::vector<std::string> off_;
  std::map<std::string, Handle> handles_;
};

TEST_F(RevokeTest, ABlockedUserIsEndedAndComesBackWhenUnblocked) {
  add_token("a1", "ann");
  add_token("b1", "bob");
  Known ann = connect("ann", "a1"), bob = connect("bob", "b1");
  EXPECT_TRUE(block("ann").has_value());
  EXPECT_EQ(end_of(ann), EndReason::kBlocked);
  EXPECT_EQ(end_of(bob), std::nullopt);
  Known again = connect("ann", "a1");
  EXPECT_EQ(end_of(again), EndReason::kUnauthorized);  // the adapter was told that it is blocked
  Control unblock{.kind = Control::Kind::kUnblock};
  unblock.user = "ann";
  EXPECT_TRUE(world_.control(std::move(unblock)).has_value());
  Known third = connect("ann", "a1");
  EXPECT_EQ(end_of(third), std::nullopt);
}

TEST_F(RevokeTest, ABlockedUserWithoutATokenIsNotLetIn) {
  block("ann");
  Script& script = new_script();
  script.identity = {.user = "ann", .client = "c", .session = {}};
  script.open = [](Effects& effects) {
    effects.identify();
    effects.send("welcome");
  };
  FakeClient& client = open(script);
  world_.run();
  EXPECT_EQ(client.end_seen()->reason, EndReason::kBlocked);
  EXPECT_EQ(client.take_text(), "");
}

TEST_F(RevokeTest, ARevokedTokenEndsItsSessionsAndNoOther) {
  add_token("a1", "ann");
  add_token("a2", "ann");
  Known one = connect("ann", "a1"), same = connect("ann", "a1"), other = connect("ann", "a2");
  revoke("a1");
  EXPECT_EQ(end_of(one), EndReason::kRevoked);
  EXPECT_EQ(end_of(same), EndReason::kRevoked);
  EXPECT_EQ(end_of(other), std::nullopt);
  EXPECT_EQ(end_of(connect("ann", "a1")), EndReason::kUnauthorized);
  EXPECT_EQ(end_of(connect("ann", "a2")), std::nullopt);
}

TEST_F(RevokeTest, TokensOfAnonymousUsersCanBeRevokedToo) {
  add_token("t", "");
  Known one = connect("", "t");
  revoke("t");
  EXPECT_EQ(end_of(one), EndReason::kRevoked);
}

TEST_F(RevokeTest, OlderTokensOfAUserAreInvalidated) {
  add_token("old", "ann", 100);
  add_token("new", "ann", 200);
  add_token("bobs", "bob", 100);
  Known old = connect("ann", "old"), fresh = connect("ann", "new"), bob = connect("bob", "bobs");
  invalidate("ann", 200);
  EXPECT_EQ(end_of(old), EndReason::kRevoked);
  EXPECT_EQ(end_of(fresh), std::nullopt);
  EXPECT_EQ(end_of(bob), std::nullopt);
}

TEST_F(RevokeTest, ATokenThatSaysNothingOfItselfIsOlder) {
  world_.tokens().connect_token("plain", "ann");
  Known plain = connect("ann", "plain");
  Script& script = new_script();
  script.identity = {.user = "ann", .client = "c", .session = {}};
  script.open = [](Effects& effects) { effects.identify(); };
  Known without{script, open(script)};
  invalidate("ann", 1);
  EXPECT_EQ(end_of(plain), EndReason::kRevoked);
  EXPECT_EQ(end_of(without), std::nullopt);  // it came by no token
}

// Verified before, identified after: the session is in nobody's list when the control goes by.
TEST_F(RevokeTest, NobodySlipsThroughBetweenTokenAndIdentity) {
  add_token("a1", "ann", 100);
  for (const int how : {0, 1, 2}) {
    Script& script = new_script();
    script.identity = {.user = "ann", .client = "c", .session = {}};
    script.open = [](Effects& effects) { effects.verify(1, auth::TokenUse::kConnect, "a1"); };
    FakeClient& client = open(script);
    world_.run();
    EXPECT_EQ(script.log.back(), "verified 1");
    if (how == 0) revoke("a1");
    if (how == 1) invalidate("ann", 101);
    if (how == 2) block("ann");
    EXPECT_FALSE(client.ended());
    act(client, script, [](Effects& effects) {
      effects.identify();
      effects.send("welcome");
    });
    world_.run();
    ASSERT_TRUE(client.ended()) << how;
    EXPECT_EQ(client.end_seen()->reason, how == 2 ? EndReason::kBlocked : EndReason::kRevoked);
    EXPECT_EQ(client.take_text(), "");
    // The next way is tried alone.
    world_.revocations() = auth::Revocations();
  }
}

// Its keys had to be fetched, and it was revoked meanwhile.
TEST_F(RevokeTest, ALateVerificationIsJudgedWhenItComes) {
  add_token("a1", "ann");
  world_.tokens().slow = true;
  Known ann = connect("ann", "a1");
  revoke("a1");
  world_.tokens().answer_all();
  world_.run();
  EXPECT_EQ(end_of(ann), EndReason::kUnauthorized);
}

TEST_F(RevokeTest, ARefreshedSessionLivesByItsNewToken) {
  add_token("a1", "ann");
  add_token("a2", "ann");
  Known ann = connect("ann", "a1");
  ann.script.verified = {};
  act(ann.client, ann.script,
      [](Effects& effects) { effects.verify(3, auth::TokenUse::kConnect, "a2"); });
  world_.run();
  revoke("a1");
  EXPECT_EQ(end_of(ann), std::nullopt);
  revoke("a2");
  EXPECT_EQ(end_of(ann), EndReason::kRevoked);
}

TEST_F(RevokeTest, SubscriptionsByARevokedTokenEndAndTheSessionStays) {
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  subscribe_by(ann, "one", "s1");
  subscribe_by(ann, "two", "s2");
  subscribe(ann.client, ann.script, "free");
  world_.run();
  note_off(ann);
  revoke("s1");
  EXPECT_EQ(off_, std::vector<std::string>{"one"});
  EXPECT_EQ(end_of(ann), std::nullopt);
  invalidate("ann", 1'000, "two");
  EXPECT_EQ(off_.back(), "two");
  EXPECT_EQ(off_.size(), 2u);
}

TEST_F(RevokeTest, ASubscriptionThatWasLeftIsForgotten) {
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  subscribe_by(ann, "one", "s1");
  act(ann.client, ann.script, [&](Effects& effects) { effects.unsubscribe(handles_["one"]); });
  note_off(ann);
  revoke("s1");
  EXPECT_TRUE(off_.empty());
}

// It lived by no token until a refresh showed one.
TEST_F(RevokeTest, ATokenThatOnlyRenewedCanBeRevoked) {
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  handles_["free"] = subscribe(ann.client, ann.script, "free");
  world_.run();
  renew_by(ann, "free", "s1", true);
  note_off(ann);
  revoke("s1");
  EXPECT_EQ(off_, std::vector<std::string>{"free"});
}

TEST_F(RevokeTest, ARenewedSubscriptionLivesByItsNewToken) {
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  subscribe_by(ann, "one", "s1");
  renew_by(ann, "one", "s2", true);
  note_off(ann);
  revoke("s1");
  EXPECT_TRUE(off_.empty());
  revoke("s2");
  EXPECT_EQ(off_, std::vector<std::string>{"one"});
}

// A good token, but not for this subscription, as the adapter finds.
TEST_F(RevokeTest, ATokenThatTheAdapterRefusesChangesNothing) {
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  subscribe_by(ann, "one", "s1");
  renew_by(ann, "one", "bobs", false);
  note_off(ann);
  revoke("bobs");
  EXPECT_TRUE(off_.empty());
  revoke("s1");
  EXPECT_EQ(off_, std::vector<std::string>{"one"});
}

TEST_F(RevokeTest, WhatIsForgottenIsGoodAgain) {
  add_token("a1", "ann");
  Control control{.kind = Control::Kind::kRevoke};
  control.token = "a1";
  control.expire_at = 5;
  EXPECT_TRUE(world_.control(std::move(control)).has_value());
  EXPECT_EQ(end_of(connect("ann", "a1")), EndReason::kUnauthorized);
  world_.revocations().expire(5);
  EXPECT_EQ(end_of(connect("ann", "a1")), std::nullopt);
}

TEST_F(RevokeTest, AboveTheLimitNothingIsDone) {
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  world_.revocations() = auth::Revocations(1);
  EXPECT_TRUE(block("bob").has_value());
  const hub::Answer answer = block("ann");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error(), hub::HubError::kOverloaded);
  EXPECT_EQ(end_of(ann), std::nullopt);
  EXPECT_TRUE(block("bob").has_value());
}

TEST_F(RevokeTest, ListsWhoIsThere) {
  add_token("a1", "ann", 100);
  world_.tokens().connect_token("a1", "ann").meta = R"({"m":1})";
  add_token("b1", "bob");
  Known ann = connect("ann", "a1");
  connect("bob", "b1");
  subscribe_by(ann, "one", "s1", 7);
  Control control{.kind = Control::Kind::kList};
  control.most = 10;
  const auto list = [&] {
    const hub::Answer answer = world_.control(control);
    return std::get<hub::Controlled>(*answer);
  };
  EXPECT_EQ(list().connections.size(), 2u);
  EXPECT_FALSE(list().cut);
  control.user = "ann";
  const hub::Controlled found = list();
  ASSERT_EQ(found.connections.size(), 1u);
  const hub::ConnectionFacts& facts = found.connections[0];
  EXPECT_EQ(facts.client, "a1");
  EXPECT_EQ(facts.transport, "fake");
  EXPECT_EQ(facts.protocol, "scripted");
  EXPECT_EQ(facts.channels, std::vector<std::string>{"one"});
  EXPECT_EQ(facts.token.uid, "a1");
  EXPECT_EQ(facts.token.issued_at, 100);
  EXPECT_EQ(facts.subscription_tokens.at(0).second.issued_at, 7);
  EXPECT_EQ(facts.meta, R"({"m":1})");
  control.user = "";
  control.most = 1;
  EXPECT_TRUE(list().cut);
  EXPECT_EQ(list().connections.size(), 1u);
  control.client = "b1";
  EXPECT_EQ(list().connections.at(0).user, "bob");
  EXPECT_FALSE(list().cut);
}

// It was asked for in time, but has not happened yet.
TEST_F(RevokeTest, APublishThatWaitsIsNotDoneAnyMore) {
  add_token("a1", "ann");
  add_token("b1", "bob");
  Known ann = connect("ann", "a1"), bob = connect("bob", "b1");
  world_.hub().brake(hub::PublishBrake::Step::kSlow);
  for (Known* one : {&ann, &bob})
    act(one->client, one->script, [](Effects& effects) { ask_to_publish(effects, 7, "news"); });
  block("ann");
  EXPECT_EQ(end_of(ann), EndReason::kBlocked);
  world_.hub().brake(hub::PublishBrake::Step::kOff);
  world_.run();
  const auto page = *world_.history("news", {.limit = 10});
  EXPECT_EQ(std::get<hub::ReadPage>(page).top, 1u);
}

// What was taken back is known at once; the sessions are gone through after that.
TEST_F(RevokeTest, NorOfOneThatGoesBeforeItIsReached) {
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  world_.hub().brake(hub::PublishBrake::Step::kSlow);
  act(ann.client, ann.script, [](Effects& effects) { ask_to_publish(effects, 7, "news"); });
  world_.revocations().remember({.kind = auth::Revocation::Kind::kBlock, .subject = "ann"});
  ann.client.leave();
  world_.hub().brake(hub::PublishBrake::Step::kOff);
  world_.run();
  const auto page = *world_.history("news", {.limit = 10});
  EXPECT_EQ(std::get<hub::ReadPage>(page).top, 0u);
}

// By the subscription alone it may have been allowed to.
TEST_F(RevokeTest, NorIsOneToAChannelWhoseSubscriptionEnds) {
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  subscribe_by(ann, "one", "s1");
  note_off(ann);
  std::vector<std::string> answers;
  ann.script.answer = [&](hub::StepId step, const hub::Answer& answer, Effects&) {
    answers.push_back(std::to_string(step) + (answer ? "+" : "-"));
  };
  world_.hub().brake(hub::PublishBrake::Step::kSlow);
  act(ann.client, ann.script, [](Effects& effects) {
    ask_to_publish(effects, 1, "one");
    ask_to_publish(effects, 2, "two");
  });
  revoke("s1");
  EXPECT_EQ(answers, std::vector<std::string>{"1-"});
  world_.hub().brake(hub::PublishBrake::Step::kOff);
  world_.run();
  EXPECT_EQ(answers.back(), "2+");
}

// Whoever guesses; a revoked one is none of these.
TEST_F(RevokeTest, TheThirdForgedTokenEndsTheSession) {
  const testing::MetricDelta ended(R"(parley_session_limits_total{limit="bad_tokens"})");
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  ann.script.verified = [](hub::StepId, const auth::TokenResult&, Effects&) {};
  const auto show = [&](const std::string& token) {
    act(ann.client, ann.script,
        [&](Effects& effects) { effects.verify(2, auth::TokenUse::kSubscribe, token); });
    world_.run();
  };
  show("forged");
  world_.tokens().bad["taken back"] = auth::TokenError::kRevoked;
  world_.tokens().bad["late"] = auth::TokenError::kExpired;
  world_.tokens().bad["of a new key"] = auth::TokenError::kUnknownKey;
  for (int i = 0; i < 3; ++i) {
    show("taken back");
    show("late");
    show("of a new key");
  }
  show("forged");
  EXPECT_EQ(end_of(ann), std::nullopt);
  show("forged");
  EXPECT_EQ(end_of(ann), EndReason::kUnauthorized);
  EXPECT_EQ(ended(), 1);
}

// 230 of them fit one frame.
TEST_F(RevokeTest, OfManyForgedTokensInOneMessageThreeAreLookedAt) {
  add_token("a1", "ann");
  Known ann = connect("ann", "a1");
  std::vector<hub::StepId> told;
  ann.script.verified = [&](hub::StepId step, const auth::TokenResult&, Effects&) {
    told.push_back(step);
  };
  const size_t before = world_.tokens().looked_at;
  act(ann.client, ann.script, [&](Effects& effects) {
    for (hub::StepId step = 1; step <= 200; ++step)
      effects.verify(step, auth::TokenUse::kSubscribe, "forged");
  });
  world_.run();
  EXPECT_EQ(world_.tokens().looked_at - before, 3u);
  EXPECT_EQ(told, (std::vector<hub::StepId>{1, 2}));
  EXPECT_EQ(end_of(ann), EndReason::kUnauthorized);
}

}  // namespace
}  // namespace parley::session
