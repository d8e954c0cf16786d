// Pages of history, which are dear to make: behind the rest of a turn, so many in each, and in
// turns among those who asked.
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "hub/hub.h"
#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

// Answers of all requesters, in the order in which they came.
struct Heard {
  char who;
  StepId step;
  size_t publications;  // 0: not a page
};

class ListeningRequester final : public Requester {
 public:
  ListeningRequester(char who, std::vector<Heard>& heard) : who_(who), heard_(heard) {}
  void on_answer(StepId step, Answer answer) override {
    const auto* page = answer ? std::get_if<ReadPage>(&*answer) : nullptr;
    heard_.push_back({who_, step, page == nullptr ? 0 : page->publications.size()});
  }
  bool takes_pages() override { return takes; }
  bool takes = true;

 private:
  char who_;
  std::vector<Heard>& heard_;
};

// Answers are taken back.
struct HomelessPost final : Post {
  bool take_credit(ShardId) override { return true; }
  void send_request(ShardId, HubMessage message) override { sent.push_back(std::move(message)); }
  void send_reply(ShardId, HubMessage) override {}
  bool try_send(ShardId, HubMessage&) override { return true; }
  std::vector<HubMessage> sent;
};

class HubPagesTest : public ::testing::Test {
 protected:
  static constexpr size_t kData = 1000;  // of a publication
  static constexpr size_t kPage = 4;     // publications

  HubPagesTest() {
    rules_.add("h", {.history_size = 100, .history_ttl = seconds(60)});
    while (slots_.home(here_) != 0) here_ += 'x';
    while (slots_.home(there_) != 1) there_ += 'x';
    for (size_t i = 0; i < kPage; ++i) publish(a_, 0);
    while (turn() == Pace::kNow) {
    }
    heard_.clear();
  }

  Pace turn() {
    now_.mono += milliseconds(1);
    return hub_->turn(now_);
  }
  void publish(RequesterId who, StepId step) {
    PublishRecord record{.channel = {here_}};
    record.publication = std::make_unique<Publication>();
    record.publication->data.assign(kData, '1');
    hub_->publish(who, step, std::move(record));
  }
  void ask(RequesterId who, StepId step) { hub_->history(who, step, here_, {.limit = 100}); }
  // "a1 b2": who was answered, and what, since the last call.
  std::string heard() {
    std::string all;
    for (const Heard& one : heard_)
      all += (all.empty() ? "" : " ") + std::string(1, one.who) + std::to_string(one.step);
    heard_.clear();
    return all;
  }

  SlotTable slots_{2};
  testing::FakeBroker broker_;
  HomelessPost post_;
  testing::NamespaceRules rules_;
  testing::SeededIds ids_{1};
  // Two pages, not three.
  HubOptions options_{.page_bytes = 2 * (kPage * (kData + 300) + 100)};
  std::unique_ptr<Hub> hub_ = std::make_unique<Hub>(options_, slots_, broker_, post_, rules_, ids_);
  std::vector<Heard> heard_;
  ListeningRequester one_{'a', heard_}, two_{'b', heard_}, three_{'c', heard_};
  RequesterId a_ = hub_->add(one_), b_ = hub_->add(two_), c_ = hub_->add(three_);
  Now now_{Time{seconds(1)}, 5};
  std::string here_ = "h:", there_ = "h:";
};

TEST_F(HubPagesTest, ATurnAnswersSoManyBytesOfThem) {
  const testing::MetricDelta postponed("parley_hub_pages_postponed_total");
  for (StepId step = 1; step <= 5; ++step) ask(a_, step);
  EXPECT_EQ(turn(), Pace::kNow);
  EXPECT_EQ(heard_.at(0).publications, kPage);
  EXPECT_EQ(heard(), "a1 a2");
  EXPECT_TRUE(hub_->has_work()) << "the loop must not sleep";
  EXPECT_EQ(turn(), Pace::kNow);
  EXPECT_EQ(heard(), "a3 a4");
  EXPECT_EQ(turn(), Pace::kIdle);
  EXPECT_EQ(heard(), "a5");
  EXPECT_EQ(postponed(), 2);
  EXPECT_FALSE(hub_->has_work());
}

// Whoever asked for a page before a publish is answered after it, but gets what there was when it
// asked.
TEST_F(HubPagesTest, TheRestOfATurnGoesFirst) {
  for (StepId step = 1; step <= 3; ++step) ask(a_, step);
  publish(b_, 1);
  EXPECT_EQ(turn(), Pace::kNow);
  EXPECT_EQ(heard(), "b1 a1 a2");
  publish(b_, 2);
  turn();
  ASSERT_EQ(heard_.size(), 2u);
  EXPECT_EQ(heard_[1].publications, kPage);
  EXPECT_EQ(heard(), "b2 a3");
}

// References that wait are memory, too: 200 of the largest pages fit a message of 10 KB.
TEST_F(HubPagesTest, AClientMayHaveSoMuchWaiting) {
  const testing::MetricDelta refused("parley_hub_pages_refused_total");
  options_.waiting_publications = 3 * kPage;
  hub_ = std::make_unique<Hub>(options_, slots_, broker_, post_, rules_, ids_);
  a_ = hub_->add(one_);
  b_ = hub_->add(two_);
  c_ = hub_->add(three_, RequesterRole::kOperator);
  for (StepId step = 1; step <= 5; ++step) ask(a_, step);
  ask(b_, 1);
  for (StepId step = 1; step <= 4; ++step) ask(c_, step);
  while (turn() == Pace::kNow) {
  }
  size_t empty = 0;
  for (const Heard& one : heard_) empty += one.publications == 0 ? 1 : 0;
  EXPECT_EQ(heard_.size(), 10u);
  EXPECT_EQ(empty, 2u);
  EXPECT_EQ(heard().substr(0, 5), "a4 a5") << "those that are too many are told so at once";
  EXPECT_EQ(refused(), 2);
}

TEST_F(HubPagesTest, WhoTakesNoneRestsUntilItDoes) {
  for (StepId step = 1; step <= 2; ++step) ask(a_, step);
  ask(b_, 1);
  one_.takes = false;
  EXPECT_EQ(turn(), Pace::kIdle);
  EXPECT_EQ(heard(), "b1");
  EXPECT_FALSE(hub_->has_work()) << "nobody is asked again and again";
  ask(a_, 3);
  while (turn() == Pace::kNow) {
  }
  EXPECT_EQ(heard(), "");
  one_.takes = true;
  hub_->resume_pages(a_);
  EXPECT_TRUE(hub_->has_work());
  turn();
  EXPECT_EQ(heard(), "a1 a2");
  turn();
  EXPECT_EQ(heard(), "a3");
  hub_->resume_pages(a_);
  EXPECT_FALSE(hub_->has_work());
}

TEST_F(HubPagesTest, WhoRestsAndGoesLeavesNothing) {
  ask(a_, 1);
  one_.takes = false;
  turn();
  hub_->remove(a_);
  hub_->resume_pages(a_);
  EXPECT_FALSE(hub_->has_work());
  a_ = hub_->add(one_);
}

TEST_F(HubPagesTest, RequestersTakeTurns) {
  for (StepId step = 1; step <= 4; ++step) ask(a_, step);
  ask(b_, 1);
  ask(c_, 1);
  turn();
  EXPECT_EQ(heard(), "a1 b1");
  turn();
  EXPECT_EQ(heard(), "c1 a2");
  turn();
  EXPECT_EQ(heard(), "a3 a4");
}

TEST_F(HubPagesTest, TheFirstGoesHoweverLarge) {
  for (size_t i = 0; i < 5 * kPage; ++i) publish(b_, 0);
  while (turn() == Pace::kNow) {
  }
  heard_.clear();
  ask(a_, 1);
  ask(a_, 2);
  EXPECT_EQ(turn(), Pace::kNow);
  EXPECT_EQ(heard_.at(0).publications, 6 * kPage);
  EXPECT_EQ(heard(), "a1");
  EXPECT_EQ(turn(), Pace::kIdle);
  EXPECT_EQ(heard(), "a2");
}

TEST_F(HubPagesTest, WhoIsGoneWaitsForNothing) {
  for (StepId step = 1; step <= 4; ++step) ask(a_, step);
  ask(b_, 1);
  turn();
  EXPECT_EQ(heard(), "a1 b1");
  hub_->remove(a_);
  EXPECT_FALSE(hub_->has_work());
  EXPECT_EQ(turn(), Pace::kIdle);
  EXPECT_EQ(heard(), "");
  ASSERT_EQ(hub_->add(one_).index, a_.index);
  ask(b_, 2);
  turn();
  EXPECT_EQ(heard(), "b2");
}

TEST_F(HubPagesTest, WhoIsGoneBeforeItsPageCameGetsNone) {
  hub_->history(a_, 1, there_, {.limit = 100});
  hub_->remove(a_);
  const uint64_t waiter = std::get<std::unique_ptr<Request>>(post_.sent.at(0))->waiter;
  hub_->receive(1, std::make_unique<Reply>(Reply{waiter, ReadPage{}}));
  EXPECT_FALSE(hub_->has_work());
}

TEST_F(HubPagesTest, PagesOfAnotherShardWaitForTheTurnToo) {
  for (StepId step = 1; step <= 2; ++step) hub_->history(a_, step, there_, {.limit = 100});
  ask(b_, 1);
  ASSERT_EQ(post_.sent.size(), 2u);
  for (const HubMessage& message : post_.sent) {
    ReadPage page{.top = kPage, .publications = {}};
    for (size_t i = 0; i < kPage; ++i) {
      const auto publication = std::make_shared<Publication>();
      publication->data.assign(kData, '1');
      page.publications.push_back(publication);
    }
    const uint64_t waiter = std::get<std::unique_ptr<Request>>(message)->waiter;
    hub_->receive(1, std::make_unique<Reply>(Reply{waiter, std::move(page)}));
  }
  EXPECT_EQ(heard(), "");
  EXPECT_TRUE(hub_->has_work());
  turn();
  EXPECT_EQ(heard(), "a1 b1");
  turn();
  EXPECT_EQ(heard(), "a2");
}

TEST_F(HubPagesTest, AHubThatEndsLeavesThemUnanswered) {
  for (StepId step = 1; step <= 4; ++step) ask(a_, step);
  turn();
  EXPECT_EQ(heard(), "a1 a2");
  hub_.reset();
  EXPECT_EQ(heard(), "");
}

}  // namespace
}  // namespace parley::hub
