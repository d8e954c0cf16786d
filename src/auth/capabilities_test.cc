#include "auth/capabilities.h"

#include <gtest/gtest.h>

#include "auth/token_authenticator.h"
#include "auth/token_claims.h"
#include "auth/token_testing.h"
#include "tests/support/metric_delta.h"

namespace parley::auth {
namespace {

struct AllowedRow {
  const char* channel;
  const char* verbs;  // s p r h: subscribe, publish, presence, history
};

std::string letters(CapabilitySet set) {
  std::string out;
  if (set.covers(Verb::kSubscribe)) out += 's';
  if (set.covers(Verb::kPublish)) out += 'p';
  if (set.covers(Verb::kPresence)) out += 'r';
  if (set.covers(Verb::kHistory)) out += 'h';
  EXPECT_EQ(set.covers(Verb::kPresence), set.covers(Verb::kJoinLeave));
  return out;
}

std::optional<TokenClaims> claims_with(const std::string& caps) {
  return read_claims(TokenUse::kConnect, R"({"caps":)" + caps + "}", {});
}

Capabilities::Ptr capabilities_of(const std::string& caps) {
  auto claims = claims_with(caps);
  EXPECT_TRUE(claims.has_value()) << caps;
  RegexPool pool;
  auto built = claims ? Capabilities::build(std::move(claims->caps), pool) : std::nullopt;
  EXPECT_TRUE(built.has_value()) << caps;
  return built.value_or(nullptr);
}

void expect_rows(const std::string& caps, std::initializer_list<AllowedRow> rows) {
  const Capabilities::Ptr built = capabilities_of(caps);
  ASSERT_NE(built, nullptr);
  for (const AllowedRow& row : rows)
    EXPECT_EQ(letters(built->of(row.channel)), row.verbs) << caps << " " << row.channel;
}

TEST(Capabilities, NamesAreExact) {
  expect_rows(R"([{"channels":["news","user_42"],"allow":["sub"]}])", {{"news", "s"},
                                                                       {"user_42", "s"},
                                                                       {"user_4", ""},
                                                                       {"user_421", ""},
                                                                       {"News", ""},
                                                                       {"", ""},
                                                                       {"new?", ""}});
  expect_rows(R"([{"channels":["new*","n?"],"allow":["sub"]}])",
              {{"new*", "s"}, {"news", ""}, {"n?", "s"}, {"na", ""}});
}

TEST(Capabilities, TheFirstMatchDecides) {
  expect_rows(R"([{"channels":["news"],"allow":["pub"]},{"channels":["news"],"allow":["sub"]}])",
              {{"news", "p"}});
  expect_rows(R"([{"channels":["a:secret"],"allow":[]},
                  {"channels":["a:*"],"match":"wildcard","allow":["sub","hst"]},
                  {"channels":["*"],"match":"wildcard","allow":["pub"]}])",
              {{"a:secret", ""}, {"a:b", "sh"}, {"b", "p"}});
}

TEST(Capabilities, Wildcards) {
  expect_rows(R"([{"channels":["news:*","x?z"],"match":"wildcard","allow":["sub","prs"]}])",
              {{"news:", "sr"},
               {"news:a:b", "sr"},
               {"news", ""},
               {"anews:x", ""},
               {"xyz", "sr"},
               {"xz", ""}});
  expect_rows(R"([{"channels":["*"],"match":"wildcard","allow":["sub","pub","hst","prs"]}])",
              {{"anything", "sprh"}});
}

TEST(Capabilities, ExpressionsMustMatchTheWholeName) {
  expect_rows(R"_([{"channels":["^posts_[\\d]+$","room:(a|b)"],"match":"regex","allow":["sub"]}])_",
              {{"posts_1", "s"},
               {"posts_", ""},
               {"xposts_1", ""},
               {"room:a", "s"},
               {"room:ab", ""},
               {"my room:a", ""}});
  // Exponential for a backtracking matcher.
  expect_rows(R"_([{"channels":["(a*)*b"],"match":"regex","allow":["sub"]}])_",
              {{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", ""}});
}

TEST(Capabilities, NothingIsNothing) {
  for (const char* none : {"null", "[]"}) EXPECT_EQ(capabilities_of(none), nullptr);
  expect_rows(R"([{}, {"channels":null,"match":null,"allow":null},{"channels":["x"]}])",
              {{"x", ""}, {"", ""}});
}

TEST(Capabilities, WhatIsWrongMakesTheTokenInvalid) {
  for (const char* bad :
       {"{}", "1", "\"*\"", "[1]", "[null]", R"([{"channels":"x"}])", R"([{"channels":[1]}])",
        R"([{"channels":[""],"match":"wildcard","allow":["sub"]}])",
        R"([{"channels":["x"],"match":"glob"}])", R"([{"channels":["x"],"match":1}])",
        R"([{"channels":["x"],"allow":"sub"}])", R"([{"channels":["x"],"allow":["subscribe"]}])",
        R"([{"channels":["x"],"allow":[null]}])", R"([{"allow":["sub"],"allow":["pub"]}])"})
    EXPECT_FALSE(claims_with(bad).has_value()) << bad;
  RegexPool pool;
  for (const char* bad : {"(", "[", "a{2", "(?=x)", "\\1", "((a{100}){100}){100}"}) {
    std::vector<CapabilityRule> rules = {{.match = ChannelMatch::kRegex, .channels = {bad}}};
    EXPECT_EQ(Capabilities::build(rules, pool).has_value(), std::string_view(bad) == "a{2") << bad;
  }
}

std::string repeated(size_t times, const std::string& one) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += (i == 0 ? "" : ",") + one;
  return "[" + out + "]";
}

TEST(Capabilities, AreLimited) {
  const CapabilityLimits limits;
  EXPECT_TRUE(claims_with(repeated(limits.rules, "{}")).has_value());
  EXPECT_FALSE(claims_with(repeated(limits.rules + 1, "{}")).has_value());

  const auto patterns = [](size_t count) {
    return R"([{"channels":)" + repeated(count / 2, R"("x")") + R"(},{"channels":)" +
           repeated(count - count / 2, R"("y")") + "}]";
  };
  EXPECT_TRUE(claims_with(patterns(limits.patterns)).has_value());
  EXPECT_FALSE(claims_with(patterns(limits.patterns + 1)).has_value());

  const auto long_one = [](size_t size) {
    return R"([{"channels":[")" + std::string(size, 'x') + R"("]}])";
  };
  EXPECT_TRUE(claims_with(long_one(limits.pattern_bytes)).has_value());
  EXPECT_FALSE(claims_with(long_one(limits.pattern_bytes + 1)).has_value());

  const auto regexes = [](size_t count) {
    return R"([{"channels":)" + repeated(count, R"("x")") + R"(,"match":"regex"}])";
  };
  EXPECT_TRUE(claims_with(regexes(limits.regexes)).has_value());
  EXPECT_FALSE(claims_with(regexes(limits.regexes + 1)).has_value());
}

TEST(Capabilities, OfASubscription) {
  const auto read = [](const std::string& allow) {
    return read_claims(TokenUse::kSubscribe, R"({"channel":"x","allow":)" + allow + "}", {});
  };
  EXPECT_EQ(letters(read(R"(["pub","hst"])")->claims.grant.allow), "ph");
  EXPECT_EQ(letters(read("null")->claims.grant.allow), "");
  EXPECT_FALSE(read(R"(["all"])").has_value());
  EXPECT_FALSE(read(R"("pub")").has_value());
}

TEST(RegexPool, ShareWhatIsTheSame) {
  RegexPool pool;
  const auto first = pool.find("a+");
  EXPECT_EQ(pool.find("a+"), first);
  EXPECT_NE(pool.find("b+"), first);
  for (int i = 0; i < 10'000; ++i) pool.find("x" + std::to_string(i));
  EXPECT_LT(pool.size(), 200u) << "what nobody uses is forgotten";
  EXPECT_EQ(pool.find("a+"), first);
}

// Else who shows the same token again and again has it compiled again and again.
TEST(RegexPool, KeepsTheLatestThatNobodyHolds) {
  RegexPool pool;
  const std::weak_ptr<const re2::RE2> one = pool.find("a+");
  for (int i = 0; i < 63; ++i) pool.find("x" + std::to_string(i));
  EXPECT_FALSE(one.expired());
  const parley::testing::MetricDelta compiled("parley_regexes_compiled_total");
  pool.find("a+");
  EXPECT_EQ(compiled(), 0);
  pool.find("b+");
  EXPECT_EQ(compiled(), 1);
  EXPECT_TRUE(one.expired());
}

TEST(TokenAuthenticator, MakesCapabilitiesReadyOnceTheTokenIsBelieved) {
  testing::FakeFetcher fetcher;
  TokenAuthenticator tokens({.connect = testing::rules_of({.hmac_secret_key = "k"})}, fetcher);
  const auto verified = [&](const std::string& claims, const char* key) {
    return tokens.verify(TokenUse::kConnect,
                         testing::token_of(testing::hmac_key(key), "HS256", claims), testing::kNow,
                         {}, nullptr);
  };
  const std::string good = R"({"caps":[{"channels":["p_\\d"],"match":"regex","allow":["sub"]}]})";
  const auto result = verified(good, "k");
  ASSERT_TRUE(result && *result);
  EXPECT_EQ(letters((*result)->caps->of("p_1")), "s");
  EXPECT_EQ(verified(good, "another")->error(), TokenError::kInvalid);
  const char* late = R"_({"exp":1,"caps":[{"channels":["("],"match":"regex"}]})_";
  EXPECT_EQ(verified(late, "k")->error(), TokenError::kExpired) << "not worth compiling";
  EXPECT_EQ(verified(R"_({"caps":[{"channels":["("],"match":"regex"}]})_", "k")->error(),
            TokenError::kInvalid);
  EXPECT_EQ((*verified("{}", "k"))->caps, nullptr);
}

}  // namespace
}  // namespace parley::auth
