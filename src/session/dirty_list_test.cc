#include "session/dirty_list.h"

#include <gtest/gtest.h>

#include "tests/support/hub_fakes.h"

namespace parley::session {
namespace {

class DirtyListTest : public ::testing::Test {
 protected:
  DirtyListTest() {
    for (uint32_t i = 0; i < 5; ++i) all_.push_back(std::make_unique<hub::Subscription>(owner_, i));
  }
  void push(size_t i) {
    all_[i]->dirty = true;
    list_.push(*all_[i]);
  }
  std::vector<uint32_t> order() const {
    std::vector<uint32_t> handles;
    for (auto* at = list_.first(); at != nullptr; at = list_.after(*at))
      handles.push_back(at->handle());
    return handles;
  }
  testing::FakeSubscriber owner_;
  std::vector<std::unique_ptr<hub::Subscription>> all_;
  DirtyList list_;
};

using Order = std::vector<uint32_t>;

TEST_F(DirtyListTest, ServesInOrderOfComing) {
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(list_.first(), nullptr);
  for (const size_t i : {2, 0, 4}) push(i);
  EXPECT_EQ(order(), (Order{2, 0, 4}));
}

TEST_F(DirtyListTest, RemovesAnyOfThem) {
  for (const size_t i : {0, 1, 2, 3}) push(i);
  list_.remove(*all_[1]);
  EXPECT_FALSE(all_[1]->dirty);
  EXPECT_EQ(order(), (Order{0, 2, 3}));
  list_.remove(*all_[3]);
  EXPECT_EQ(order(), (Order{0, 2}));
  list_.remove(*all_[0]);
  push(4);
  EXPECT_EQ(order(), (Order{2, 4}));
  list_.remove_if([](const auto&) { return true; });
  EXPECT_TRUE(list_.empty());
  EXPECT_FALSE(all_[4]->dirty);
}

TEST_F(DirtyListTest, Rotates) {
  for (const size_t i : {0, 1, 2}) push(i);
  list_.rotate(*all_[0]);
  EXPECT_EQ(order(), (Order{1, 2, 0}));
  list_.rotate(*all_[0]);
  EXPECT_EQ(order(), (Order{1, 2, 0}));
  list_.rotate(*all_[3]);  // not in the list
  EXPECT_EQ(order(), (Order{1, 2, 0}));
}

}  // namespace
}  // namespace parley::session
