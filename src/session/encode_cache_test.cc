#include "session/encode_cache.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/session_fixture.h"

namespace parley::session {
namespace {

using testing::FakeClient;
using testing::LineDialect;
using testing::Script;

// Counts what it encodes.
class CountingDialect final : public Dialect {
 public:
  MessageType type() const override { return MessageType::kBinary; }
  void encode(const hub::LocalChannel& channel, const hub::Publication& publication,
              Buffer& out) const override {
    ++count;
    LineDialect::shared().encode(channel, publication, out);
  }
  mutable int count = 0;
};

class EncodeCacheTest : public testing::SessionFixture {
 protected:
  EncodeCacheTest() { script_.dialect = &first_; }

  std::vector<FakeClient*> subscribers(Script& script, int count, const std::string& channel) {
    std::vector<FakeClient*> clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(&open(script));
      subscribe(*clients.back(), script, channel);
    }
    world_.run();
    return clients;
  }

  Script& other_script_ = new_script();
  CountingDialect first_, second_;
};

TEST_F(EncodeCacheTest, EncodesOncePerPublicationAndEncoding) {
  const auto clients = subscribers(script_, 20, "a");
  for (int i = 0; i < 7; ++i) publish("a", "x");
  world_.run();
  EXPECT_EQ(first_.count, 7);
  other_script_.dialect = &second_;
  subscribers(other_script_, 5, "a");
  for (int i = 0; i < 3; ++i) publish("a", "y");
  world_.run();
  EXPECT_EQ(first_.count, 10);
  EXPECT_EQ(second_.count, 3);
  for (FakeClient* client : clients) EXPECT_EQ(client->take().size(), 10u);
}

TEST_F(EncodeCacheTest, KeepsRunsWhileSomebodyIsBlocked) {
  const auto clients = subscribers(script_, 4, "a");
  clients[3]->allow(0);
  for (int i = 0; i < 50; ++i) {
    publish("a", "x");
    world_.run();
  }
  EXPECT_EQ(first_.count, 50);
  struct Sink final : SliceSink {
    bool append(ByteView bytes) override {
      size += bytes.size();
      return true;
    }
    size_t size = 0;
  } sink;
  clients[3]->session()->gather(sink);
  clients[3]->session()->consumed(sink.size);
  EXPECT_FALSE(clients[3]->session()->has_output());
  EXPECT_EQ(first_.count, 50);
  EXPECT_EQ(sink.size, clients[0]->bytes_taken());
}

TEST_F(EncodeCacheTest, ReaderBeforeTheRunIsEncodedAlone) {
  const auto clients = subscribers(script_, 2, "a");
  clients[0]->allow(0);
  for (int i = 0; i < 5; ++i) publish("a", "x");
  world_.run();
  EXPECT_EQ(first_.count, 5);
  world_.table().begin_flush(true);  // the run goes
  publish("a", "y");
  world_.run();
  EXPECT_EQ(first_.count, 6);
  clients[0]->unblock();
  world_.run();
  EXPECT_EQ(first_.count, 12);
  EXPECT_EQ(testing::SessionFixture::texts(*clients[0]),
            (std::vector<std::string>{"a:1:x", "a:2:x", "a:3:x", "a:4:x", "a:5:x", "a:6:y"}));
}

TEST_F(EncodeCacheTest, CachedBytesAreBounded) {
  const auto clients = subscribers(script_, 2, "a");
  clients[0]->allow(0);
  const std::string large(60'000, 'x');
  for (int i = 0; i < 400; ++i) {
    publish("a", large);
    world_.run();
    clients[1]->take();
  }
  EXPECT_EQ(first_.count, 400);
  clients[0]->leave();
}

TEST_F(EncodeCacheTest, ChannelOutlivesTheCache) {
  hub::Hub& hub = world_.hub();
  {
    SessionTable table(hub, world_.timers(), world_.ids(), world_.tokens(), {});
    struct Link final : TransportLink, Framing {
      void frame(MessageType, Buffer&, size_t) const override {}
      const Framing& framing() const override { return *this; }
      void wake(bool) override {}
      void end(EndReason, const EndCode&) override {}
      void pause_input(bool) override {}
    } link;
    struct Sink final : SliceSink {
      bool append(ByteView bytes) override {
        all += bytes;
        return true;
      }
      std::string all;
    } sink;
    script_.open = [](Effects& effects) { effects.subscribe({"a"}, {}); };
    Session& session =
        table.open(std::make_unique<testing::ScriptedAdapter>(script_), link, Handshake{});
    script_.open = {};
    world_.run();
    publish("a", "x");
    world_.run();
    table.begin_flush(true);
    session.gather(sink);
    session.consumed(sink.all.size());
    EXPECT_EQ(sink.all, "a:1:x");
  }
  // Its session has left, but the channel lingers, and serves another table.
  EXPECT_EQ(hub.channels_followed(), 1u);
  const auto clients = subscribers(script_, 1, "a");
  publish("a", "y");
  world_.run();
  EXPECT_EQ(testing::SessionFixture::texts(*clients[0]), (std::vector<std::string>{"a:2:y"}));
  clients[0]->leave();
  world_.advance(seconds(10));
  EXPECT_EQ(hub.channels_followed(), 0u);
}

TEST(EncodeCacheRun, FindsItsFrames) {
  EncodeCache::Run run;
  run.base = run.last = 10;
  EXPECT_EQ(run.first_behind(10), 0u);
  run.frames = {{11, 5}, {12, 5}, {20, 9}};
  run.last = 20;
  EXPECT_EQ(run.first_behind(10), 0u);
  EXPECT_EQ(run.first_behind(11), 1u);
  EXPECT_EQ(run.first_behind(12), 2u);
  EXPECT_EQ(run.first_behind(15), 2u);
  EXPECT_EQ(run.first_behind(20), 3u);
  EXPECT_EQ(run.begin_of(0), 0u);
  EXPECT_EQ(run.begin_of(2), 5u);
  EXPECT_EQ(run.begin_of(3), 9u);
}

}  // namespace
}  // namespace parley::session
