#include "http/admission.h"

#include <optional>
#include <set>
#include <vector>

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
  void limit(const io::QuotaOptions& options) { quotas_.emplace(options); }
  std::string ask(std::string_view peer = "10.0.0.1:1") {
    auto seat = admission().admit(at(peer), now_);
    if (seat) {
      seats_.push_back(*std::move(seat));
      return "in";
    }
    EXPECT_GE(seat.error().retry_after, seconds(2));
    return std::to_string(seat.error().status) + " " + std::string(seat.error().text.substr(0, 24));
  }
  int admitted(int tries, std::string_view peer = "10.0.0.1:1") {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += ask(peer) == "in" ? 1 : 0;
    return count;
  }
  Admission& admission() {
    if (!admission_) admission_.emplace(*quotas_, ids_);
    return *admission_;
  }
  CountingIds ids_;
  std::optional<io::NodeQuotas> quotas_{std::in_place, io::QuotaOptions{}};
  std::optional<Admission> admission_;
  std::vector<Seat> seats_;  // those who stay
  Time now_{seconds(1000)};
};

TEST_F(AdmissionTest, WithoutLimitsEverybodyComesIn) { EXPECT_EQ(admitted(10'000), 10'000); }

TEST_F(AdmissionTest, NoMoreConnectionsThanAllowed) {
  const MetricDelta refused(R"(parley_admission_refused_total{reason="connections"})");
  limit({.connections = 10});
  EXPECT_EQ(admitted(100), 10);
  EXPECT_EQ(ask(), "503 too many connections, tr");
  EXPECT_EQ(refused(), 91);
  seats_.pop_back();
  EXPECT_EQ(admitted(100), 1);
}

TEST_F(AdmissionTest, NoMoreConnectionsOfAnAddressThanAllowed) {
  const MetricDelta refused(R"(parley_admission_refused_total{reason="address_connections"})");
  limit({.address_connections = 3});
  EXPECT_EQ(admitted(10), 3);
  EXPECT_EQ(ask(), "429 too many connections fro");
  EXPECT_EQ(refused(), 8);
  EXPECT_EQ(admitted(10, "10.0.0.2:1"), 3);
  seats_.clear();
  EXPECT_EQ(admitted(10), 3);
}

TEST_F(AdmissionTest, AddressesOfANetworkShareTheirConnections) {
  limit({.address_connections = 3});
  int count = 0;
  for (int host = 1; host <= 10; ++host)
    count += admitted(1, "[2001:db8:0:1::" + std::to_string(host) + "]:1");
  EXPECT_EQ(count, 3);
  EXPECT_EQ(admitted(10, "[2001:db8:0:2::1]:1"), 3);
}

TEST_F(AdmissionTest, WhoIsRefusedHasNoPlace) {
  limit({.connections = 4, .address_connections = 2, .opened = {.per_second = 3}});
  EXPECT_EQ(admitted(100), 2);
  EXPECT_EQ(admitted(100, "10.0.0.2:1"), 1) << "the rate";
  now_ += seconds(1);
  EXPECT_EQ(admitted(100, "10.0.0.2:1"), 1);
  EXPECT_EQ(ask("10.0.0.3:1"), "503 too many connections, tr");
  seats_.clear();
  EXPECT_EQ(quotas_->addresses(), 0u);
}

TEST_F(AdmissionTest, NewConnectionsHaveARate) {
  const MetricDelta refused(R"(parley_admission_refused_total{reason="rate"})");
  limit({.opened = {.per_second = 50}});
  EXPECT_EQ(admitted(200), 50);
  EXPECT_EQ(refused(), 150);
  now_ += seconds(1);
  EXPECT_EQ(admitted(200), 50);
}

TEST_F(AdmissionTest, AnAddressHasARateOfItsOwn) {
  const MetricDelta refused(R"(parley_admission_refused_total{reason="address"})");
  limit({.address_opened = {.per_second = 5}});
  EXPECT_EQ(admitted(100), 5);
  EXPECT_EQ(ask(), "429 too many new connections");
  EXPECT_EQ(admitted(100, "10.0.0.2:1"), 5);
  EXPECT_EQ(refused(), 95 + 1 + 95);
}

// One customer has 2^64 addresses of IPv6.
TEST_F(AdmissionTest, AddressesOfANetworkAreOne) {
  limit({.address_opened = {.per_second = 5}});
  int count = 0;
  for (int host = 1; host <= 100; ++host)
    count += admitted(1, "[2001:db8:0:1::" + std::to_string(host) + "]:1");
  EXPECT_EQ(count, 5);
  EXPECT_EQ(admitted(100, "[2001:db8:0:2::1]:1"), 5);
}

TEST_F(AdmissionTest, WhatAnAddressMayNotHaveTakesNothingFromOthers) {
  limit({.opened = {.per_second = 20}, .address_opened = {.per_second = 5}});
  EXPECT_EQ(admitted(1000), 5);
  EXPECT_EQ(admitted(5, "10.0.0.2:1"), 5);
}

TEST_F(AdmissionTest, WhatTheNodeRefusesTakesNothingFromTheAddress) {
  limit({.opened = {.per_second = 1}, .address_opened = {.per_second = 5}});
  EXPECT_EQ(admitted(100), 1);
  now_ += seconds(1);
  EXPECT_EQ(ask(), "in");
}

TEST_F(AdmissionTest, MayBeClosed) {
  const MetricDelta refused(R"(parley_admission_refused_total{reason="overload"})");
  admission().close(Admission::Reason::kOverload);
  EXPECT_EQ(ask(), "503 the server is overloaded");
  EXPECT_EQ(refused(), 1);
  admission().close(std::nullopt);
  EXPECT_EQ(ask(), "in");
}

TEST_F(AdmissionTest, TheRefusedComeBackAtDifferentTimes) {
  limit({.opened = {.per_second = 1}});
  ask();
  std::set<int64_t> times;
  for (int i = 0; i < 100; ++i)
    times.insert(admission().admit(at("10.0.0.1:1"), now_).error().retry_after.count());
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
  io::NodeQuotas quotas({});
  Admission admission(quotas, ids);
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

// A kept-alive connection may ask a WebSocket's door for something else as often as it likes.
TEST_F(GuardedHandlerTest, WhoDoesNotUpgradeTakesNothing) {
  class Door final : public Handler {
   public:
    void handle(Exchange& exchange) override {
      exchange.respond_text(exchange.request().upgrade ? 200 : 426, "seen");
    }
  } door;
  CountingIds ids;
  io::NodeQuotas quotas({.connections = 1, .opened = {.per_second = 1}});
  Admission admission(quotas, ids);
  GuardedHandler guarded(door, admission, {}, say_unavailable, Stays::kUpgrades);
  router.add("GET", "/door", guarded);
  start();
  const std::string plain = "GET /door HTTP/1.1\r\nHost: a\r\n";
  const std::string last = plain + "Connection: close\r\n\r\n";
  const std::string many = ask(plain + "\r\n" + plain + "\r\n" + last);
  EXPECT_EQ(many.find(" 503 "), many.npos) << many;
  const std::string upgrade = plain + "Connection: upgrade\r\nUpgrade: x\r\n\r\n";
  EXPECT_TRUE(ask(upgrade).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(ask(upgrade).starts_with("HTTP/1.1 503 ")) << "its token is spent, its place is not";
}

TEST_F(GuardedHandlerTest, TheClientBehindATrustedProxyCounts) {
  class Door final : public Handler {
   public:
    void handle(Exchange& exchange) override { exchange.respond_text(200, "welcome"); }
  } door;
  CountingIds ids;
  io::NodeQuotas quotas({.address_opened = {.per_second = 1}});
  Admission admission(quotas, ids);
  GuardedHandler guarded(door, admission);
  router.add("GET", "/door", guarded);
  options.trusted_proxies = *TrustedProxies::parse(std::vector<std::string>{"127.0.0.0/8"});
  start();
  const auto from = [&](const std::string& who) {
    return ask("GET /door HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + who +
               "\r\nConnection: close\r\n\r\n")
        .substr(9, 3);
  };
  EXPECT_EQ(from("203.0.113.1"), "200");
  EXPECT_EQ(from("203.0.113.1"), "429");
  EXPECT_EQ(from("192.0.2.1, 203.0.113.1"), "429") << "what the client made up";
  EXPECT_EQ(from("203.0.113.2"), "200");
}

}  // namespace
}  // namespace parley::http
