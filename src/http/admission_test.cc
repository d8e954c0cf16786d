#include "http/admission.h"

#include <set>

#include "http/http_testing.h"
#include "tests/support/metric_delta.h"

namespace parley::http {
namespace {

using parley::testing::MetricDelta;

class CountingIds final : public IdSource {
 public:
  uint64_t next_u64() override { return next_++; }

 private:
  uint64_t next_ = 0;
};

io::PeerAddress at(std::string_view text) { return *io::Address::parse(text); }

class AdmissionTest : public ::testing::Test {
 protected:
  std::string ask(Admission& admission, std::string_view peer = "10.0.0.1:1") {
    const auto refusal = admission.refuse(at(peer), now_);
    if (!refusal) return "in";
    EXPECT_GE(refusal->retry_after, seconds(2));
    return std::to_string(refusal->status) + " " + std::string(refusal->text.substr(0, 24));
  }
  int admitted(Admission& admission, int tries, std::string_view peer = "10.0.0.1:1") {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += ask(admission, peer) == "in" ? 1 : 0;
    return count;
  }
  CountingIds ids_;
  Time now_{seconds(1000)};
};

TEST_F(AdmissionTest, WithoutLimitsEverybodyComesIn) {
  Admission admission({}, ids_);
  EXPECT_EQ(admitted(admission, 10'000), 10'000);
}

TEST_F(AdmissionTest, NoMoreConnectionsThanAllowed) {
  size_t count = 9;
  const MetricDelta refused(R"(parley_admission_refused_total{reason="connections"})");
  Admission admission({.connections = 10, .count = [&] { return count; }}, ids_);
  EXPECT_EQ(ask(admission), "in");
  count = 10;
  EXPECT_EQ(ask(admission), "503 too many connections, tr");
  EXPECT_EQ(refused(), 1);
  count = 9;
  EXPECT_EQ(ask(admission), "in");
}

TEST_F(AdmissionTest, NewConnectionsHaveARate) {
  const MetricDelta refused(R"(parley_admission_refused_total{reason="rate"})");
  Admission admission({.opened = {.per_second = 50}}, ids_);
  EXPECT_EQ(admitted(admission, 200), 50);
  EXPECT_EQ(refused(), 150);
  now_ += seconds(1);
  EXPECT_EQ(admitted(admission, 200), 50);
}

TEST_F(AdmissionTest, AnAddressHasARateOfItsOwn) {
  const MetricDelta refused(R"(parley_admission_refused_total{reason="address"})");
  Admission admission({.per_address = {.per_second = 5}}, ids_);
  EXPECT_EQ(admitted(admission, 100), 5);
  EXPECT_EQ(ask(admission), "429 too many new connections");
  EXPECT_EQ(admitted(admission, 100, "10.0.0.2:1"), 5);
  EXPECT_EQ(refused(), 95 + 1 + 95);
}

// One customer has 2^64 addresses of IPv6.
TEST_F(AdmissionTest, AddressesOfANetworkAreOne) {
  Admission admission({.per_address = {.per_second = 5}}, ids_);
  int count = 0;
  for (int host = 1; host <= 100; ++host)
    count += admitted(admission, 1, "[2001:db8:0:1::" + std::to_string(host) + "]:1");
  EXPECT_EQ(count, 5);
  EXPECT_EQ(admitted(admission, 100, "[2001:db8:0:2::1]:1"), 5);
}

TEST_F(AdmissionTest, WhatAnAddressMayNotHaveTakesNothingFromOthers) {
  Admission admission({.opened = {.per_second = 20}, .per_address = {.per_second = 5}}, ids_);
  EXPECT_EQ(admitted(admission, 1000), 5);
  EXPECT_EQ(admitted(admission, 5, "10.0.0.2:1"), 5);
}

TEST_F(AdmissionTest, WhatTheNodeRefusesTakesNothingFromTheAddress) {
  Admission admission({.opened = {.per_second = 1}, .per_address = {.per_second = 5}}, ids_);
  EXPECT_EQ(admitted(admission, 100), 1);
  now_ += seconds(1);
  EXPECT_EQ(ask(admission), "in");
}

TEST_F(AdmissionTest, MayBeClosed) {
  const MetricDelta refused(R"(parley_admission_refused_total{reason="overload"})");
  Admission admission({}, ids_);
  admission.close(Admission::Reason::kOverload);
  EXPECT_EQ(ask(admission), "503 the server is overloaded");
  EXPECT_EQ(refused(), 1);
  admission.close(std::nullopt);
  EXPECT_EQ(ask(admission), "in");
}

TEST_F(AdmissionTest, TheRefusedComeBackAtDifferentTimes) {
  Admission admission({.opened = {.per_second = 1}}, ids_);
  ask(admission);
  std::set<int64_t> times;
  for (int i = 0; i < 100; ++i)
    times.insert(admission.refuse(at("10.0.0.1:1"), now_)->retry_after.count());
  EXPECT_GT(times.size(), 2u);
  EXPECT_LE(*times.rbegin(), 120);
}

class GuardedHandlerTest : public testing::HttpTest {};

TEST_F(GuardedHandlerTest, ARefusalIsAStatusAndWhenToComeBack) {
  class Door final : public Handler {
   public:
    void handle(Exchange& exchange) override { exchange.respond_text(200, "welcome"); }
  } door;
  CountingIds ids;
  Admission admission({}, ids);
  GuardedHandler guarded(door, admission);
  router.add("GET", "/door", guarded);
  start();
  const std::string request = "GET /door HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  EXPECT_TRUE(ask(request).starts_with("HTTP/1.1 200 "));
  admission.close(Admission::Reason::kShutdown);
  const std::string refusal = ask(request);
  EXPECT_TRUE(refusal.starts_with("HTTP/1.1 503 ")) << refusal;
  EXPECT_NE(refusal.find("Retry-After: "), std::string::npos) << refusal;
  const std::string foreign =
      "GET /door HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nConnection: close\r\n\r\n";
  EXPECT_TRUE(ask(foreign).starts_with("HTTP/1.1 200 ")) << "the door's own answer";
}

}  // namespace
}  // namespace parley::http
