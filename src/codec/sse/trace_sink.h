// Writes down what a decoder tells, for tests and the fuzz target.
#pragma once

#include <string>
#include <vector>

#include "codec/sse/decoder.h"

namespace parley::codec::sse {

class TraceSink final : public EventSink {
 public:
  struct Seen {
    std::string type, data, id;
    bool operator==(const Seen&) const = default;
  };

  void on_event(const DecodedEvent& event) override {
    seen_.push_back(
        {std::string(event.type), std::string(event.data), std::string(event.last_event_id)});
    note("event " + seen_.back().type + "|" + seen_.back().data + "|" + seen_.back().id);
  }
  void on_retry(uint32_t milliseconds) override { note("retry " + std::to_string(milliseconds)); }
  void on_comment(std::string_view text) override { note("comment " + std::string(text)); }
  void on_failure(const DecodeFailure& failure) { note("fail " + std::string(failure.reason)); }

  // Everything, as text.
  const std::vector<std::string>& log() const { return log_; }
  const std::vector<Seen>& seen() const { return seen_; }

 private:
  void note(std::string what) { log_.push_back(std::move(what)); }

  std::vector<std::string> log_;
  std::vector<Seen> seen_;
};

// Feeds one piece. False after a failure.
inline bool feed(Decoder& decoder, ByteView piece, TraceSink& sink) {
  // A heap block of the exact size lets the sanitizers see a step over its end.
  const std::vector<char> bytes(piece.begin(), piece.end());
  const auto ok = decoder.decode({bytes.data(), bytes.size()}, sink);
  if (!ok) sink.on_failure(ok.error());
  return ok.has_value();
}

}  // namespace parley::codec::sse
