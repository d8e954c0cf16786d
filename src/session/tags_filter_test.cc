#include "session/tags_filter.h"

#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "session/decimal.h"

namespace parley::session {
namespace {

using Is = TagsFilter::Test;
using Group = TagsFilter::Group;
using Values = std::vector<std::string_view>;

bool holds(Is test, const Values& values, const hub::Tags& tags) {
  TagsFilter filter;
  EXPECT_TRUE(filter.add(test, "k", values));
  EXPECT_TRUE(filter.whole());
  return filter.matches(tags);
}

TEST(TagsFilter, Tests) {
  const hub::Tags missing{{"other", "x"}}, empty{{"k", ""}};
  const auto tag = [](const char* value) { return hub::Tags{{"a", "b"}, {"k", value}}; };
  EXPECT_TRUE(holds(Is::kEqual, {"x"}, tag("x")));
  EXPECT_FALSE(holds(Is::kEqual, {"x"}, tag("xx")));
  EXPECT_FALSE(holds(Is::kEqual, {"x"}, missing));
  EXPECT_FALSE(holds(Is::kNotEqual, {"x"}, tag("x")));
  EXPECT_TRUE(holds(Is::kNotEqual, {"x"}, tag("y")));
  EXPECT_TRUE(holds(Is::kNotEqual, {"x"}, missing));
  EXPECT_TRUE(holds(Is::kIn, {"x", "y"}, tag("y")));
  EXPECT_FALSE(holds(Is::kIn, {"x", "y"}, tag("z")));
  EXPECT_FALSE(holds(Is::kIn, {"x", "y"}, missing));
  EXPECT_TRUE(holds(Is::kIn, {"x", ""}, missing));
  EXPECT_TRUE(holds(Is::kNotIn, {"x"}, missing));
  EXPECT_FALSE(holds(Is::kNotIn, {"x", ""}, empty));
  EXPECT_TRUE(holds(Is::kExists, {}, empty));
  EXPECT_FALSE(holds(Is::kExists, {}, missing));
  EXPECT_TRUE(holds(Is::kNotExists, {}, missing));
  EXPECT_FALSE(holds(Is::kNotExists, {}, empty));
  EXPECT_TRUE(holds(Is::kStartsWith, {"ab"}, tag("abc")));
  EXPECT_FALSE(holds(Is::kStartsWith, {"bc"}, tag("abc")));
  EXPECT_TRUE(holds(Is::kEndsWith, {"bc"}, tag("abc")));
  EXPECT_FALSE(holds(Is::kEndsWith, {"ab"}, tag("abc")));
  EXPECT_TRUE(holds(Is::kContains, {"b"}, tag("abc")));
  EXPECT_FALSE(holds(Is::kContains, {"x"}, tag("abc")));
  EXPECT_FALSE(holds(Is::kStartsWith, {"x"}, missing));
  EXPECT_FALSE(holds(Is::kEndsWith, {"x"}, missing));
  EXPECT_FALSE(holds(Is::kContains, {"x"}, missing));
}

TEST(TagsFilter, NumbersCompareAsNumbers) {
  for (const auto& [a, b, less, equal] : {std::tuple{"9", "10", true, false},
                                          {"10", "10.0", false, true},
                                          {"0.1", "0.10000000000000000001", true, false},
                                          {"1", "-1", false, false},
                                          {"x", "1", false, false}}) {
    const hub::Tags tags{{"k", a}};
    const bool number = std::string_view(a) != "x";
    EXPECT_EQ(holds(Is::kLess, {b}, tags), less) << a;
    EXPECT_EQ(holds(Is::kLessOrEqual, {b}, tags), less || equal) << a;
    EXPECT_EQ(holds(Is::kGreater, {b}, tags), number && !less && !equal) << a;
    EXPECT_EQ(holds(Is::kGreaterOrEqual, {b}, tags), number && !less) << a;
  }
  for (const Is test : {Is::kLess, Is::kLessOrEqual, Is::kGreater, Is::kGreaterOrEqual}) {
    EXPECT_FALSE(holds(test, {"1"}, {}));
    EXPECT_FALSE(holds(test, {"one"}, {{"k", "1"}}));
  }
}

TEST(TagsFilter, Groups) {
  const Values x{"x"}, y{"y"};
  TagsFilter filter;  // (k = x and not (l = y or m)) or k missing
  EXPECT_TRUE(filter.begin(Group::kOr));
  EXPECT_TRUE(filter.begin(Group::kAnd));
  EXPECT_TRUE(filter.add(Is::kEqual, "k", x));
  EXPECT_TRUE(filter.begin(Group::kNot));
  EXPECT_TRUE(filter.begin(Group::kOr));
  EXPECT_TRUE(filter.add(Is::kEqual, "l", y));
  EXPECT_TRUE(filter.add(Is::kExists, "m", {}));
  EXPECT_TRUE(filter.end() && filter.end() && filter.end());
  EXPECT_FALSE(filter.whole());
  EXPECT_TRUE(filter.add(Is::kNotExists, "k", {}));
  EXPECT_TRUE(filter.end());
  EXPECT_TRUE(filter.whole());
  EXPECT_TRUE(filter.matches({}));
  EXPECT_TRUE(filter.matches({{"k", "x"}}));
  EXPECT_TRUE(filter.matches({{"k", "x"}, {"l", "x"}}));
  EXPECT_FALSE(filter.matches({{"k", "x"}, {"l", "y"}}));
  EXPECT_FALSE(filter.matches({{"k", "x"}, {"m", ""}}));
  EXPECT_FALSE(filter.matches({{"k", "z"}}));
}

TEST(TagsFilter, RefusesWhatIsNoTree) {
  TagsFilter none;
  EXPECT_FALSE(none.whole());
  EXPECT_FALSE(none.end());
  TagsFilter empty;
  EXPECT_TRUE(empty.begin(Group::kAnd));
  EXPECT_FALSE(empty.end());
  TagsFilter two_in_not;
  EXPECT_TRUE(two_in_not.begin(Group::kNot));
  EXPECT_TRUE(two_in_not.add(Is::kExists, "a", {}));
  EXPECT_TRUE(two_in_not.add(Is::kExists, "b", {}));
  EXPECT_FALSE(two_in_not.end());
  TagsFilter second;
  EXPECT_TRUE(second.add(Is::kExists, "a", {}));
  EXPECT_FALSE(second.add(Is::kExists, "b", {}));
}

TEST(TagsFilter, Limits) {
  TagsFilter nodes;
  EXPECT_TRUE(nodes.begin(Group::kAnd));
  for (size_t i = 1; i < TagsFilter::kMaxNodes; ++i) EXPECT_TRUE(nodes.add(Is::kExists, "a", {}));
  EXPECT_FALSE(nodes.add(Is::kExists, "a", {}));

  TagsFilter depth;
  for (size_t i = 0; i < TagsFilter::kMaxDepth; ++i) EXPECT_TRUE(depth.begin(Group::kNot));
  EXPECT_FALSE(depth.add(Is::kExists, "a", {}));
  EXPECT_FALSE(depth.begin(Group::kNot));

  const std::string half(TagsFilter::kMaxBytes / 2, 'x');
  TagsFilter bytes;
  EXPECT_TRUE(bytes.begin(Group::kAnd));
  EXPECT_TRUE(bytes.add(Is::kEqual, half, Values{half}));
  EXPECT_FALSE(bytes.add(Is::kExists, "a", {}));

  TagsFilter values;
  EXPECT_FALSE(values.add(Is::kIn, "a", Values(TagsFilter::kMaxValues + 1, "")));
}

TEST(CompareDecimals, IsExact) {
  const auto less = std::strong_ordering::less, equal = std::strong_ordering::equal;
  for (const auto& [a, b, order] : {
           std::tuple{"9007199254740992", "9007199254740993", less},
           {"0.1", "0.10", equal},
           {".5", "0.5", equal},
           {"5.", "+5", equal},
           {"-0", "0.000", equal},
           {"-0.0", "1e-99999", less},
           {"-2", "-1.5", less},
           {"-1.5", "0", less},
           {"1e3", "1000", equal},
           {"1.5E+2", "150.00", equal},
           {"12e-1", "1.2", equal},
           {"0.09", "0.1", less},
           {"99", "100", less},
           {"00099", "0100", less},
           {"0.0012", "0.0123", less},
           {"123456789.1", "123456789.11", less},
       }) {
    EXPECT_EQ(compare_decimals(a, b), order) << a << ' ' << b;
    EXPECT_EQ(compare_decimals(b, a), 0 <=> order) << b << ' ' << a;
  }
}

TEST(CompareDecimals, WhatIsNoNumberCannotBeCompared) {
  for (const char* bad : {"", "-", ".", "+.", "1.2.3", "1,5", " 1", "1 ", "0x10", "inf", "NaN",
                          "e5", "1e", "1e+", "1e1.5", "1e123456", "--1", "1-"}) {
    EXPECT_EQ(compare_decimals(bad, "1"), std::nullopt) << bad;
    EXPECT_EQ(compare_decimals("1", bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace parley::session
