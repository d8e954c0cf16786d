// Names that an attacker chose to collide under a hash that he can compute, in the tables that he
// does not know the key of.
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"

namespace parley {
namespace {

using Names = std::vector<std::string>;

// The string hash of Java and many others.
struct Polynomial {
  size_t operator()(std::string_view text) const {
    uint32_t sum = 0;
    for (const char c : text) sum = sum * 31 + static_cast<unsigned char>(c);
    return sum;
  }
};

// A key that the attacker knows: of another process, of the hash that places channels, or none.
struct KnownKey {
  size_t operator()(std::string_view text) const { return siphash13(key, text); }
  HashKey key;
};

// Names of 32 bytes that all have one Polynomial, since "Aa" and "BB" have.
Names polynomial_collisions(size_t count) {
  Names names;
  for (size_t n = 0; n < count; ++n) {
    std::string name;
    for (int bit = 0; bit < 16; ++bit) name += (n >> bit & 1) != 0 ? "Aa" : "BB";
    names.push_back(std::move(name));
  }
  return names;
}

// How many buckets a table of that many names has.
size_t buckets_for(size_t count) {
  std::unordered_set<int> table;
  table.rehash(count);
  return table.bucket_count();
}

// Names that all go into one bucket of a table of their number, found by trying.
template <class Hash>
Names bucket_collisions(size_t count, Hash hash) {
  const size_t buckets = buckets_for(count);
  Names names;
  for (size_t n = 0; names.size() < count; ++n) {
    std::string name = "room-" + std::to_string(n);
    if (hash(name) % buckets == 0) names.push_back(std::move(name));
  }
  return names;
}

Names random_names(size_t count) {
  std::mt19937_64 random(1);
  Names names;
  for (size_t n = 0; n < count; ++n)
    names.push_back("room-" + std::to_string(random()) + std::to_string(n));
  return names;
}

// Steps to find each name once: a bucket of n names costs n steps for each of them.
template <class Hash>
double steps_per_name(const Names& names, Hash hash) {
  std::unordered_set<std::string, Hash> table(buckets_for(names.size()), hash);
  table.insert(names.begin(), names.end());
  double steps = 0;
  for (size_t n = 0; n < table.bucket_count(); ++n)
    steps += static_cast<double>(table.bucket_size(n) * table.bucket_size(n));
  return steps / static_cast<double>(names.size());
}

constexpr HashKey kForeign{0x0123456789abcdef, 0xfedcba9876543210};
constexpr size_t kMany = 20'000;
constexpr size_t kFew = 200;  // each costs as many tries as there are buckets

uint64_t stable(std::string_view name) { return stable_hash(name); }

TEST(HashFlooding, NamesThatCollideElsewhereDoNotCollideHere) {
  EXPECT_LT(steps_per_name(polynomial_collisions(kMany), SeededHash{}),
            2 * steps_per_name(random_names(kMany), SeededHash{}));
  for (const Names& names : {bucket_collisions(kFew, Polynomial{}), bucket_collisions(kFew, stable),
                             bucket_collisions(kFew, KnownKey{kForeign})})
    EXPECT_LT(steps_per_name(names, SeededHash{}), 4) << names.front();
}

// What the test above would see if the key were known.
TEST(HashFlooding, TheNamesDoCollideUnderTheHashTheyAreMadeFor) {
  EXPECT_EQ(steps_per_name(polynomial_collisions(2'000), Polynomial{}), 2'000);
  EXPECT_EQ(steps_per_name(bucket_collisions(kFew, stable), stable), kFew);
  EXPECT_EQ(steps_per_name(bucket_collisions(kFew, KnownKey{kForeign}), KnownKey{kForeign}), kFew);
}

}  // namespace
}  // namespace parley
