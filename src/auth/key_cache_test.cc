#include "auth/key_cache.h"

#include <set>

#include <gmock/gmock.h>

#include "auth/token_testing.h"
#include "tests/support/metric_delta.h"

namespace parley::auth {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr WallMillis kMinute = 60'000;
constexpr WallMillis kHour = 60 * kMinute;
const std::string kUrl = "https://keys.example/set";

const Algorithm& es256() { return *find_algorithm("ES256"); }

std::string key_set(const std::string& kid) {
  return "{\"keys\":[" + public_jwk(ec_key(), "\"kid\":\"" + kid + "\",") + "]}";
}

// Answers as words, in the order in which they came.
struct CacheFixture {
  FakeFetcher fetcher;
  KeyCache cache{fetcher};
  std::vector<std::string> later;

  static std::string word(const KeyCache::Found& found) {
    if (found) return "key";
    return found.error() == TokenError::kUnknownKey ? "unknown" : "unavailable";
  }
  std::string find(const std::string& kid, WallMillis now, const char* algorithm = "ES256",
                   WallMillis issued_at = 0) {
    const auto found = cache.find(kUrl, {kid, *find_algorithm(algorithm), issued_at}, now, {},
                                  [this, kid](const KeyCache::Found& key, WallMillis) {
                                    later.push_back(kid + " " + word(key));
                                  });
    return found ? word(*found) : "waits";
  }
  void fetched(const Result<std::string>& body, WallMillis now, WallMillis age = 0) {
    cache.on_fetched(kUrl, body, now, age);
    cache.turn(now);
  }
  void failed(WallMillis now) { fetched(fail("timed out"), now); }
};

TEST(KeySet, TakesTheKeysItKnows) {
  const std::string set =
      "{\"a\":1,\"keys\":[" + public_jwk(rsa_key(), R"("kid":"r",)") + "," +
      public_jwk(ec_key("P-384"), R"("kid":"e","use":"sig",)") + "," +
      public_jwk(ed25519_key(), R"("kid":"o",)") + "," + public_jwk(ec_key(), R"("kid":"same",)") +
      "," + public_jwk(rsa_key(), R"("kid":"same",)") + "," + public_jwk(rsa_key()) + "," +
      public_jwk(rsa_key(), R"("kid":"enc","use":"enc",)") + "," +
      public_jwk(rsa_key(), R"("kid":"private","d":"AQAB",)") +
      R"(,{"kty":"oct","kid":"s","k":"c2VjcmV0"},{"kty":"new","kid":"n"},7,null,{"kty":7,"kid":"x"}]})";
  const auto keys = KeySet::parse(set, {});
  ASSERT_TRUE(keys.has_value());
  EXPECT_EQ(keys->size(), 5u);
  const auto has = [&](const char* kid, const char* name) {
    return keys->find(kid, *find_algorithm(name)) != nullptr;
  };
  EXPECT_TRUE(has("r", "RS256") && has("e", "ES384") && has("o", "EdDSA"));
  EXPECT_TRUE(has("same", "ES256") && has("same", "RS512"));
  EXPECT_FALSE(has("r", "ES256") || has("e", "ES256") || has("s", "HS256") || has("r", "HS256"));
  EXPECT_FALSE(has("enc", "RS256") || has("private", "RS256") || has("", "RS256") ||
               has("R", "RS256"));
}

TEST(KeySet, DocumentsThatAreNoneAreRefused) {
  for (const char* bad :
       {"", "[]", "{}", R"({"keys":{}})", R"({"keys":null})", R"({"keys":[],"keys":[]})",
        R"({"keys":[}})", R"({"keys":[]} x)", "<html>"})
    EXPECT_FALSE(KeySet::parse(bad, {}).has_value()) << bad;
  EXPECT_EQ(KeySet::parse(R"({"keys":[]})", {})->size(), 0u);
  EXPECT_TRUE(KeySet::parse(R"({"keys":[1,2,3]})", {.max_keys = 3}).has_value());
  EXPECT_FALSE(KeySet::parse(R"({"keys":[1,2,3,4]})", {.max_keys = 3}).has_value());
  EXPECT_FALSE(KeySet::parse(R"({"keys":[]})", {.max_size = 10}).has_value());
  std::string many = R"({"keys":[0)";
  for (int i = 0; i < 100; ++i) many += ",0";
  EXPECT_FALSE(KeySet::parse(many + "]}", {}).has_value());
}

TEST(KeyCache, FetchesOnceForAllThatWait) {
  CacheFixture f;
  EXPECT_EQ(f.find("a", kNow), "waits");
  EXPECT_EQ(f.find("b", kNow), "waits");
  EXPECT_EQ(f.find("a", kNow + 1), "waits");
  EXPECT_THAT(f.fetcher.urls, ElementsAre(kUrl));
  f.fetched(key_set("a"), kNow + 5);
  EXPECT_THAT(f.later, ElementsAre("a key", "b unknown", "a key"));
  EXPECT_EQ(f.find("a", kNow + kHour - 1), "key");
  EXPECT_EQ(f.find("a", kNow + 6, "ES384"), "unavailable");
  EXPECT_EQ(f.fetcher.urls.size(), 1u);
}

TEST(KeyCache, UnknownNameIsAskedForOnceAMinute) {
  CacheFixture f;
  EXPECT_EQ(f.find("a", kNow), "waits");
  f.fetched(key_set("a"), kNow);
  EXPECT_EQ(f.find("b", kNow + kMinute - 1), "unavailable");
  EXPECT_EQ(f.fetcher.urls.size(), 1u);
  EXPECT_EQ(f.find("b", kNow + kMinute), "waits");
  EXPECT_EQ(f.find("a", kNow + kMinute), "key") << "a known key does not wait";
  f.fetched(key_set("b"), kNow + kMinute);
  EXPECT_THAT(f.later, ElementsAre("a key", "b key"));
  EXPECT_EQ(f.find("a", kNow + kMinute), "unknown") << "a key that was withdrawn";
}

TEST(KeyCache, NothingFetchedYetIsUnavailable) {
  CacheFixture f;
  EXPECT_EQ(f.find("a", kNow), "waits");
  f.failed(kNow + 10);
  EXPECT_THAT(f.later, ElementsAre("a unavailable"));
  EXPECT_EQ(f.find("a", kNow + kMinute - 1), "unavailable");
  EXPECT_EQ(f.find("a", kNow + kMinute), "waits");
  f.fetched("no json", kNow + kMinute);
  EXPECT_EQ(f.find("a", kNow + kMinute), "unavailable");
  EXPECT_EQ(f.find("a", kNow + 2 * kMinute), "waits");
  f.fetched(key_set("a"), kNow + 2 * kMinute);
  EXPECT_EQ(f.find("a", kNow + 2 * kMinute), "key");
  EXPECT_EQ(f.fetcher.urls.size(), 3u);
}

TEST(KeyCache, OldKeysServeWhileFetchingFails) {
  CacheFixture f;
  f.find("a", kNow);
  f.fetched(key_set("a"), kNow);
  const WallMillis stale = kNow + kHour;
  EXPECT_EQ(f.find("a", stale), "waits");
  EXPECT_EQ(f.find("b", stale), "waits");
  f.failed(stale + 10);
  EXPECT_THAT(f.later, ElementsAre("a key", "a key", "b unavailable"));
  EXPECT_EQ(f.find("a", stale + 20), "key");
  EXPECT_EQ(f.find("b", stale + 20), "unavailable");
  EXPECT_EQ(f.fetcher.urls.size(), 2u);
  EXPECT_EQ(f.find("a", stale + kMinute), "waits");
  f.fetched(key_set("b"), stale + kMinute);
  EXPECT_EQ(f.later.back(), "a unknown");
}

// Who is told that its key is unknown does not come again.
TEST(KeyCache, AKeyThatMayBeNewerThanTheSetIsNotUnknown) {
  CacheFixture f;
  f.find("old", kNow);
  f.fetched(key_set("old"), kNow + 10);
  EXPECT_EQ(f.find("new", kNow + 20), "unavailable") << "no fetch for another minute";
  EXPECT_EQ(f.fetcher.urls.size(), 1u);
  EXPECT_EQ(f.find("new", kNow + kMinute), "waits");
  EXPECT_EQ(f.find("newer", kNow + kMinute + 1), "waits");
  f.fetched(key_set("old"), kNow + kMinute + 500);
  EXPECT_THAT(f.later, ElementsAre("old key", "new unknown", "newer unavailable"))
      << "the last was asked for when the answer was on its way, perhaps";
}

TEST(KeyCache, AnOldTokenWithAnUnknownKeyHasNone) {
  CacheFixture f;
  f.find("old", kNow);
  f.fetched(key_set("old"), kNow);
  const auto issued = [&](WallMillis at) { return f.find("new", kNow + 100, "ES256", at); };
  EXPECT_EQ(issued(kNow - kMinute), "unknown");
  EXPECT_EQ(issued(1), "unknown");
  EXPECT_EQ(issued(-1), "unknown");
  EXPECT_EQ(issued(kNow - kMinute + 1), "unavailable") << "clocks differ";
  EXPECT_EQ(issued(kNow + kHour), "unavailable");
  EXPECT_EQ(issued(0), "unavailable") << "it does not say";
}

// Clients that come back every few seconds until they are told that their key is unknown; who has
// been told. Fetches are answered at once, with `in_set`.
struct RetryFixture : CacheFixture {
  explicit RetryFixture(WallMillis issued) : issued_at(issued) {
    find("old", kNow);
    fetched(key_set("old"), kNow);
    later.clear();
  }
  // Of `clients`, each of which asks every 5 s from `start` on.
  size_t told(const std::string& kid, size_t clients, WallMillis start, WallMillis end,
              const std::string& in_set = "old") {
    std::set<size_t> out;
    for (WallMillis now = start; now < end; now += 100)
      for (size_t client = 0; client < clients; ++client) {
        const bool asks = (now - start) % 5'000 == static_cast<WallMillis>(client % 50) * 100;
        if (asks && !out.contains(client) && ask(kid, now, in_set) == "unknown") out.insert(client);
      }
    return out.size();
  }
  std::string ask(const std::string& kid, WallMillis now, const std::string& in_set) {
    const std::string said = find(kid, now, "ES256", issued_at);
    if (said != "waits") return said;
    fetched(key_set(in_set), now);
    const std::string answer = later.back();
    return answer.substr(answer.find(' ') + 1);
  }
  WallMillis issued_at;
};

TEST(KeyCache, AllWhoComeBackWithABadTokenAreTold) {
  for (const WallMillis issued : {WallMillis{0}, kNow + kHour}) {
    RetryFixture f(issued);
    EXPECT_EQ(f.told("bad", 500, kNow + 1'000, kNow + kMinute + 6'000), 500u) << issued;
    EXPECT_EQ(f.told("bad", 500, kNow + 5 * kMinute, kNow + 6 * kMinute + 6'000), 500u)
        << "and those who come later: " << issued;
  }
}

TEST(KeyCache, ARotatedKeyIsNeverUnknownToThoseWhoComeBack) {
  for (const WallMillis issued : {WallMillis{0}, kNow + kHour}) {
    RetryFixture f(issued);
    EXPECT_EQ(f.told("new", 500, kNow + 1'000, kNow + 5 * kMinute, "new"), 0u) << issued;
    EXPECT_EQ(f.find("new", kNow + 5 * kMinute), "key");
  }
}

// A name may have been tried before its key existed.
TEST(KeyCache, ThatANameWasAskedForIsForgotten) {
  CacheFixture f;
  f.find("old", kNow);
  f.fetched(key_set("old"), kNow);
  EXPECT_EQ(f.find("new", kNow + 1), "unavailable");
  EXPECT_EQ(f.find("other", kNow + kMinute), "waits");
  f.fetched(key_set("old"), kNow + kMinute);
  EXPECT_EQ(f.find("new", kNow + 2 * kMinute - 1), "unknown");
  EXPECT_EQ(f.find("third", kNow + 2 * kMinute), "waits");
  f.fetched(key_set("old"), kNow + 2 * kMinute);
  EXPECT_EQ(f.find("new", kNow + 2 * kMinute), "unknown");
  EXPECT_EQ(f.find("new", kNow + 2 * kMinute + 1), "unavailable") << "first asked for now";
}

TEST(KeyCache, OnlySoManyNamesAreRemembered) {
  EXPECT_EQ(KeyCacheLimits{}.missing_names, 64u);
  FakeFetcher fetcher;
  KeyCache cache(fetcher, {.missing_names = 2});
  const auto find = [&](const std::string& kid, WallMillis now) {
    const auto found =
        cache.find(kUrl, {kid, es256()}, now, {}, [](const KeyCache::Found&, WallMillis) {});
    return found ? CacheFixture::word(*found) : "waits";
  };
  const auto fetched = [&](WallMillis now) {
    cache.on_fetched(kUrl, key_set("old"), now);
    cache.turn(now);
  };
  EXPECT_EQ(find("old", kNow), "waits");
  fetched(kNow);
  for (const char* kid : {"made up", "made up, too", "bad"})
    EXPECT_EQ(find(kid, kNow + 1), "unavailable");
  EXPECT_EQ(find("other", kNow + kMinute), "waits");
  fetched(kNow + kMinute);
  EXPECT_EQ(find("made up", kNow + kMinute + 1), "unknown");
  EXPECT_EQ(find("bad", kNow + kMinute + 1), "unavailable") << "as if it came now";
  EXPECT_EQ(find("bad", kNow + 2 * kMinute + 1), "waits");
  fetched(kNow + 2 * kMinute + 1);
  EXPECT_EQ(find("bad", kNow + 2 * kMinute + 2), "unknown") << "the others made room";
}

// What others are told is all that made-up names can change: nobody with a good token is kept out.
TEST(KeyCache, WhoFillsTheNamesKeepsNoGoodTokenOut) {
  RetryFixture f(0);
  const auto fill = [&](WallMillis now) {
    for (size_t i = 0; i < KeyCacheLimits{}.missing_names; ++i)
      f.find("made up " + std::to_string(i), now);
  };
  fill(kNow + 1);
  EXPECT_EQ(f.told("bad", 500, kNow + 1'000, kNow + kMinute + 6'000), 10u)
      << "those who ask in the millisecond in which the fetch begins";
  EXPECT_EQ(f.told("new", 500, kNow + 2 * kMinute + 10, kNow + 4 * kMinute, "new"), 0u);
  EXPECT_EQ(f.find("new", kNow + 4 * kMinute), "key");
  EXPECT_EQ(f.told("bad", 500, kNow + 5 * kMinute, kNow + 6 * kMinute + 6'000, "new"), 500u)
      << "two minutes after they stopped";
}

// Which another shard had asked for.
TEST(KeyCache, ACopyIsAsOldAsItIs) {
  CacheFixture f;
  EXPECT_EQ(f.find("new", kNow), "waits");
  f.fetched(key_set("old"), kNow + 1, 50'000);
  EXPECT_THAT(f.later, ElementsAre("new unavailable"));
  EXPECT_EQ(f.find("old", kNow + kHour - 50'000), "key");
  EXPECT_EQ(f.find("new", kNow + 10'000), "unavailable");
  EXPECT_EQ(f.find("new", kNow + 10'001), "waits") << "a minute behind that one";
  f.fetched(fail("timed out"), kNow + 10'002, 1'000);
  EXPECT_EQ(f.find("new", kNow + kMinute + 9'001), "unavailable");
  EXPECT_EQ(f.find("new", kNow + kMinute + 9'002), "waits");
}

TEST(KeyCache, WaitersAndUrlsAreBounded) {
  FakeFetcher fetcher;
  KeyCache cache(fetcher, {.max_waiters = 2, .max_urls = 2});
  struct Present final : Askers {
    bool is_there(uint64_t) const override { return true; }
  } present;
  int answers = 0;
  uint64_t asker = 0;
  const auto find = [&](const std::string& url, WallMillis now) {
    return cache.find(url, {"a", es256()}, now, {&present, ++asker},
                      [&](const KeyCache::Found&, WallMillis) { ++answers; });
  };
  EXPECT_FALSE(find("u1", kNow).has_value());
  EXPECT_FALSE(find("u1", kNow).has_value());
  for (const char* url : {"u1", "u2"}) {
    const auto full = find(url, kNow);
    ASSERT_TRUE(full.has_value());
    EXPECT_EQ(full->error(), TokenError::kUnavailable);
  }
  EXPECT_THAT(fetcher.urls, ElementsAre("u1"));
  cache.on_fetched("u1", key_set("a"), kNow);
  EXPECT_EQ(find("u2", kNow)->error(), TokenError::kUnavailable) << "they wait for their turn";
  cache.turn(kNow);
  EXPECT_EQ(answers, 2);
  EXPECT_FALSE(find("u2", kNow).has_value());
  cache.on_fetched("u2", fail("refused"), kNow);
  EXPECT_EQ(find("u3", kNow)->error(), TokenError::kUnavailable)
      << "u1 has keys, u2 failed just now";
  EXPECT_FALSE(find("u3", kNow + kMinute).has_value()) << "u2 made room";
  EXPECT_TRUE(find("u1", kNow + kMinute)->has_value());
}

TEST(KeyCache, AnswersNobodyAskedForAreIgnored) {
  CacheFixture f;
  f.fetched(key_set("a"), kNow);
  EXPECT_EQ(f.find("a", kNow), "waits");
  f.fetched(key_set("a"), kNow);
  f.fetched(key_set("b"), kNow);
  EXPECT_EQ(f.find("a", kNow), "key");
  EXPECT_THAT(f.later, ElementsAre("a key"));
}

TEST(KeyCache, AWaiterMayAskAgain) {
  FakeFetcher fetcher;
  KeyCache cache(fetcher, {.max_urls = 2});
  std::vector<std::string> seen;
  for (int i = 0; i < 3; ++i)
    cache.find("u1", {"a", es256()}, kNow, {}, [&](const KeyCache::Found& key, WallMillis now) {
      seen.push_back(CacheFixture::word(key));
      cache.find("u2", {"a", es256()}, now + kMinute, {},
                 [](const KeyCache::Found&, WallMillis) {});
    });
  cache.on_fetched("u1", key_set("a"), kNow);
  cache.turn(kNow);
  EXPECT_THAT(seen, ElementsAre("key", "key", "key"));
  EXPECT_THAT(fetcher.urls, ElementsAre("u1", "u2"));
}

// Those who ask, by number, and what they were told.
struct CrowdFixture : Askers {
  explicit CrowdFixture(const KeyCacheLimits& limits) : cache(fetcher, limits) {}
  bool is_there(uint64_t asker) const override {
    ++looked_for;
    return !gone.contains(asker);
  }
  std::string find(uint64_t asker, const std::string& kid = "a", WallMillis now = kNow) {
    return find_for({this, asker}, kid, now);
  }
  // Who posts and leaves; 0: from an address that is not known.
  std::string find_from(uint64_t address) { return find_for({nullptr, address}, "a", kNow); }
  std::string find_for(const Asker& who, const std::string& kid, WallMillis now) {
    const uint64_t asker = who.id;
    const auto found = cache.find(
        kUrl, {kid, es256()}, now, who, [this, asker](const KeyCache::Found& key, WallMillis) {
          told.push_back(std::to_string(asker) + " " + CacheFixture::word(key));
        });
    return found ? CacheFixture::word(*found) : "waits";
  }
  void fetched() { cache.on_fetched(kUrl, key_set("a"), kNow); }
  // What is told in one turn.
  std::vector<std::string> turn() {
    cache.turn(kNow);
    return std::exchange(told, {});
  }

  std::set<uint64_t> gone;
  mutable size_t looked_for = 0;
  std::vector<std::string> told;
  FakeFetcher fetcher;
  KeyCache cache;
};

TEST(KeyCache, OnlySoManySignaturesAreForOneTurn) {
  CrowdFixture f({.verified_per_turn = 2, .answered_per_turn = 3});
  for (uint64_t asker = 1; asker <= 4; ++asker) EXPECT_EQ(f.find(asker), "waits");
  for (uint64_t asker = 5; asker <= 9; ++asker) EXPECT_EQ(f.find(asker, "b"), "waits");
  EXPECT_FALSE(f.cache.has_work());
  f.fetched();
  EXPECT_THAT(f.told, IsEmpty());
  EXPECT_TRUE(f.cache.has_work());
  EXPECT_THAT(f.turn(), ElementsAre("1 key", "2 key"));
  EXPECT_THAT(f.turn(), ElementsAre("3 key", "4 key"));
  EXPECT_THAT(f.turn(), ElementsAre("5 unknown", "6 unknown", "7 unknown")) << "no signatures";
  EXPECT_THAT(f.turn(), ElementsAre("8 unknown", "9 unknown"));
  EXPECT_FALSE(f.cache.has_work());
}

TEST(KeyCache, WhoHasGoneCostsNoSignature) {
  CrowdFixture f({.verified_per_turn = 2});
  for (uint64_t asker = 1; asker <= 30; ++asker) EXPECT_EQ(f.find(asker), "waits");
  for (uint64_t asker = 2; asker <= 29; ++asker) f.gone.insert(asker);
  f.fetched();
  EXPECT_THAT(f.turn(), ElementsAre("1 key", "30 key"));
}

TEST(KeyCache, OneAskerHasAFewOfThePlaces) {
  const parley::testing::MetricDelta refused("parley_tokens_not_waiting_total");
  CrowdFixture f({.waiters_each = 2});
  EXPECT_EQ(f.find(1), "waits");
  EXPECT_EQ(f.find(1), "waits");
  EXPECT_EQ(f.find(1), "unavailable");
  EXPECT_EQ(f.find(2), "waits");
  EXPECT_EQ(refused(), 1);
  f.fetched();
  EXPECT_EQ(f.find(1), "unavailable") << "it has them until it is answered";
  f.turn();
  EXPECT_EQ(f.find(1), "key");
}

TEST(KeyCache, WhoHasGoneMakesRoom) {
  CrowdFixture f({.max_waiters = 3});
  for (uint64_t asker = 1; asker <= 3; ++asker) EXPECT_EQ(f.find(asker), "waits");
  EXPECT_EQ(f.find(4), "unavailable");
  f.gone = {1, 3};
  EXPECT_EQ(f.find(5), "unavailable") << "they are looked for once a turn";
  EXPECT_THAT(f.turn(), IsEmpty());
  EXPECT_EQ(f.find(5), "waits");
  EXPECT_EQ(f.find(6), "waits");
  EXPECT_EQ(f.find(7), "unavailable");
  EXPECT_THAT(f.turn(), IsEmpty());
  f.fetched();
  f.gone.insert(5);
  EXPECT_EQ(f.find(8, "b"), "unknown") << "who has nothing that waits is told at once";
  EXPECT_EQ(f.find(6), "waits");
  EXPECT_THAT(f.turn(), ElementsAre("2 key", "6 key", "6 key"));
}

TEST(KeyCache, WhoHasGoneIsLookedForOnceATurn) {
  CrowdFixture f({.max_waiters = 100});
  for (uint64_t asker = 1; asker <= 100; ++asker) f.find(asker);
  f.looked_for = 0;
  for (uint64_t asker = 101; asker <= 200; ++asker) EXPECT_EQ(f.find(asker), "unavailable");
  EXPECT_EQ(f.looked_for, 200u) << "each of those who wait, and of those who ask";
  f.turn();
  f.gone = {1};
  EXPECT_EQ(f.find(201), "waits");
}

TEST(KeyCache, WhoPostsAndLeavesHasHalfOfThePlaces) {
  CrowdFixture f({.max_waiters = 4, .passing_waiters = 2});
  EXPECT_EQ(f.find_from(0), "waits");
  EXPECT_EQ(f.find_from(7), "waits");
  for (const uint64_t address : {0, 7, 8}) EXPECT_EQ(f.find_from(address), "unavailable");
  EXPECT_EQ(f.find(1), "waits");
  EXPECT_EQ(f.find(2), "waits");
  f.fetched();
  EXPECT_EQ(f.find_from(8), "key") << "and nothing keeps it";
  EXPECT_THAT(f.turn(), ElementsAre("0 key", "7 key", "1 key", "2 key"));
  EXPECT_EQ(KeyCacheLimits{}.passing_waiters, 500u);
  EXPECT_EQ(f.find(3, "a", kNow + kHour), "waits");
  EXPECT_EQ(f.find_for({}, "a", kNow + kHour), "waits");
}

TEST(KeyCache, OneAddressHasAFewOfThem) {
  CrowdFixture f({.waiters_each = 2});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(f.find_from(7), "waits");
  EXPECT_EQ(f.find_from(7), "unavailable");
  EXPECT_EQ(f.find_from(8), "waits");
  EXPECT_EQ(f.find(7), "waits") << "a session is no address";
  f.fetched();
  EXPECT_EQ(f.find_from(7), "key") << "what comes over one connection owes another's no order";
  EXPECT_EQ(f.turn().size(), 4u);
}

// Whoever fills the places while keys are fetched anew.
TEST(KeyCache, AKnownKeyNeedsNoPlaceForALittleLonger) {
  const WallMillis stale = kNow + kHour;
  for (const WallMillis late : {WallMillis{0}, kMinute - 1, kMinute}) {
    CrowdFixture f({.max_waiters = 1});
    f.find(1);
    f.fetched();
    f.turn();
    EXPECT_EQ(f.find(2, "x", stale + late), "waits");
    EXPECT_EQ(f.find(3, "a", stale + late), late < kMinute ? "key" : "unavailable") << late;
    EXPECT_EQ(f.find(3, "b", stale + late), "unavailable");
    EXPECT_EQ(f.fetcher.urls.size(), 2u);
    f.cache.on_fetched(kUrl, fail("timed out"), stale + late);
    f.turn();
    EXPECT_EQ(f.find(2, "x", stale + late + kMinute), "waits");
    EXPECT_EQ(f.find(3, "a", stale + late + kMinute), "key") << "as while nothing can be fetched";
  }
}

TEST(KeyCache, AKnownKeyIsFetchedAnewThoughNobodyCanWait) {
  CrowdFixture f({.max_waiters = 1});
  f.find(1);
  f.fetched();
  f.turn();
  f.cache.find("https://keys.example/other", {"a", es256()}, kNow + kHour, {&f, 2},
               [](const KeyCache::Found&, WallMillis) {});
  EXPECT_EQ(f.find(3, "a", kNow + kHour), "key");
  EXPECT_EQ(f.fetcher.urls.size(), 3u);
}

TEST(KeyCache, AnAskerIsAnsweredInOrder) {
  CrowdFixture f({.verified_per_turn = 1});
  EXPECT_EQ(f.find(1), "waits");
  EXPECT_EQ(f.find(2), "waits");
  f.fetched();
  EXPECT_EQ(f.find(2, "b"), "waits") << "its key is known to be unknown, its first is not answered";
  EXPECT_EQ(f.find(2), "waits");
  EXPECT_EQ(f.find(3), "key");
  EXPECT_THAT(f.turn(), ElementsAre("1 key"));
  EXPECT_EQ(f.find(1), "key");
  EXPECT_THAT(f.turn(), ElementsAre("2 key"));
  EXPECT_THAT(f.turn(), ElementsAre("2 unknown", "2 key"));
  EXPECT_EQ(f.find(2), "key");
}

TEST(KeyCache, WhoIsNotThereOnlyHasTheKeyFetched) {
  CrowdFixture f({.max_waiters = 1});
  f.gone = {1};
  EXPECT_EQ(f.find(1), "waits");
  EXPECT_THAT(f.fetcher.urls, ElementsAre(kUrl));
  EXPECT_EQ(f.find(2), "waits");
  EXPECT_EQ(f.find(1), "waits");
  f.fetched();
  EXPECT_THAT(f.turn(), ElementsAre("2 key"));
  EXPECT_EQ(f.find(1), "key");
}

// It is told to try again, and comes back with the same token.
TEST(KeyCache, WhoFindsNoPlaceHasShownItsTokenAllTheSame) {
  CrowdFixture f({.max_waiters = 1});
  f.find(1);
  f.fetched();
  f.turn();
  const WallMillis first = kNow + kMinute;
  EXPECT_EQ(f.find(2, "x", first), "waits");
  EXPECT_EQ(f.find(3, "bad", first + 1), "unavailable");
  f.cache.on_fetched(kUrl, key_set("a"), first + 2);
  f.turn();
  EXPECT_EQ(f.find(3, "bad", first + 3), "unavailable") << "that one had begun before";
  EXPECT_EQ(f.find(2, "y", first + kMinute), "waits");
  f.cache.on_fetched(kUrl, key_set("a"), first + kMinute + 1);
  f.turn();
  EXPECT_EQ(f.find(3, "bad", first + kMinute + 2), "unknown");
}

TEST(KeyCache, AClockSetBackKeepsNothingAlive) {
  CacheFixture f;
  f.find("a", kNow);
  f.fetched(key_set("a"), kNow);
  EXPECT_EQ(f.find("a", kNow - kHour), "waits");
}

}  // namespace
}  // namespace parley::auth
