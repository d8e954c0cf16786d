#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/intrusive_list.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"

namespace parley {
namespace {

TEST(Bytes, ParseUintTakesWholeDigitsOnly) {
  uint32_t value = 7;
  EXPECT_TRUE(parse_uint("4294967295", value));
  EXPECT_EQ(value, 4294967295u);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "4294967296", "0x1", "1a"})
    EXPECT_FALSE(parse_uint(bad, value)) << bad;
}

TEST(Base64, VectorsOfRfc4648) {
  const std::map<std::string, std::string> vectors = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    Buffer out;
    append_base64(out, plain);
    EXPECT_EQ(out, coded);
    EXPECT_EQ(decode_base64(coded), plain);
  }
  for (const char* bad : {"Z", "Zg=", "Zh==", "Zm9=", "Z=g=", "Zg==Zg==", "Zm 9", "===="})
    EXPECT_FALSE(decode_base64(bad)) << bad;
}

TEST(Base64, ForUrlsHasNoPaddingAndOneSpelling) {
  const std::map<std::string, std::string> vectors = {
      {"", ""},           {"f", "Zg"},         {"fo", "Zm8"},           {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"\xfb\xff", "-_8"}, {"\xff\xff\xff", "____"}};
  for (const auto& [plain, coded] : vectors) {
    Buffer out;
    append_base64url(out, plain);
    EXPECT_EQ(out, coded);
    EXPECT_EQ(decode_base64url(coded), plain);
  }
  for (const char* bad : {"Z", "Zg==", "Zh", "Zm9", "Zm8=", "Zm9vY", "Z g", "+/8", "Zm9v\n"})
    EXPECT_FALSE(decode_base64url(bad)) << bad;
}

TEST(Hash, StableHashNeverChanges) {
  // Stored data is keyed by these values: a change here is a change of the storage format.
  EXPECT_EQ(stable_hash(""), stable_hash(""));
  EXPECT_NE(stable_hash("news"), stable_hash("newt"));
  EXPECT_NE(siphash13({1, 2}, "news"), siphash13({1, 3}, "news"));
  EXPECT_EQ(stable_hash("news"), 0xf33e99703be5600au);
  // Of texts of 0 to 39 bytes.
  uint64_t all = 0;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    all = all * 31 + stable_hash(text);
    text.push_back(static_cast<char>(0xf0 + i * 7));
  }
  EXPECT_EQ(all, 0x1aaf52c17aa0ef77u);
}

TEST(Random, UuidsAreVersion4AndDiffer) {
  SystemIdSource ids;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = to_string(uuid4(ids));
    ASSERT_EQ(id.size(), 36u);
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
    EXPECT_TRUE(seen.insert(id).second);
  }
}

struct Tag;
struct Element : ListNode<Tag> {
  explicit Element(int v) : value(v) {}
  int value;
};

TEST(IntrusiveList, KeepsOrderAndForgetsTheDead) {
  IntrusiveList<Element, Tag> list;
  Element a(1), c(3);
  {
    Element b(2);
    list.push_back(a);
    list.push_back(b);
    list.push_back(c);
  }
  EXPECT_EQ(list.pop_front().value, 1);
  EXPECT_EQ(list.pop_front().value, 3);
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveList, AppendTakesAllInOrder) {
  IntrusiveList<Element, Tag> list, other;
  Element a(1), b(2), c(3);
  list.append(other);
  EXPECT_TRUE(list.empty());
  other.push_back(a);
  other.push_back(b);
  list.append(other);
  EXPECT_TRUE(other.empty());
  other.push_back(c);
  list.append(other);
  EXPECT_EQ(list.pop_front().value, 1);
  EXPECT_EQ(list.pop_front().value, 2);
  EXPECT_EQ(list.pop_front().value, 3);
  EXPECT_TRUE(list.empty());
}

TEST(Metrics, RenderSumsShards) {
  static metrics::Counter counter("parley_test_total", "A test", {{"kind", "a\"b"}});
  affinity::set_current(3);
  counter.add(2);
  affinity::set_current(kNoShard);
  counter.add(1);
  const std::string text = metrics::render();
  EXPECT_NE(text.find("# TYPE parley_test_total counter\nparley_test_total{kind=\"a\\\"b\"} 3\n"),
            std::string::npos);
}

TEST(Metrics, AFamilyCountsEachOfItsValues) {
  enum class Fault : uint8_t { kEarly, kLate };
  constexpr std::string_view kNames[] = {"early", "late"};
  static metrics::CounterFamily family("parley_family_total", "A test", "fault", kNames);
  EXPECT_NE(metrics::render().find("parley_family_total{fault=\"early\"} 0\n"), std::string::npos);
  for (const ShardId shard : {ShardId{0}, ShardId{metrics::kMaxShards - 1}, kNoShard}) {
    affinity::set_current(shard);
    family.add(Fault::kLate);
  }
  affinity::set_current(kNoShard);
  family.add(0);
  const std::string text = metrics::render();
  EXPECT_NE(text.find("parley_family_total{fault=\"early\"} 1\n"
                      "parley_family_total{fault=\"late\"} 3\n"),
            std::string::npos);
  EXPECT_EQ(metrics::total("parley_family_total"), 4);
}

Result<int> half(int n) {
  if (n % 2) return fail("odd");
  return n / 2;
}
Result<int> quarter(int n) {
  const int h = TRY(half(n));
  return TRY(half(h));
}

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

}  // namespace
}  // namespace parley
