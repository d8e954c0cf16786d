#include "hub/newest_per_key.h"

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/hub_fakes.h"

namespace parley::hub {
namespace {

using testing::offsets_of;
using Offsets = std::vector<uint64_t>;

PublicationPtr keyed(uint64_t offset, const std::string& key, uint64_t prev) {
  auto made = std::make_shared<Publication>();
  made->offset = offset;
  made->prev = prev;
  made->data = std::to_string(offset);
  if (!key.empty()) made->tags = {{"color", "red"}, {"symbol", key}};
  return made;
}
PublicationPtr keyed(uint64_t offset, const std::string& key) {
  return keyed(offset, key, offset - 1);
}

class NewestPerKeyTest : public ::testing::Test {
 protected:
  // One letter is the key of one publication, "-" none.
  void append(std::string_view keys) {
    for (const char key : keys) {
      newest_.append(keyed(top_ + 1, key == '-' ? "" : std::string(1, key)), top_);
      ++top_;
    }
  }
  Offsets all() const {
    Offsets found;
    for (uint64_t at = newest_.floor(); at < top_;) {
      const auto run = newest_.after(at);
      if (run.empty()) break;
      for (const auto& publication : run) found.push_back(at = publication->offset);
    }
    return found;
  }
  NewestPerKey newest_{"symbol", 10 * keyed(10, "a")->cost()};
  uint64_t top_ = 0;
};

TEST_F(NewestPerKeyTest, ALaterOneOfTheKeyReplaces) {
  append("abcab");
  EXPECT_EQ(all(), (Offsets{3, 4, 5}));
  EXPECT_EQ(newest_.size(), 3u);
  EXPECT_EQ(newest_.bytes(), 3 * keyed(1, "a")->cost());
}

TEST_F(NewestPerKeyTest, WithoutTheTagAllAreOfOneKey) {
  append("-a--");
  EXPECT_EQ(all(), (Offsets{2, 4}));
}

TEST_F(NewestPerKeyTest, ARunEndsWhereOneIsReplaced) {
  append("abcdb");
  EXPECT_EQ(offsets_of(newest_.after(0)), (Offsets{1}));
  EXPECT_EQ(offsets_of(newest_.after(1)), (Offsets{3, 4, 5}));
  EXPECT_EQ(offsets_of(newest_.after(3)), (Offsets{4, 5}));
  EXPECT_TRUE(newest_.after(5).empty());
}

TEST_F(NewestPerKeyTest, BeyondTheBoundTheOldestGo) {
  append("abcdefghijkl");
  EXPECT_EQ(newest_.size(), 10u);
  EXPECT_EQ(newest_.floor(), 2u);
  EXPECT_EQ(all().front(), 3u);
}

TEST_F(NewestPerKeyTest, OneThatIsLargerThanTheBoundStays) {
  append("ab");
  auto large = std::make_shared<Publication>();
  large->offset = 3;
  large->prev = 2;
  large->data.assign(100'000, 'x');
  newest_.append(large, 2);
  top_ = 3;
  EXPECT_EQ(all(), (Offsets{3}));
  EXPECT_EQ(newest_.floor(), 2u);
}

TEST_F(NewestPerKeyTest, ForgetsUpToAnOffset) {
  append("abca");
  newest_.forget(2);
  EXPECT_EQ(newest_.floor(), 2u);
  EXPECT_EQ(all(), (Offsets{3, 4}));
  newest_.forget(4);
  EXPECT_EQ(newest_.floor(), 4u);
  EXPECT_EQ(newest_.bytes(), 0u);
  newest_.forget(3);
  EXPECT_EQ(newest_.floor(), 4u);
  append("b");
  EXPECT_EQ(all(), (Offsets{5}));
}

// Which keys a hole has is not known, so what was before it may have been replaced there.
TEST_F(NewestPerKeyTest, BehindAHoleItBeginsAnew) {
  append("ab");
  newest_.append(keyed(9, "c", 7), top_);
  top_ = 9;
  EXPECT_EQ(newest_.floor(), 7u);
  EXPECT_EQ(all(), (Offsets{9}));
}

TEST_F(NewestPerKeyTest, IsWhatAMapWouldBe) {
  std::map<std::string, uint64_t> model;
  std::mt19937 random(7);
  NewestPerKey newest("symbol", SIZE_MAX);
  uint64_t top = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = std::to_string(random() % (i % 3000 < 1500 ? 40 : 4));
    const uint64_t next = top + 1 + random() % 2;
    newest.append(keyed(next, key, top), top);
    model[key] = top = next;
    if (i % 97 != 0) continue;
    Offsets want, got;
    for (const auto& [name, offset] : model) want.push_back(offset);
    std::ranges::sort(want);
    for (uint64_t at = 0; at < top;)
      for (const auto& publication : newest.after(at)) got.push_back(at = publication->offset);
    ASSERT_EQ(got, want);
  }
}

}  // namespace
}  // namespace parley::hub
