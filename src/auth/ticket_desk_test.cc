#include "auth/ticket_desk.h"

#include <map>
#include <set>

#include <gmock/gmock.h>

#include "auth/ticket_authenticator.h"
#include "tests/support/metric_delta.h"
#include "tests/support/seeded_ids.h"

namespace parley::auth {
namespace {

using parley::testing::MetricDelta;
using ::testing::StartsWith;

// Lines between shards that deliver when the test says so.
struct TicketLines {
  struct End final : TicketPost {
    End(TicketLines& l, ShardId s) : lines(l), self(s) {}
    bool take_credit(ShardId) override { return credits > 0 && credits-- > 0; }
    void send_request(ShardId to, TicketMail mail) override { send(to, std::move(mail)); }
    void send_answer(ShardId to, TicketMail mail) override { send(to, std::move(mail)); }
    void send(ShardId to, TicketMail mail) { lines.queues[{self, to}].push_back(std::move(mail)); }
    TicketLines& lines;
    ShardId self;
    int credits = 2;
  };
  std::map<std::pair<ShardId, ShardId>, std::deque<TicketMail>> queues;
};

// "42", or why not.
std::string outcome_of(const TokenResult& result) {
  if (result) return result->user;
  return result.error() == TokenError::kUnavailable ? "later"
         : result.error() == TokenError::kExpired   ? "expired"
                                                    : "invalid";
}

class TicketDeskTest : public ::testing::Test {
 protected:
  TicketDeskTest() { advance(Duration::zero()); }
  void advance(Duration by) {
    now_.mono += by;
    now_.wall += std::chrono::duration_cast<milliseconds>(by).count();
    for (TicketDesk& desk : desks_) desk.set_now(now_);
  }
  std::string issued(ShardId at, const std::string& order = R"({"user":"42"})") {
    auto ticket = desks_[at].issue(order);
    EXPECT_TRUE(ticket.has_value()) << order;
    return ticket ? ticket->text : "";
  }
  // What comes of it at once; "" when it comes later, to answers_.
  std::string show(ShardId at, const std::string& ticket) {
    auto result = desks_[at].redeem(
        ticket, [this](TokenResult later) { answers_.push_back(outcome_of(later)); });
    return result ? outcome_of(*result) : "";
  }
  bool deliver(ShardId from, ShardId to) {
    auto& queue = lines_.queues[{from, to}];
    if (queue.empty()) return false;
    TicketMail mail = std::move(queue.front());
    queue.pop_front();
    // As in io: an answer brings its credit back before it is looked at.
    if (!mail.wanted) ++ends_[to].credits;
    desks_[to].receive(from, std::move(mail));
    return true;
  }
  void deliver_all() {
    while (deliver(0, 1) || deliver(1, 0)) {
    }
  }

  Now now_{.mono = Time(seconds(1000)), .wall = 1'700'000'000'000};
  parley::testing::SeededIds ids_;
  TicketLines lines_;
  TicketLines::End ends_[2] = {{lines_, 0}, {lines_, 1}};
  TicketDesk desks_[2] = {{0, 2, ends_[0], ids_, {.tickets = 3, .parked = 2}},
                          {1, 2, ends_[1], ids_, {.tickets = 3, .parked = 2}}};
  std::vector<std::string> answers_;
};

TEST_F(TicketDeskTest, ATicketIsUsedOnce) {
  const std::string ticket = issued(0);
  EXPECT_THAT(ticket, StartsWith("pt_"));
  EXPECT_EQ(ticket.size(), 39u);
  const MetricDelta used("parley_tickets_total{event=\"used\"}");
  EXPECT_EQ(show(0, ticket), "42");
  EXPECT_EQ(show(0, ticket), "expired");
  EXPECT_EQ(used(), 1);
  EXPECT_EQ(desks_[0].tickets(), 0u);
}

TEST_F(TicketDeskTest, ItSaysWhatAConnectionTokenWould) {
  auto ticket = desks_[0].issue(
      R"_({"user":"42","info":{"a":1},"meta":{"m":2},"subs":{"news":{"data":1}},"ttl":300,
           "caps":[{"channels":["p_\\d"],"match":"regex","allow":["pub"]}],"expire_at":1800000000})_");
  ASSERT_TRUE(ticket.has_value());
  EXPECT_EQ(ticket->expire_at, 1'700'000'300);
  const auto result = desks_[0].redeem(ticket->text, nullptr);
  ASSERT_TRUE(result && *result);
  const Claims& claims = **result;
  EXPECT_EQ(claims.user, "42");
  EXPECT_EQ(claims.info, R"({"a":1})");
  EXPECT_EQ(claims.meta, R"({"m":2})");
  ASSERT_EQ(claims.subscriptions.size(), 1u);
  EXPECT_EQ(claims.subscriptions[0].channel, "news");
  EXPECT_EQ(claims.expires_at, 1'800'000'000);
  EXPECT_EQ(claims.id.issued_at, 1'700'000'000) << "what invalidate_user_tokens asks";
  EXPECT_TRUE(claims.caps->of("p_1").covers(Verb::kPublish));
  EXPECT_EQ(show(0, issued(0, "{}")), "") << "the anonymous user";
}

TEST_F(TicketDeskTest, ItIsGoodOnEveryShard) {
  const std::string ticket = issued(0);
  EXPECT_EQ(show(1, ticket), "");
  deliver_all();
  EXPECT_THAT(answers_, ::testing::ElementsAre("42"));
  EXPECT_EQ(show(0, ticket), "expired");
  EXPECT_EQ(show(1, ticket), "");
  deliver_all();
  EXPECT_THAT(answers_, ::testing::ElementsAre("42", "expired"));
  EXPECT_EQ(desks_[1].waiting(), 0u);
}

// Whatever the order in which it is shown, asked for and answered.
TEST_F(TicketDeskTest, OfAllWhoShowItAtOnceExactlyOneIsLetIn) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    parley::testing::SeededIds order(seed);
    answers_.clear();
    const auto owner = static_cast<ShardId>(order.next_u64() % 2);
    const std::string ticket = issued(owner);
    int shown = 0, good = 0;
    const auto show_somewhere = [&] {
      ++shown;
      const std::string outcome = show(static_cast<ShardId>(order.next_u64() % 2), ticket);
      if (!outcome.empty()) answers_.push_back(outcome);
    };
    while (shown < 6) switch (order.next_u64() % 3) {
        case 0:
          show_somewhere();
          break;
        case 1:
          deliver(0, 1);
          break;
        default:
          deliver(1, 0);
      }
    deliver_all();
    ASSERT_EQ(answers_.size(), 6u);
    for (const std::string& answer : answers_) good += answer == "42";
    const auto later = std::ranges::count(answers_, "later");
    ASSERT_EQ(good, 1) << "seed " << seed << ", " << later << " were told to come later";
  }
}

TEST_F(TicketDeskTest, ItIsUsedAlsoWhenItsAskerHasGone) {
  const std::string ticket = issued(0);
  bool told = false;
  auto asker = std::make_shared<int>(1);
  desks_[1].redeem(ticket,
                   [&told, asker = std::weak_ptr(asker)](TokenResult) { told = !asker.expired(); });
  asker.reset();
  deliver_all();
  EXPECT_FALSE(told);
  EXPECT_EQ(show(0, ticket), "expired");
}

TEST_F(TicketDeskTest, ItExpires) {
  const std::string brief = issued(0, R"({"user":"42","ttl":1})");
  const std::string usual = issued(0);
  advance(milliseconds(999));
  EXPECT_EQ(desks_[0].tickets(), 2u);
  advance(milliseconds(1));
  EXPECT_EQ(desks_[0].tickets(), 1u) << "without being asked for";
  EXPECT_EQ(show(0, brief), "expired");
  advance(milliseconds(28'999));
  EXPECT_EQ(show(0, usual), "42");
  const std::string another = issued(1);
  advance(seconds(30));
  EXPECT_EQ(show(1, another), "expired");
}

// A turn drops a thousand; those that are left over are no better.
TEST_F(TicketDeskTest, ManyExpireInSeveralTurns) {
  TicketDesk desk(0, 2, ends_[0], ids_, {.tickets = 3000});
  desk.set_now(now_);
  std::string last;
  for (int i = 0; i < 1500; ++i) last = desk.issue("{}")->text;
  now_.mono += seconds(30);
  desk.set_now(now_);
  EXPECT_EQ(desk.tickets(), 500u);
  EXPECT_EQ(outcome_of(*desk.redeem(last, nullptr)), "expired");
  EXPECT_EQ(desk.tickets(), 499u);
  desk.set_now(now_);
  EXPECT_EQ(desk.tickets(), 0u);
}

TEST_F(TicketDeskTest, WhatIsNoTicketOfThisServerIsInvalid) {
  const std::string ticket = issued(0);
  for (std::string bad : {std::string("pt_"), ticket + "A", ticket.substr(0, 38),
                          "pt_!" + ticket.substr(4), ticket.substr(3), "PT_" + ticket.substr(3)})
    EXPECT_EQ(show(1, bad), "invalid") << bad;
  // Another version, and a shard that there is not.
  EXPECT_EQ(show(1, "pt_C" + ticket.substr(4)), "invalid");
  EXPECT_EQ(show(1, draw_ticket(2, ids_)), "invalid");
  EXPECT_EQ(show(1, draw_ticket(kNoShard, ids_)), "invalid");
  EXPECT_EQ(show(1, draw_ticket(1, ids_)), "expired");
  for (size_t i = 3; i < ticket.size(); ++i) {
    std::string other = ticket;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    const std::string outcome = show(0, other);
    if (!outcome.empty()) answers_.push_back(outcome);
    deliver_all();
  }
  EXPECT_EQ(answers_.size(), 36u);
  for (const std::string& answer : answers_) EXPECT_NE(answer, "42");
  EXPECT_EQ(show(0, ticket), "42") << "guesses do not use it";
}

TEST_F(TicketDeskTest, AreNeverTheSame) {
  SystemIdSource ids;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(draw_ticket(0, ids)).second);
  for (const std::string& ticket : seen) EXPECT_EQ(parse_ticket(ticket)->owner, 0);
}

TEST_F(TicketDeskTest, OrdersThatAreNone) {
  for (const char* bad :
       {"", "1", "[]", "{", R"({"sub":"42"})", R"({"user":42})", R"({"user":"42","user":"43"})",
        R"({"user":"42","ttl":0})", R"({"user":"42","ttl":301})", R"({"ttl":-1})", R"({"ttl":1.5})",
        R"({"ttl":"30"})", R"({"exp":5})", R"({"channel":"x"})", R"({"caps":{}})",
        R"_({"caps":[{"channels":["("],"match":"regex"}]})_", R"({"info":1,"typo":2})"}) {
    const auto refused = desks_[0].issue(bad);
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_EQ(refused.error(), TicketRefusal::kMalformed) << bad;
  }
  const std::string large = R"({"info":")" + std::string(16 * 1024, 'x') + "\"}";
  EXPECT_EQ(desks_[0].issue(large).error(), TicketRefusal::kMalformed);
}

TEST_F(TicketDeskTest, AreLimited) {
  for (int i = 0; i < 3; ++i) issued(0);
  const MetricDelta refused("parley_tickets_total{event=\"over_limit\"}");
  EXPECT_EQ(desks_[0].issue("{}").error(), TicketRefusal::kTooMany);
  EXPECT_EQ(refused(), 1);
  advance(seconds(30));
  const std::string one = issued(0);
  issued(0), issued(0);
  show(0, one);
  issued(0);

  TicketDesk off(0, 2, ends_[0], ids_, {.tickets = 0});
  EXPECT_EQ(off.issue("{}").error(), TicketRefusal::kOff);
}

struct FakeQuota final : TicketQuota {
  bool take() override { return room > 0 && room-- > 0; }
  void give_back() override { ++room; }
  size_t room = 2;
};

TEST_F(TicketDeskTest, AllDesksShareTheNodesLimit) {
  FakeQuota quota;
  {
    TicketDesk one(0, 2, ends_[0], ids_, {.quota = &quota});
    TicketDesk other(1, 2, ends_[1], ids_, {.quota = &quota});
    one.set_now(now_), other.set_now(now_);
    const std::string used = one.issue("{}")->text;
    EXPECT_TRUE(other.issue(R"({"ttl":1})").has_value());
    EXPECT_EQ(one.issue("{}").error(), TicketRefusal::kTooMany);
    EXPECT_EQ(other.issue("[]").error(), TicketRefusal::kMalformed);
    one.redeem(used, nullptr);
    EXPECT_EQ(quota.room, 1u);
    one.redeem(used, nullptr);
    EXPECT_EQ(quota.room, 1u) << "used once";
    EXPECT_TRUE(other.issue("{}").has_value());
    now_.mono += seconds(1);
    other.set_now(now_);
    EXPECT_EQ(quota.room, 1u) << "expired";
  }
  EXPECT_EQ(quota.room, 2u) << "and given back in the end";
}

TEST_F(TicketDeskTest, WhoCannotBeAskedForIsComeLaterAndKeepsTheTicket) {
  const std::string ticket = issued(0);
  const MetricDelta busy("parley_tickets_total{event=\"busy\"}");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(show(1, draw_ticket(0, ids_)), "");
  EXPECT_EQ(desks_[1].waiting(), 4u);
  EXPECT_EQ(show(1, ticket), "later");
  EXPECT_EQ(busy(), 1);
  deliver_all();
  EXPECT_THAT(answers_, ::testing::ElementsAre("expired", "expired", "expired", "expired"));
  EXPECT_EQ(show(1, ticket), "");
  deliver_all();
  EXPECT_EQ(answers_.back(), "42");
}

TEST_F(TicketDeskTest, AreForAConnectOnly) {
  NoTokens none;
  TicketAuthenticator credentials(desks_[0], none);
  const std::string ticket = issued(0);
  for (const TokenUse use : {TokenUse::kRefresh, TokenUse::kSubscribe})
    EXPECT_EQ(outcome_of(*credentials.verify(use, ticket, 0, {}, nullptr)), "invalid");
  EXPECT_EQ(outcome_of(*credentials.verify(TokenUse::kConnect, ticket, 0, {}, nullptr)), "42");
  EXPECT_EQ(outcome_of(*credentials.verify(TokenUse::kConnect, "ey.x.y", 0, {}, nullptr)),
            "invalid");
}

}  // namespace
}  // namespace parley::auth
