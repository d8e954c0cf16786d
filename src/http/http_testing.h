// Support for tests over HTTP: a shard with an HTTP server on the test's own thread.
#pragma once

#include <memory>
#include <string>

#include "http/exchange.h"
#include "http/router.h"
#include "http/server.h"
#include "io/loopback_testing.h"

namespace parley::http::testing {

using io::testing::Client;
using io::testing::kPatience;

// Fill `router` and `options`, then start().
class HttpTest : public ::testing::Test {
 protected:
  ~HttpTest() override {
    shard.reset();
    affinity::set_current(kNoShard);
  }

  void make_shard() {
    affinity::set_current(0);
    shard = std::make_unique<io::Shard>(io::ShardOptions{});
  }
  void start(const io::ListenOptions& listen = {}) {
    if (!shard) make_shard();
    server = std::make_unique<Server>(*shard, router, options);
    auto listeners = io::testing::loopback_listeners(1, listen);
    address = listeners[0].address;
    shard->listen(std::move(listeners[0]),
                  [this](const io::PeerAddress&) { return server->make_connection(); });
  }

  // Turns until `done`.
  ::testing::AssertionResult pump(const std::function<bool()>& done) {
    const Time limit = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit)
        return ::testing::AssertionFailure() << "waited in vain";
      shard->turn(milliseconds(10));
    }
    return ::testing::AssertionSuccess();
  }
  ::testing::AssertionResult pump_until_ended(Client& client) {
    return pump([&] { return client.receive(), client.ended || client.reset; });
  }
  ::testing::AssertionResult pump_until_received(Client& client, std::string_view text) {
    return pump([&] {
      client.receive();
      return client.received.find(text) != std::string::npos || client.ended || client.reset;
    });
  }
  // Enough turns for whatever was sent to have had its effect, since nothing sleeps in between.
  void settle() {
    for (int i = 0; i < 5; ++i) shard->turn(milliseconds(1));
  }

  // Everything that comes back until the server ends its side.
  std::string ask(std::string_view bytes) {
    Client client(address);
    client.send(bytes);
    EXPECT_TRUE(pump_until_ended(client)) << client.received;
    return client.received;
  }

  Router router;
  ServerOptions options;
  std::unique_ptr<Server> server;  // outlives the shard's sockets
  std::unique_ptr<io::Shard> shard;
  io::Address address;
};

}  // namespace parley::http::testing
