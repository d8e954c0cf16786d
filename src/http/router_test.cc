#include "http/router.h"

#include <gmock/gmock.h>

namespace parley::http {
namespace {

class NoHandler final : public Handler {
 public:
  void handle(Exchange&) override {}
};

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    router.add("GET", "/exact", page);
    router.add("POST", "/exact", api, 100);
    router.add_prefix("GET", "/s/", stream);
    router.add_prefix("GET", "/s/deep/", deep);
    router.add("DELETE", "/s/fixed", api);
  }
  NoHandler page, api, stream, deep;
  Router router;
};

TEST_F(RouterTest, FindsByMethodAndPath) {
  EXPECT_EQ(router.find("GET", "/exact").handler, &page);
  EXPECT_EQ(router.find("HEAD", "/exact").handler, &page);
  const auto match = router.find("POST", "/exact");
  EXPECT_EQ(match.handler, &api);
  EXPECT_EQ(match.body_limit, 100u);
  EXPECT_EQ(router.max_body_limit(), 100u);
}

TEST_F(RouterTest, LeavesOtherPathsAlone) {
  for (const std::string_view path : {"/", "", "*", "/exact/", "/Exact", "/exact/..", "//exact",
                                      "/%65xact", "/s", "/s/", "/s/a/b", "/s/deep/a/b"}) {
    const auto match = router.find("GET", path);
    EXPECT_EQ(match.handler, nullptr) << path;
    EXPECT_EQ(match.status, 404) << path;
  }
}

TEST_F(RouterTest, DecodesTheLastSegment) {
  const auto tail = [&](std::string_view path) { return router.find("GET", path).path_tail; };
  EXPECT_EQ(tail("/s/news"), "news");
  EXPECT_EQ(tail("/s/a%20b+c"), "a b+c");
  EXPECT_EQ(tail("/s/a%2Fb"), "a/b");
  EXPECT_EQ(tail("/s/%c3%bc"), "\xc3\xbc");
  for (const std::string_view path : {"/s/%", "/s/a%2", "/s/%zz", "/s/%+1"})
    EXPECT_EQ(router.find("GET", path).status, 400) << path;
}

TEST_F(RouterTest, TheMostExactPlaceWins) {
  EXPECT_EQ(router.find("GET", "/s/a").handler, &stream);
  EXPECT_EQ(router.find("GET", "/s/deep/a").handler, &deep);
  EXPECT_EQ(router.find("DELETE", "/s/fixed").handler, &api);
  EXPECT_EQ(router.find("GET", "/s/fixed").status, 405);
}

TEST_F(RouterTest, NamesTheMethodsOfAPath) {
  const auto match = router.find("PUT", "/exact");
  EXPECT_EQ(match.status, 405);
  EXPECT_EQ(match.allow, "GET, HEAD, POST");
  EXPECT_EQ(router.find("HEAD", "/s/fixed").allow, "DELETE");
  EXPECT_EQ(router.find("get", "/s/a").allow, "GET, HEAD");
}

TEST_F(RouterTest, DescribesItself) {
  EXPECT_THAT(router.describe(),
              ::testing::ElementsAre("GET /exact", "POST /exact", "GET /s/{tail}",
                                     "GET /s/deep/{tail}", "DELETE /s/fixed"));
}

}  // namespace
}  // namespace parley::http
