// Writes down what a decoder tells, for tests and the fuzz target.
#pragma once

#include <string>
#include <vector>

#include "codec/websocket/decoder.h"

namespace parley::codec::websocket {

class TraceSink final : public MessageSink {
 public:
  // With a decoder, pauses it after every event.
  explicit TraceSink(Decoder* to_pause = nullptr) : to_pause_(to_pause) {}

  void on_message(bool text, ByteView payload) override { note(text ? "text" : "bin", payload); }
  void on_ping(ByteView payload) override { note("ping", payload); }
  void on_pong(ByteView payload) override { note("pong", payload); }
  void on_fragment() override { note("fragment", {}); }
  void on_close(uint16_t code, ByteView reason) override {
    note("close", std::to_string(code).append(",").append(reason));
  }
  void on_failure(const DecodeFailure& failure) {
    note("fail", std::to_string(static_cast<uint16_t>(failure.code)));
  }

  const std::vector<std::string>& events() const { return events_; }

 private:
  void note(std::string_view what, ByteView payload) {
    events_.push_back(std::string(what).append("(").append(payload).append(")"));
    if (to_pause_) to_pause_->pause();
  }

  Decoder* to_pause_;
  std::vector<std::string> events_;
};

// Feeds a copy of `piece` until it is consumed, pauses included. False after a failure.
inline bool feed(Decoder& decoder, ByteView piece, TraceSink& sink) {
  // A heap block of the exact size lets the sanitizers see a step over its end.
  std::vector<char> bytes(piece.begin(), piece.end());
  for (std::span<char> rest = bytes; !rest.empty();) {
    const auto consumed = decoder.decode(rest, sink);
    if (!consumed) {
      sink.on_failure(consumed.error());
      return false;
    }
    rest = rest.subspan(*consumed);
  }
  return true;
}

}  // namespace parley::codec::websocket
