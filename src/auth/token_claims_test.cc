#include "auth/token_claims.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

std::optional<TokenClaims> connect(std::string_view json) {
  return read_claims(TokenUse::kConnect, json, {});
}
std::optional<TokenClaims> subscribe(std::string_view json) {
  return read_claims(TokenUse::kSubscribe, json, {});
}

TEST(TokenClaims, OfAConnection) {
  const auto read = connect(
      R"({"sub":"42","exp":1700000000.75,"nbf":1600000000,"iat":1,"jti":"x","iss":"me","aud":["a","b"],
          "info":{"name":
          "Ann"},"channels":["x","y","x"],"meta":{"k":[1, 2]},"unknown":{"sub":1}})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->claims.user, "42");
  EXPECT_EQ(read->expires, 1700000000750);
  EXPECT_EQ(read->not_before, 1600000000000);
  EXPECT_EQ(read->issuer, "me");
  EXPECT_EQ(read->audience, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read->claims.info.find('\n'), std::string::npos);
  EXPECT_EQ(read->claims.expires_at, 1700000000);
  EXPECT_TRUE(read->claims.meta.starts_with(R"({"k":[1,)"));
  ASSERT_EQ(read->claims.subscriptions.size(), 2u);
  EXPECT_EQ(read->claims.subscriptions[0].channel, "x");
  EXPECT_EQ(read->claims.subscriptions[1].channel, "y");
}

TEST(TokenClaims, SubsWinOverChannelsAndBase64OverJson) {
  const auto read = connect(
      R"({"channels":["x"],"info":1,"b64info":"AQI=","subs":{
          "a":{"info":{"i":1},"data":2,"b64data":"aGk=","override":{"presence":{"value":true},
               "join_leave":{"value":false},"force_push_join_leave":{},"force_positioning":null,
               "force_recovery":{"value":true,"why":"x"},"other":{"value":3}}},
          "b":null,"c":{"b64info":"","info":"s"}}})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->claims.info, "\x01\x02");
  ASSERT_EQ(read->claims.subscriptions.size(), 3u);
  const Grant& a = read->claims.subscriptions[0];
  EXPECT_EQ(a.channel, "a");
  EXPECT_EQ(a.info, R"({"i":1})");
  EXPECT_EQ(a.data, "hi");
  EXPECT_EQ(a.overrides.presence, true);
  EXPECT_EQ(a.overrides.join_leave, false);
  EXPECT_EQ(a.overrides.force_push_join_leave, false);
  EXPECT_EQ(a.overrides.force_positioning, std::nullopt);
  EXPECT_EQ(a.overrides.force_recovery, true);
  EXPECT_EQ(read->claims.subscriptions[2].info, R"("s")");
  EXPECT_EQ(connect(R"({"subs":{},"channels":["x"]})")->claims.subscriptions.size(), 1u);
}

TEST(TokenClaims, OfASubscription) {
  const auto read = subscribe(
      R"({"sub":"42","channel":"news","client":"c1","info":{"a":1},"b64data":"aGk=","data":1,"expire_at":5,
          "exp":9,"override":{"presence":{"value":false}},"subs":7,"meta":7})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->claims.user, "42");
  EXPECT_EQ(read->claims.grant.channel, "news");
  EXPECT_EQ(read->claims.grant.info, R"({"a":1})");
  EXPECT_EQ(read->claims.grant.data, "hi");
  EXPECT_EQ(read->claims.grant.overrides.presence, false);
  EXPECT_EQ(read->claims.client, "c1");
  EXPECT_EQ(read->claims.expires_at, 5);
  EXPECT_TRUE(read->claims.subscriptions.empty());
  EXPECT_TRUE(read->claims.info.empty());
}

TEST(TokenClaims, TheUseDecidesAboutTheChannel) {
  EXPECT_TRUE(connect("{}").has_value());
  EXPECT_TRUE(connect(R"({"channel":""})").has_value());
  EXPECT_TRUE(connect(R"({"channel":null})").has_value());
  EXPECT_FALSE(connect(R"({"channel":"x"})").has_value());
  EXPECT_TRUE(subscribe(R"({"channel":"x"})").has_value());
  EXPECT_FALSE(subscribe("{}").has_value());
  EXPECT_FALSE(subscribe(R"({"channel":""})").has_value());
  EXPECT_FALSE(subscribe(R"({"channel":null})").has_value());
}

TEST(TokenClaims, ExpiryOfTheConnectionIsExpireAtOrElseExp) {
  const auto expiry = [](std::string_view json) { return connect(json)->claims.expires_at; };
  EXPECT_EQ(expiry("{}"), std::nullopt);
  EXPECT_EQ(expiry(R"({"exp":100})"), 100);
  EXPECT_EQ(expiry(R"({"exp":-0.5})"), -1);
  EXPECT_EQ(expiry(R"({"exp":100,"expire_at":200})"), 200);
  EXPECT_EQ(expiry(R"({"exp":100,"expire_at":0})"), std::nullopt);
  EXPECT_EQ(expiry(R"({"exp":100,"expire_at":-5})"), std::nullopt);
  EXPECT_EQ(expiry(R"({"exp":100,"expire_at":null})"), 100);
}

TEST(TokenClaims, NamedUserClaimReplacesSub) {
  const ClaimOptions options{.user_claim = "email"};
  const auto read = read_claims(TokenUse::kConnect, R"({"sub":7,"email":"a@b"})", options);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->claims.user, "a@b");
  EXPECT_EQ(read_claims(TokenUse::kConnect, R"({"sub":"7"})", options)->claims.user, "");
  for (const char* name : {"exp", "aud", "channel", "info", "subs", "client"})
    EXPECT_TRUE(is_reserved_claim(name)) << name;
  EXPECT_FALSE(is_reserved_claim("email"));
}

TEST(TokenClaims, WrongTypesDuplicatesAndDatesBeyondReasonAreRefused) {
  const char* const bad[] = {
      "",
      " ",
      "null",
      "[]",
      "1",
      "\"x\"",
      "{",
      "{}{}",
      "{} x",
      "{\"sub\":\"\xff\"}",
      R"({"sub":1})",
      R"({"sub":["1"]})",
      R"({"sub":"1","sub":"1"})",
      R"({"sub":"1","s\u0075b":"2"})",
      R"({"sub":"\ud800"})",
      R"({"exp":"1"})",
      R"({"exp":true})",
      R"({"exp":{}})",
      R"({"exp":[]})",
      R"({"exp":1e400})",
      R"({"exp":-1e400})",
      R"({"exp":1e300})",
      R"({"exp":9007199254741})",
      R"({"exp":99999999999999999999})",
      R"({"exp":NaN})",
      R"({"exp":Infinity})",
      R"({"exp":-Infinity})",
      R"({"exp":0x10})",
      R"({"exp":+1})",
      R"({"exp":01})",
      R"({"exp":1.})",
      R"({"nbf":"0"})",
      R"({"nbf":1e99})",
      R"({"expire_at":"0"})",
      R"({"expire_at":1e99})",
      R"({"iss":1})",
      R"({"iss":["a"]})",
      R"({"aud":1})",
      R"({"aud":[1]})",
      R"({"aud":{"a":1}})",
      R"({"aud":["a",null]})",
      R"({"channel":1})",
      R"({"b64info":1})",
      R"({"b64info":"A"})",
      R"({"b64info":"AQI"})",
      R"({"b64info":"AQJ="})",
      R"({"channels":{}})",
      R"({"channels":[1]})",
      R"({"channels":"x"})",
      R"({"subs":[]})",
      R"({"subs":{"a":1}})",
      R"({"subs":{"a":{},"a":{}}})",
      R"({"subs":{"a":{"b64data":"*"}}})",
      R"({"subs":{"a":{"override":1}}})",
      R"({"subs":{"a":{"override":{"presence":true}}}})",
      R"({"subs":{"a":{"override":{"presence":{"value":1}}}}})",
      R"({"subs":{"a":{"info":1,"info":2}}})",
      R"({"meta":1})",
      R"({"meta":[]})",
      R"({"meta":"{}"})",
  };
  for (const char* json : bad) EXPECT_FALSE(connect(json).has_value()) << json;
  EXPECT_FALSE(subscribe(R"({"channel":"x","client":1})").has_value());
  EXPECT_FALSE(subscribe(R"({"channel":"x","override":[]})").has_value());
  EXPECT_FALSE(subscribe(R"({"channel":"x","b64data":"*"})").has_value());
  const std::string deep = R"({"info":)" + std::string(40, '[') + std::string(40, ']') + "}";
  EXPECT_FALSE(connect(deep).has_value());
}

TEST(TokenClaims, WhatATokenCanBeTakenBackBy) {
  const auto id = [](std::string_view json) {
    const auto claims = connect(json);
    return claims ? claims->claims.id : TokenId{"invalid"};
  };
  EXPECT_EQ(id("{}"), TokenId{});
  EXPECT_EQ(id(R"({"jti":"t1","iat":1700000000.9})"), (TokenId{"t1", 1'700'000'000}));
  EXPECT_EQ(id(R"({"jti":null,"iat":null})"), TokenId{});
  EXPECT_EQ(id(R"({"jti":5})").uid, "invalid");
  EXPECT_EQ(id(R"({"iat":"5"})").uid, "invalid");
  EXPECT_TRUE(is_reserved_claim("jti") && is_reserved_claim("iat"));
}

}  // namespace
}  // namespace parley::auth
