#include "auth/revocations.h"

#include <gtest/gtest.h>

#include "auth/revocable_authenticator.h"

namespace parley::auth {
namespace {

using Kind = Revocation::Kind;

std::optional<TokenError> judge(const Revocations& all, std::string_view user, TokenId token) {
  return all.judge(TokenUse::kConnect, user, token, {});
}

TEST(RevocationsTest, ABlockedUserIsBlockedUntilUnblockedOrExpired) {
  Revocations all;
  EXPECT_TRUE(all.empty());
  all.remember({.kind = Kind::kBlock, .subject = "ann"});
  all.remember({.kind = Kind::kBlock, .subject = "bob", .expire_at = 100});
  EXPECT_TRUE(all.is_blocked("ann"));
  EXPECT_EQ(judge(all, "bob", {}), TokenError::kBlocked);
  EXPECT_EQ(judge(all, "cid", {}), std::nullopt);
  all.expire(99);
  EXPECT_TRUE(all.is_blocked("bob"));
  all.expire(100);
  EXPECT_FALSE(all.is_blocked("bob"));
  all.remember({.kind = Kind::kUnblock, .subject = "ann"});
  all.remember({.kind = Kind::kUnblock, .subject = "nobody"});
  EXPECT_TRUE(all.empty());
}

TEST(RevocationsTest, TheLastBlockSaysHowLong) {
  Revocations all;
  all.remember({.kind = Kind::kBlock, .subject = "ann"});
  all.remember({.kind = Kind::kBlock, .subject = "ann", .expire_at = 100});
  all.remember({.kind = Kind::kBlock, .subject = "ann", .expire_at = 200});
  EXPECT_EQ(all.size(), 1u);
  all.expire(150);
  EXPECT_TRUE(all.is_blocked("ann"));
  all.expire(200);
  EXPECT_TRUE(all.empty());
}

TEST(RevocationsTest, ManyExpireInSeveralCalls) {
  Revocations all;
  for (int i = 0; i < 2500; ++i) {
    const std::string user = std::to_string(i);
    all.remember({.kind = Kind::kBlock, .subject = user, .expire_at = 10});
  }
  for (const size_t left : {1500u, 500u, 0u}) {
    all.expire(10);
    EXPECT_EQ(all.size(), left);
  }
}

TEST(RevocationsTest, ATokenByItsId) {
  Revocations all;
  all.remember({.kind = Kind::kToken, .subject = "t1", .expire_at = 10});
  EXPECT_EQ(judge(all, "ann", {.uid = "t1", .issued_at = 5}), TokenError::kRevoked);
  EXPECT_EQ(all.judge(TokenUse::kSubscribe, "ann", {.uid = "t1"}, "news"), TokenError::kRevoked);
  EXPECT_EQ(judge(all, "ann", {.uid = "t2"}), std::nullopt);
  EXPECT_EQ(judge(all, "ann", {}), std::nullopt);
  all.expire(10);
  EXPECT_EQ(judge(all, "ann", {.uid = "t1"}), std::nullopt);
}

TEST(RevocationsTest, TokensIssuedBeforeATime) {
  Revocations all;
  all.remember({.kind = Kind::kIssuedBefore, .subject = "ann", .issued_before = 1000});
  EXPECT_EQ(judge(all, "ann", {.issued_at = 999}), TokenError::kRevoked);
  EXPECT_EQ(judge(all, "ann", {.issued_at = 1000}), std::nullopt);
  EXPECT_EQ(judge(all, "ann", {.uid = "says not when"}), TokenError::kRevoked);
  EXPECT_EQ(judge(all, "bob", {.issued_at = 1}), std::nullopt);
  // Subscription tokens only where the channel is named, and then only they.
  EXPECT_EQ(all.judge(TokenUse::kSubscribe, "ann", {.issued_at = 1}, "news"), std::nullopt);
  all.remember(
      {.kind = Kind::kIssuedBefore, .subject = "bob", .channel = "news", .issued_before = 1000});
  EXPECT_EQ(all.judge(TokenUse::kSubscribe, "bob", {.issued_at = 1}, "news"), TokenError::kRevoked);
  EXPECT_EQ(all.judge(TokenUse::kSubscribe, "bob", {.issued_at = 1}, "other"), std::nullopt);
  EXPECT_EQ(judge(all, "bob", {.issued_at = 1}), std::nullopt);
}

TEST(RevocationsTest, OfTwoTimesTheStricterHolds) {
  Revocations all;
  const auto remember = [&all](int64_t before, int64_t expire_at) {
    all.remember({.kind = Kind::kIssuedBefore,
                  .subject = "ann",
                  .issued_before = before,
                  .expire_at = expire_at});
  };
  remember(1000, 2000);
  remember(500, 1500);
  EXPECT_EQ(all.size(), 1u);
  all.expire(1999);
  EXPECT_EQ(judge(all, "ann", {.issued_at = 999}), TokenError::kRevoked);
  remember(500, 0);
  remember(500, 2500);
  all.expire(1'000'000);
  EXPECT_EQ(judge(all, "ann", {.issued_at = 999}), TokenError::kRevoked);
}

TEST(RevocationsTest, NamesAreNotMixedUp) {
  Revocations all;
  all.remember({.kind = Kind::kIssuedBefore, .subject = "a", .channel = "bc", .issued_before = 9});
  EXPECT_EQ(all.judge(TokenUse::kSubscribe, "ab", {}, "c"), std::nullopt);
  EXPECT_EQ(judge(all, "abc", {}), std::nullopt);
  all.remember({.kind = Kind::kToken, .subject = "ann"});
  EXPECT_FALSE(all.is_blocked("ann"));
}

TEST(RevocationsTest, TheLimitIsForNewEntries) {
  Revocations all(2);
  const Revocation ann{.kind = Kind::kBlock, .subject = "ann"};
  const Revocation token{.kind = Kind::kToken, .subject = "t"};
  const Revocation other{.kind = Kind::kToken, .subject = "u"};
  all.remember(ann);
  EXPECT_TRUE(all.has_room(token));
  all.remember(token);
  EXPECT_FALSE(all.has_room(other));
  EXPECT_TRUE(all.has_room(token));
  EXPECT_TRUE(all.has_room({.kind = Kind::kUnblock, .subject = "x"}));
  all.remember({.kind = Kind::kUnblock, .subject = "ann"});
  EXPECT_TRUE(all.has_room(other));
}

// Answers when it is told to.
class LateTokens final : public Authenticator {
 public:
  std::optional<TokenResult> verify(TokenUse, std::string_view, WallMillis, Asker,
                                    Done asked) override {
    if (!late) return good;
    done = std::move(asked);
    return std::nullopt;
  }
  Claims good{.user = "ann", .id = {.uid = "t1", .issued_at = 5}};
  bool late = false;
  Done done;
};

TEST(RevocableAuthenticatorTest, LooksWhenTheAnswerComes) {
  LateTokens inner;
  Revocations all;
  RevocableAuthenticator tokens(inner, all);
  std::optional<TokenResult> told;
  const auto verify = [&] {
    return tokens.verify(TokenUse::kConnect, "x", 0, {},
                         [&](TokenResult r) { told = std::move(r); });
  };
  EXPECT_EQ(verify()->value().user, "ann");
  inner.late = true;
  EXPECT_FALSE(verify().has_value());
  all.remember({.kind = Kind::kToken, .subject = "t1"});
  inner.done(inner.good);
  EXPECT_EQ(told->error(), TokenError::kRevoked);
  inner.late = false;
  EXPECT_EQ(verify()->error(), TokenError::kRevoked);
  all.remember({.kind = Kind::kBlock, .subject = "ann"});
  EXPECT_EQ(verify()->error(), TokenError::kBlocked);
}

}  // namespace
}  // namespace parley::auth
