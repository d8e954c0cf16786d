#include "io/mailboxes.h"

#include <algorithm>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/metric_delta.h"

namespace parley::io {
namespace {

using parley::testing::MetricDelta;

TEST(SpscRing, KeepsOrderAndDestroysWhatIsLeft) {
  const auto shared = std::make_shared<int>(0);
  {
    SpscRing<std::shared_ptr<int>> ring(3);
    EXPECT_EQ(ring.capacity(), 4u);
    for (int round = 0; round < 5; ++round) {
      for (int i = 0; i < 4; ++i) ring.push(std::shared_ptr<int>(shared));
      EXPECT_EQ(ring.free_slots(), 0u);
      for (int i = 0; i < 3; ++i) {
        ASSERT_NE(ring.front(), nullptr);
        ring.pop();
      }
      ring.pop();
    }
    EXPECT_TRUE(ring.empty());
    EXPECT_EQ(ring.front(), nullptr);
    ring.push(std::shared_ptr<int>(shared));
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(SpscRing, TwoThreads) {
  constexpr size_t kCount = 200'000;
  SpscRing<std::unique_ptr<size_t>> ring(64);
  std::jthread producer([&ring] {
    for (size_t i = 0; i < kCount; ++i) {
      while (ring.free_slots() == 0) std::this_thread::yield();
      ring.push(std::make_unique<size_t>(i));
    }
  });
  for (size_t i = 0; i < kCount; ++i) {
    std::unique_ptr<size_t>* entry = nullptr;
    while ((entry = ring.front()) == nullptr) std::this_thread::yield();
    ASSERT_EQ(**entry, i);
    ring.pop();
  }
}

struct Letter {
  std::string text;
};
struct LetterCost {
  size_t operator()(const Letter& letter) const { return letter.text.size(); }
};
using Mail = Mailboxes<Letter, LetterCost>;

class MailboxesTest : public ::testing::Test {
 protected:
  Mail make(const MailboxOptions& options) {
    return Mail({&wakers[0], &wakers[1], &wakers[2]}, options);
  }
  std::vector<std::string> drain(Mail& mail, ShardId to, size_t budget = 1000) {
    std::vector<std::string> texts;
    mail.drain(to, budget, [&](ShardId from, Letter&& letter) {
      texts.push_back(std::to_string(from) + ":" + letter.text);
    });
    return texts;
  }
  Waker wakers[3];
};

TEST_F(MailboxesTest, DataNeverUsesTheReserve) {
  Mail mail = make({.entries = 16, .bytes = 1000, .credits = 3});
  size_t sent = 0;
  while (mail.try_send_data(0, 1, {"d"})) ++sent;
  EXPECT_EQ(sent, 10u);  // 16 - 2 * 3
  Letter refused{"kept"};
  const MetricDelta full(R"(parley_io_inbox_full_total{queue="mail"})");
  EXPECT_FALSE(mail.try_send_data(0, 1, std::move(refused)));
  EXPECT_EQ(full(), 1);
  EXPECT_EQ(refused.text, "kept");
  EXPECT_TRUE(mail.try_send_data(0, 2, {"another ring"}));
}

TEST_F(MailboxesTest, BoundedInBytes) {
  Mail mail = make({.entries = 64, .bytes = 100, .credits = 2});
  EXPECT_TRUE(mail.try_send_data(0, 1, {std::string(99, 'x')}));
  EXPECT_TRUE(mail.try_send_data(0, 1, {std::string(50, 'x')}));
  EXPECT_FALSE(mail.try_send_data(0, 1, {"x"}));
  // Requests and answers are bounded by credits, not by bytes.
  ASSERT_TRUE(mail.take_credit(0, 1));
  mail.send_request(0, 1, {std::string(500, 'r')});
  EXPECT_EQ(drain(mail, 1).size(), 3u);
  EXPECT_TRUE(mail.try_send_data(0, 1, {"x"}));
}

// Rings full of data both ways, all credits out: every request and every answer still fits.
TEST_F(MailboxesTest, FullBothWaysNeverDeadlocks) {
  Mail mail = make({.entries = 16, .bytes = 1000, .credits = 3});
  for (const ShardId from : {ShardId{0}, ShardId{1}}) {
    const auto to = static_cast<ShardId>(1 - from);
    while (mail.try_send_data(from, to, {"d"})) {
    }
    while (mail.take_credit(from, to)) mail.send_request(from, to, {"r"});
    EXPECT_FALSE(mail.take_credit(from, to));
    EXPECT_FALSE(mail.try_send_data(from, to, {"d"}));
  }
  // Shard 0 drains and answers into the ring that nobody has emptied.
  int requests = 0;
  mail.drain(0, 100, [&](ShardId from, Letter&& letter) {
    if (letter.text != "r") return;
    ++requests;
    mail.send_answer(0, from, {"a"});
  });
  EXPECT_EQ(requests, 3);
  // Shard 1 sees data, requests and answers in the order of the one FIFO.
  std::string order;
  mail.drain(1, 100, [&](ShardId from, Letter&& letter) {
    order += letter.text;
    if (letter.text == "r") mail.send_answer(1, from, {"a"});
  });
  EXPECT_EQ(order, "ddddddddddrrraaa");
  EXPECT_TRUE(mail.take_credit(1, 0));   // its answers came
  EXPECT_FALSE(mail.take_credit(0, 1));  // shard 0 has not drained its own yet
  drain(mail, 0);
  EXPECT_TRUE(mail.take_credit(0, 1));
}

TEST_F(MailboxesTest, UnusedCreditGoesBack) {
  Mail mail = make({.entries = 16, .bytes = 1000, .credits = 1});
  ASSERT_TRUE(mail.take_credit(0, 1));
  EXPECT_FALSE(mail.take_credit(0, 1));
  EXPECT_TRUE(mail.take_credit(0, 2));
  mail.return_credit(0, 1);
  EXPECT_TRUE(mail.take_credit(0, 1));
}

TEST_F(MailboxesTest, DrainIsFairAndBudgeted) {
  Mail mail = make({.entries = 256, .bytes = 100'000, .credits = 1});
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(mail.try_send_data(0, 2, {"busy"}));
  ASSERT_TRUE(mail.try_send_data(1, 2, {"rare"}));
  const auto first = drain(mail, 2, 64);
  EXPECT_EQ(first.size(), 64u);
  EXPECT_NE(std::ranges::find(first, "1:rare"), first.end());
  EXPECT_TRUE(mail.pending(2));
  EXPECT_EQ(drain(mail, 2).size(), 137u);
  EXPECT_FALSE(mail.pending(2));
}

TEST_F(MailboxesTest, WakesOnlySleepersThatGotSomething) {
  Mail mail = make({.entries = 64, .bytes = 1000, .credits = 1});
  for (Waker& waker : wakers) waker.announce_sleep();
  const int64_t before = meters::wakes.value();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(mail.try_send_data(0, 1, {"x"}));
  EXPECT_EQ(meters::wakes.value(), before);
  mail.wake_peers(0);
  mail.wake_peers(0);
  EXPECT_EQ(meters::wakes.value(), before + 1);
  ASSERT_TRUE(mail.try_send_data(0, 1, {"x"}));
  mail.wake_peers(0);  // it has not gone to sleep again
  EXPECT_EQ(meters::wakes.value(), before + 1);
}

// Real shards, small rings, everybody asks everybody and floods with data; sleeping and waking
// happen thousands of times. Ends only if no answer and no wake-up is lost.
class Chatter {
 public:
  static constexpr int kRequests = 3000;
  Chatter(Mail& mail, ShardGroup& group, ShardId self, std::atomic<int>& finished)
      : mail_(mail),
        self_(self),
        finished_(finished),
        left_(group.size(), kRequests),
        last_(group.size(), 0),
        hook_(mail, self, 64, [this](ShardId from, Letter&& letter) { on_mail(from, letter); }) {
    group.shard(self).add_hook(hook_);
    left_[self] = 0;
    left_total_ = kRequests * static_cast<int>(group.size() - 1);
  }

  void ask_more() {
    for (ShardId to = 0; to < left_.size(); ++to) {
      while (left_[to] > 0 && mail_.take_credit(self_, to)) {
        --left_[to];
        mail_.send_request(self_, to, {"r"});
        // Fan-out beside it; what is refused is just counted again next time.
        if (mail_.try_send_data(self_, to, {std::to_string(sent_ + 1)})) ++sent_;
      }
    }
  }

 private:
  void on_mail(ShardId from, const Letter& letter) {
    if (letter.text == "r") return mail_.send_answer(self_, from, {"a"});
    if (letter.text == "a") {
      if (--left_total_ == 0) ++finished_;
      return ask_more();
    }
    const int number = std::stoi(letter.text);
    EXPECT_LT(last_[from], number);
    last_[from] = number;
  }

  Mail& mail_;
  ShardId self_;
  std::atomic<int>& finished_;
  std::vector<int> left_;
  std::vector<int> last_;
  int left_total_ = 0;
  int sent_ = 0;
  MailHook<Letter, LetterCost> hook_;
};

TEST(MailboxesOnShards, NoAnswerAndNoWakeUpIsLost) {
  ShardGroup group(3);
  Mail mail(group.wakers(), {.entries = 16, .bytes = 1000, .credits = 4});
  std::atomic<int> finished{0};
  std::vector<std::unique_ptr<Chatter>> chatters;
  for (ShardId i = 0; i < 3; ++i) {
    chatters.push_back(std::make_unique<Chatter>(mail, group, i, finished));
  }
  group.start();
  for (ShardId i = 0; i < 3; ++i) {
    ASSERT_TRUE(group.post(i, [&, i] { chatters[i]->ask_more(); }));
  }
  const Time limit = std::chrono::steady_clock::now() + seconds(60);
  while (finished < 3 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  EXPECT_EQ(finished, 3);
  group.stop();
}

}  // namespace
}  // namespace parley::io
