// A Centrifuge SDK's behaviour, over bytes: connects, recovers, publishes, answers pings.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "session/session_table.h"
#include "tests/sim/centrifuge_frames.h"
#include "tests/sim/host.h"
#include "tests/sim/reader_check.h"

namespace parley::sim {

struct CentrifugeHabits {
  std::string user;            // "": without a token
  bool delta = false;          // asks for deltas where they may be
  std::string filter;          // ... and only for publications with this tag; "": all
  seconds patience{12};        // for answers, before it connects anew
  seconds silence{35};         // without a word from the server, before it does
  size_t publish_bytes = 200;  // at most
  // So long the server lets the answer to a publish wait for the publication itself.
  Duration reply_waits = session::SessionLimits().write_stall;
};

// What: one client that never gives up. What it reads is checked. Owner: the world.
class CentrifugeClient final : public Client {
 public:
  CentrifugeClient(Host& host, std::string name, CentrifugeHabits habits)
      : host_(host), name_(std::move(name)), habits_(std::move(habits)) {}

  void subscribe(const KnownChannel& channel);
  void unsubscribe(const KnownChannel& channel);
  void publish(const KnownChannel& channel);
  void ask_history(const KnownChannel& channel);
  void mute(bool muted) { muted_ = muted; }  // answers no pings

  void act() override;
  void start() override;
  void leave() override;
  Line* line() override { return line_.get(); }
  bool settled() const override;
  std::string state() const override;
  std::vector<Reading> reading() const override;
  uint64_t delivered() const override;
  uint64_t gaps() const override;
  uint64_t recoveries() const override { return recoveries_; }
  bool connected() const { return phase_ == Phase::kConnected; }
  const std::string& user() const { return habits_.user; }
  uint64_t lines() const { return lines_; }  // that it has had
  const std::string& client_id() const { return client_id_; }
  bool reads(const std::string& channel) const;

  void on_bytes(std::string_view bytes) override;
  void on_closed(const Closing& closing) override;

 private:
  enum class Phase : uint8_t { kAway, kConnecting, kConnected };
  struct Sub {
    enum class State : uint8_t { kOff, kAsked, kLive };
    const KnownChannel* channel;
    ReaderCheck check;
    bool wanted = false;
    State state = State::kOff;
    uint32_t life = 0;      // counts subscribes
    uint32_t leaving = 0;   // unsubscribes without an answer
    bool recovers = false;  // has a position to come back with
    hub::Epoch epoch;       // ... in this life
    uint64_t late = 0;      // offset of its own, which was answered before it came
    bool delta = false;
    std::string base;  // what it holds for the next delta
  };
  struct Pending {
    std::string what, channel, data;
    Time since;
    hub::StreamPosition from;  // subscribe with recovery
    bool recovering = false;
    uint32_t life = 0;  // of the subscription; publish: of the one that will see it first
    uint64_t order = 0;
  };
  struct Own {  // the newest publication of this connection in a channel
    uint64_t order = 0;
    hub::StreamPosition position;
  };

  Sub& sub(const KnownChannel& channel);
  void ask(Pending pending, const std::string& body);
  void ask_subscribe(Sub& sub);
  void resubscribe_after(Duration delay, const std::string& channel);
  void watch();
  void lose_line();
  void reconnect();
  void on_frame(const WireFrame& frame);
  void on_reply(const WireFrame& frame);
  void on_push(const WireFrame& frame);
  void on_subscribed(Sub& sub, const Pending& asked, const WireFrame& frame);
  void on_published(const Pending& asked, const WireFrame& frame);
  void on_page(const Pending& asked, const WireFrame& frame);
  void deliver(Sub& sub, const WirePublication& publication);
  void fail(const std::string& what) { host_.sim().fail(name_ + ": " + what); }
  Simulation& sim() { return host_.sim(); }

  Host& host_;
  const std::string name_;
  const CentrifugeHabits habits_;
  std::shared_ptr<Line> line_;
  Phase phase_ = Phase::kAway;
  bool started_ = false, gone_ = false, muted_ = false;
  uint32_t last_id_ = 0;
  uint64_t last_order_ = 0;
  uint64_t lines_ = 0;
  Time heard_{}, let_go_{};
  std::string in_;  // bytes of a frame that has not come whole
  std::string client_id_;
  std::map<uint32_t, Pending> pending_;
  std::map<std::string, Sub> subs_;
  std::map<std::string, Own> own_;
  uint64_t recoveries_ = 0;
};

}  // namespace parley::sim
