// Real sessions behind a real HTTP server on the loopback interface, on the test's own thread.
#pragma once

#include <memory>
#include <optional>

#include "broker/memory/memory_broker.h"
#include "http/http_testing.h"
#include "hub/hub.h"
#include "session/session_table.h"
#include "tests/support/echoing_adapter.h"
#include "tests/support/session_world.h"

namespace parley::testing {

// Add routes with handlers on `factory` and sessions(), then start(). Whatever a route names must
// outlive stop().
class TransportTest : public http::testing::HttpTest {
 protected:
  explicit TransportTest(const session::SessionLimits& limits = {}) {
    make_shard();
    world_.emplace(*shard, limits);
  }
  ~TransportTest() override { stop(); }

  // Ends the shard, and with it every connection.
  void stop() {
    shard.reset();
    world_.reset();
    server.reset();
  }
  session::SessionTable& sessions() { return world_->table; }
  hub::Hub& hub() { return world_->hub; }

  EchoingScript script;
  EchoingFactory factory{script};

 private:
  struct World final : io::TurnHook {
    World(io::Shard& shard, const session::SessionLimits& limits)
        : broker({}, ids, shard.now()),
          hub({}, slots, broker, post, rules, ids),
          table(hub, shard.timers(), ids, tokens, limits) {
      hub.turn(shard.now());
      shard.add_hook(*this);
    }
    void on_turn(const Now& now) override {
      pace = hub.turn(now);
      // The shards of these tests are never so busy that a flush is left over.
      table.begin_flush(true);
    }
    bool has_work() const override { return pace == hub::Pace::kNow; }

    SeededIds ids;
    FakeRules rules;
    hub::SlotTable slots{1};
    NoPost post;
    broker::memory::MemoryBroker broker;
    hub::Hub hub;
    auth::NoTokens tokens;
    session::SessionTable table;
    hub::Pace pace = hub::Pace::kIdle;
  };
  std::optional<World> world_;
};

}  // namespace parley::testing
