// Keys over real HTTP, with a clock of the test's own.
#include "server/key_source.h"

#include <future>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "auth/token_authenticator.h"
#include "auth/token_testing.h"
#include "io/address.h"
#include "io/listener.h"

namespace parley::server {
namespace {

using auth::testing::TestKey;

// An endpoint that answers when the test says so, and may be down.
class Endpoint {
 public:
  Endpoint() { go_up(); }
  std::string url() const { return "http://" + address_.to_string() + "/keys"; }

  void go_down() { listening_.reset(); }
  void go_up() {
    auto listeners = io::bind_listeners(address_, 1, {});
    ASSERT_TRUE(listeners.has_value()) << (listeners ? "" : listeners.error().message);
    address_ = listeners->at(0).address;
    listening_ = std::move(listeners->at(0).fd);
    ASSERT_EQ(::listen(listening_.get(), 8), 0);
  }
  bool up() const { return static_cast<bool>(listening_); }

  // Takes the next request, which somebody is sending.
  void answer(const std::string& body) {
    pollfd waiting{listening_.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, 20'000), 1);
    const io::UniqueFd peer(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n") && ::recv(peer.get(), &byte, 1, 0) == 1) request += byte;
    EXPECT_TRUE(request.starts_with("GET /keys HTTP/1.1\r\n")) << request;
    const std::string response =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    EXPECT_EQ(::send(peer.get(), response.data(), response.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(response.size()));
  }

 private:
  io::Address address_ = io::Address::parse("127.0.0.1:0").value();
  io::UniqueFd listening_;
};

class KeySourceTest : public ::testing::Test {
 protected:
  KeySourceTest() : source_(shards_, [this] { return clock_; }) { shards_.start(); }

  auth::TokenRuleSet rules() const {
    return {*auth::TokenRules::build({.jwks_public_endpoint = endpoint_.url()}), nullptr};
  }
  void publish(const TestKey& key, const std::string& kid) {
    key_set_ = R"({"keys":[)" + auth::testing::public_jwk(key, R"("kid":")" + kid + "\",") + "]}";
  }
  void advance(seconds by) {
    clock_ += by;
    wall_ += by.count() * 1000;
  }
  // "in", or why not. Fetches what must be fetched.
  std::string show(const TestKey& key, const std::string& kid) {
    std::string said;
    const auto note = [&said](const auth::TokenResult& result) {
      said = result                                            ? "in"
             : result.error() == auth::TokenError::kUnknownKey ? "unknown"
                                                               : "unavailable";
    };
    fetched_ = {};
    const auto token = auth::testing::token_of(key, "EdDSA", R"({"sub":"42"})", kid);
    const auto result = tokens_.verify(auth::TokenUse::kConnect, token, wall_, {}, note);
    if (result) {
      note(*result);
      return said;
    }
    ++fetches_;
    if (endpoint_.up()) endpoint_.answer(key_set_);
    hand_over(tokens_);
    return said;
  }

  void hand_over(auth::TokenAuthenticator& tokens) {
    const KeySource::Answer answer = fetched_.get_future().get();
    tokens.on_fetched(endpoint_.url(), answer.body, wall_, answer.age.count());
    tokens.turn(wall_);
  }

  const TestKey old_key_ = auth::testing::new_ed25519(), new_key_ = auth::testing::new_ed25519();
  Endpoint endpoint_;
  std::string key_set_;
  int fetches_ = 0;  // that the shard asked for
  Time clock_{seconds(1000)};
  WallMillis wall_ = 1'700'000'000'000;
  std::promise<KeySource::Answer> fetched_;
  io::ShardGroup shards_{1};
  KeySource source_;
  ShardKeyFetcher fetcher_{source_, 0, [this](const std::string&, const KeySource::Answer& answer) {
                             fetched_.set_value(answer);
                           }};
  auth::TokenAuthenticator tokens_{rules(), fetcher_};
};

TEST_F(KeySourceTest, KnownKeysOutliveTheirHourWhileTheEndpointIsDown) {
  publish(old_key_, "old");
  EXPECT_EQ(show(old_key_, "old"), "in");
  publish(new_key_, "new");
  endpoint_.go_down();
  advance(seconds(30 * 60));
  EXPECT_EQ(show(old_key_, "old"), "in");
  EXPECT_EQ(fetches_, 1) << "nobody asks within the hour";
  advance(seconds(31 * 60));
  EXPECT_EQ(show(old_key_, "old"), "in");
  EXPECT_EQ(fetches_, 2);
  advance(seconds(24 * 3600));
  EXPECT_EQ(show(old_key_, "old"), "in");
  EXPECT_NE(show(new_key_, "new"), "in");
  endpoint_.go_up();
  advance(seconds(61));
  EXPECT_EQ(show(new_key_, "new"), "in");
  EXPECT_EQ(show(old_key_, "old"), "unknown") << "what the endpoint no longer has is over";
}

// All shards together: each asks by itself, and one of them pays.
TEST_F(KeySourceTest, AsksAnEndpointOnceAMinute) {
  publish(old_key_, "old");
  EXPECT_EQ(show(old_key_, "old"), "in");
  auth::TokenAuthenticator another{rules(), fetcher_};
  std::string said;
  fetched_ = {};
  EXPECT_FALSE(another.verify(auth::TokenUse::kConnect,
                              auth::testing::token_of(old_key_, "EdDSA", "{}", "old"), wall_, {},
                              [&](const auth::TokenResult& r) { said = r ? "in" : "no"; }));
  another.on_fetched(endpoint_.url(), fetched_.get_future().get().body, wall_);
  EXPECT_EQ(said, "") << "in its own time";
  another.turn(wall_);
  EXPECT_EQ(said, "in") << "without a second request, which nobody would have answered";
}

// Keys are rotated just after a shard had them fetched: nobody is told for good that the new one
// does not exist.
TEST_F(KeySourceTest, AKeyThatIsNewerThanTheCopyIsNotUnknown) {
  publish(old_key_, "old");
  EXPECT_EQ(show(old_key_, "old"), "in");
  publish(new_key_, "new");
  advance(seconds(30));
  EXPECT_EQ(show(new_key_, "new"), "unavailable");
  EXPECT_EQ(fetches_, 1);
  auth::TokenAuthenticator another{rules(), fetcher_};
  const auto ask = [&] {
    std::string said = "waits";
    const auto note = [&said](const auth::TokenResult& result) {
      said = result                                             ? "in"
             : result.error() == auth::TokenError::kUnavailable ? "unavailable"
                                                                : "no";
    };
    fetched_ = {};
    const auto token = auth::testing::token_of(new_key_, "EdDSA", R"({"sub":"42"})", "new");
    if (const auto result = another.verify(auth::TokenUse::kConnect, token, wall_, {}, note)) {
      note(*result);
    } else {
      if (clock_ >= Time{seconds(1060)}) endpoint_.answer(key_set_);
      hand_over(another);
    }
    return said;
  };
  EXPECT_EQ(ask(), "unavailable") << "from a copy that is 30 s old";
  advance(seconds(30));
  EXPECT_EQ(ask(), "in") << "as soon as anybody may fetch, not a minute behind the copy";
}

}  // namespace
}  // namespace parley::server
