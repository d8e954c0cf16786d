// Does the time of a comparison tell how much of a guess was right? After Reparaz, Balasch and
// Verbauwhede, "dude, is my code constant time?" (2017): two classes of input in random order,
// outliers cropped at percentiles that are fixed beforehand, Welch's t-test.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <chrono>
#endif

#include "auth/algorithm.h"
#include "auth/verifying_key.h"
#include "http_api/api_key.h"

namespace {

constexpr size_t kMeasurements = 1'000'000;
constexpr size_t kCalibration = 10'000;  // measured first, for the percentiles, and not counted
constexpr size_t kBatch = 1'000;         // inputs made before they are measured
constexpr size_t kCrops = 100;
constexpr double kBound = 4.5;
// A test on fewer measurements than this says nothing.
constexpr double kEnough = 10'000;

uint64_t ticks() {
#if defined(__x86_64__)
  _mm_lfence();
  const uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
#else
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

// Welch's t of two classes, updated one value at a time.
class WelchTest {
 public:
  void add(bool second, double value) {
    Class& c = classes_[second ? 1 : 0];
    c.count += 1;
    const double delta = value - c.mean;
    c.mean += delta / c.count;
    c.squares += delta * (value - c.mean);
  }
  bool enough() const { return classes_[0].count + classes_[1].count >= kEnough; }
  double t() const {
    const double error = classes_[0].error() + classes_[1].error();
    return error > 0 ? std::abs(classes_[0].mean - classes_[1].mean) / std::sqrt(error) : 0;
  }

 private:
  struct Class {
    double count = 0, mean = 0, squares = 0;
    double error() const { return count > 1 ? squares / (count - 1) / count : 0; }
  };
  std::array<Class, 2> classes_;
};

// One guess; both classes lie in the same array, so that only their bytes differ.
struct Guess {
  bool nearly_right = false;
  std::string bytes;
};

// A guess is the secret with another last byte, or has nothing of the secret in its first byte.
void make(std::vector<Guess>& guesses, const std::string& secret, std::mt19937_64& random) {
  for (Guess& guess : guesses) {
    guess.nearly_right = (random() & 1) != 0;
    guess.bytes.resize(secret.size());
    for (char& byte : guess.bytes) byte = static_cast<char>(random());
    const char other = static_cast<char>(1 + random() % 255);
    if (guess.nearly_right) {
      std::ranges::copy(secret, guess.bytes.begin());
      guess.bytes.back() = static_cast<char>(guess.bytes.back() ^ other);
    } else {
      guess.bytes.front() = static_cast<char>(secret.front() ^ other);
    }
  }
}

struct Outcome {
  double t = 0;  // the largest of all crops
  uint64_t median = 0;
};

template <class Compare>
Outcome measure(const std::string& secret, Compare compare) {
  std::mt19937_64 random(std::random_device{}());
  std::vector<Guess> guesses(kBatch);
  std::vector<uint64_t> first;
  std::array<uint64_t, kCrops> limits{};
  std::array<WelchTest, kCrops + 1> tests;  // the last one takes everything
  volatile bool matched = false;
  for (size_t done = 0; done < kCalibration + kMeasurements; done += kBatch) {
    make(guesses, secret, random);
    for (const Guess& guess : guesses) {
      const uint64_t begin = ticks();
      const bool same = compare(secret, guess.bytes);
      const uint64_t took = ticks() - begin;
      matched = matched || same;
      if (done < kCalibration) {
        first.push_back(took);
        continue;
      }
      for (size_t i = 0; i < kCrops; ++i)
        if (took < limits[i]) tests[i].add(guess.nearly_right, static_cast<double>(took));
      tests[kCrops].add(guess.nearly_right, static_cast<double>(took));
    }
    if (first.size() != kCalibration || limits.back() != 0) continue;
    std::ranges::sort(first);
    for (size_t i = 0; i < kCrops; ++i) {
      const double share = 1 - std::pow(0.5, 10.0 * static_cast<double>(i + 1) / kCrops);
      limits[i] = first[static_cast<size_t>(share * static_cast<double>(first.size() - 1))];
    }
  }
  Outcome outcome{.median = first[first.size() / 2]};
  for (const WelchTest& test : tests)
    if (test.enough()) outcome.t = std::max(outcome.t, test.t());
  if (matched) std::puts("a wrong guess was taken for the secret");
  return matched ? Outcome{.t = INFINITY} : outcome;
}

// What the others must not be: ends at the first byte that differs.
[[gnu::noinline]] bool leaking_compare(std::string_view expected, std::string_view given) {
  if (expected.size() != given.size()) return false;
  for (size_t i = 0; i < expected.size(); ++i)
    if (expected[i] != given[i]) return false;
  return true;
}

bool report(const char* name, const Outcome& outcome, bool leaks) {
  const bool kept = leaks ? outcome.t > kBound : outcome.t < kBound;
  std::printf("%-44s %8llu %10.2f   %s\n", name, static_cast<unsigned long long>(outcome.median),
              outcome.t, kept ? (leaks ? "leaks, as it must" : "ok") : "NOT KEPT");
  return kept;
}

// The secret here is the right signature.
Outcome measure_hmac(const char* name, const EVP_MD* hash) {
  const std::string backend_key = "a secret of the application's backend";
  const std::string text =
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiIsImV4cCI6MTg5MzQ1NjAwMH0";
  std::array<unsigned char, EVP_MAX_MD_SIZE> signature{};
  unsigned size = 0;
  HMAC(hash, backend_key.data(), static_cast<int>(backend_key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), signature.data(), &size);
  const std::string right(reinterpret_cast<const char*>(signature.data()), size);
  const auto key = parley::auth::VerifyingKey::from_secret(backend_key);
  const parley::auth::Algorithm* algorithm = parley::auth::find_algorithm(name);
  if (!key->verify(*algorithm, text, right)) return {.t = INFINITY};
  return measure(right, [&](const std::string&, const std::string& guess) {
    return key->verify(*algorithm, text, guess);
  });
}

}  // namespace

int main() {
  const std::string api_key = "0123456789abcdef0123456789ABCDEF";
  std::printf("%zu measurements each; |t| must stay below %.1f\n\n", kMeasurements, kBound);
  std::printf("%-44s %8s %10s\n", "comparison", "ticks", "|t|");
  bool kept =
      report("control: ends at the first difference", measure(api_key, leaking_compare), true);
  kept = report("API key (http_api::same_secret)", measure(api_key, parley::http_api::same_secret),
                false) &&
         kept;
  kept = report("HS256 (auth::VerifyingKey::verify)", measure_hmac("HS256", EVP_sha256()), false) &&
         kept;
  kept = report("HS512 (auth::VerifyingKey::verify)", measure_hmac("HS512", EVP_sha512()), false) &&
         kept;
  return kept ? 0 : 1;
}
