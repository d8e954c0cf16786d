// Support for the tests of http_api: a server API before a real hub with the memory broker.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "http_api/server_api.h"
#include "tests/support/session_world.h"

namespace parley::http_api::testing {

class FakeNode final : public NodeInfo {
 public:
  NodeFacts facts() const override { return {"uid1", "parley@host", "0.1.0", 4, 3, 2, 5, 60}; }
};

inline std::string_view header_of(const Answer& answer, std::string_view name) {
  for (const Header& header : answer.headers)
    if (header.name == name) return header.value;
  return {};
}

inline Request post(std::string body, std::vector<Header> headers = {}) {
  Request request;
  request.method = "POST";
  request.headers = std::move(headers);
  request.body = std::move(body);
  return request;
}

// Follows channels without a session.
class Listener final : public hub::Subscriber {
 public:
  Listener(hub::Hub& hub, const std::string& channel) : hub_(hub) {
    hub_.subscribe(subscription_, {channel, hub::Aspect::kMessages}, {});
  }
  ~Listener() { hub_.unsubscribe(subscription_); }

  std::vector<hub::PublicationPtr> take() {
    std::vector<hub::PublicationPtr> taken;
    for (auto pull = hub_.pull(subscription_); !pull.publications.empty();
         pull = hub_.pull(subscription_)) {
      taken.insert(taken.end(), pull.publications.begin(), pull.publications.end());
      subscription_.advance(taken.back()->offset);
    }
    subscription_.dirty = false;
    return taken;
  }

 private:
  void on_subscribed(hub::Subscription&,
                     std::expected<hub::Subscribed, hub::HubError> result) override {
    EXPECT_TRUE(result.has_value());
  }
  void on_dirty(hub::Subscription& subscription) override { subscription.dirty = true; }

  hub::Hub& hub_;
  hub::Subscription subscription_{*this, 1};
};

class ApiTest : public ::testing::Test {
 protected:
  void make(ServerApiOptions options) {
    api.reset();
    api = std::make_unique<ServerApi>(world.hub(), node, std::move(options));
  }
  explicit ApiTest(const hub::HubOptions& hub = {}) : world({}, 1, hub) {
    make({.insecure = true});
  }

  // The answer, once the world is quiet.
  Answer ask(std::string_view method, Request request) {
    std::optional<Answer> answer;
    api->serve(request, method, [&](Answer given) {
      EXPECT_FALSE(answer.has_value());
      answer = std::move(given);
    });
    world.run();
    EXPECT_TRUE(answer.has_value());
    EXPECT_EQ(api->calls_waiting(), 0u);
    return answer.value_or(Answer{});
  }
  // The body of a 200.
  std::string call(std::string_view method, std::string body) {
    const Answer answer = ask(method, post(std::move(body)));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, kJsonType);
    return answer.body;
  }
  int status(std::string_view method, std::string body) {
    return ask(method, post(std::move(body))).status;
  }
  std::string epoch(const std::string& channel) {
    const auto answer = world.history(channel, {});
    return hub::to_string(std::get<hub::ReadPage>(*answer).epoch);
  }
  std::vector<hub::PublicationPtr> stored(const std::string& channel) {
    const auto answer = world.history(channel, {.limit = 1000});
    return std::get<hub::ReadPage>(*answer).publications;
  }
  void without_history(const std::string& channel) {
    auto options = parley::testing::FakeRules::usual();
    options.history_size = 0;
    options.presence = false;
    world.rules().set(channel, options);
  }

  parley::testing::SessionWorld world;
  FakeNode node;
  std::unique_ptr<ServerApi> api;
};

inline std::string error_body(int code, std::string_view message) {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":")" + std::string(message) +
         "\"}}";
}
inline const std::string kBadRequestBody = error_body(107, "bad request");

}  // namespace parley::http_api::testing
