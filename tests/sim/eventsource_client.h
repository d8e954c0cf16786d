// A browser's EventSource, over bytes: one channel, comes back with the last id.
#pragma once

#include <memory>
#include <string>

#include "codec/sse/decoder.h"
#include "tests/sim/host.h"
#include "tests/sim/reader_check.h"

namespace parley::sim {

// What: one client that never gives up. What it reads is checked. Owner: the world.
class EventSourceClient final : public Client, private codec::sse::EventSink {
 public:
  EventSourceClient(Host& host, std::string name, const KnownChannel& channel)
      : host_(host),
        name_(std::move(name)),
        channel_(channel),
        check_(host.sim(), host.ledger(), name_, channel.name) {
    check_.set_overflow(channel.overflow);
  }

  void act() override;
  void start() override;
  void leave() override;
  Line* line() override { return line_.get(); }
  bool settled() const override { return !started_ || gone_ || open_; }
  std::string state() const override;
  std::vector<Reading> reading() const override;
  uint64_t delivered() const override { return check_.delivered(); }
  uint64_t gaps() const override { return check_.gaps(); }
  uint64_t recoveries() const override { return recoveries_; }

  void on_bytes(std::string_view bytes) override;
  void on_closed(const Closing& closing) override;

 private:
  void on_event(const codec::sse::DecodedEvent& event) override;
  void on_retry(uint32_t milliseconds) override {
    retry_ = std::chrono::milliseconds(milliseconds);
  }
  void on_gap(const codec::sse::DecodedEvent& event, const hub::StreamPosition& resume);
  void take_id();
  void watch();
  void lose_line();
  void fail(const std::string& what) { host_.sim().fail(name_ + ": " + what); }

  Host& host_;
  const std::string name_;
  const KnownChannel& channel_;
  ReaderCheck check_;
  std::shared_ptr<Line> line_;
  std::unique_ptr<codec::sse::Decoder> decoder_;
  std::string last_id_;
  bool resumed_ = false;  // came with an id
  bool open_ = false;     // the stream has begun
  bool started_ = false, gone_ = false;
  Duration retry_ = seconds(1);
  Time heard_{};
  uint64_t recoveries_ = 0;
};

}  // namespace parley::sim
