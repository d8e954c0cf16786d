#include "codec/http1/uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::codec::http1 {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pair;

TEST(UriTest, DecodesEscapesStrictly) {
  EXPECT_EQ(percent_decode("a%2Fb%2f+%00"), std::string("a/b/+\0", 6));
  EXPECT_EQ(percent_decode(""), "");
  for (const auto* bad : {"%", "%2", "a%", "%zz", "%2g", "%%20", "% 2", "%+2", "%0x"})
    EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
}

TEST(UriTest, ParsesQueriesInOrder) {
  EXPECT_THAT(parse_query("a=1&&b&=c&a=%26%3d+&d=e=f&"),
              Optional(ElementsAre(Pair("a", "1"), Pair("b", ""), Pair("", "c"), Pair("a", "&= "),
                                   Pair("d", "e=f"))));
  EXPECT_THAT(parse_query(""), Optional(ElementsAre()));
  EXPECT_EQ(parse_query("a=1&b=%"), std::nullopt);
  EXPECT_EQ(parse_query("%x=1"), std::nullopt);
}

TEST(UriTest, FindsTheFirstParameter) {
  EXPECT_EQ(find_query_param("x=%&%61=1&a=2", "a"), "1");
  EXPECT_EQ(find_query_param("a=%&a=2", "a"), std::nullopt);
}

}  // namespace
}  // namespace parley::codec::http1
