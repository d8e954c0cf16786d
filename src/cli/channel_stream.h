// One channel of `parley sub`.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "cli/backoff.h"
#include "cli/commands.h"
#include "cli/http.h"
#include "cli/message_printer.h"
#include "codec/sse/decoder.h"

namespace parley::cli {

// What: GET /sse/<channel>, one libcurl transfer at a time, and where to go on after it. Owner: the
// command, which runs the transfers. Failure: on_done() says whether to give up.
class ChannelStream final : private codec::sse::EventSink {
 public:
  // Both outlive the stream.
  ChannelStream(const SubscribeCommand& command, std::string channel, MessagePrinter& printer);
  ChannelStream(const ChannelStream&) = delete;

  // A new transfer, which resumes behind the last event. It belongs to the stream and is the only
  // one: the one before must have left its multi handle.
  CURL* begin();
  CURL* transfer() const { return transfer_.get(); }

  // After the transfer's end: how long to wait before the next begin(), or why there is none.
  Result<Duration> on_done(CURLcode code, uint64_t random);

  const std::string& channel() const { return channel_; }

 private:
  static size_t on_bytes(char* data, size_t, size_t size, void* self);
  bool take(ByteView bytes);
  void on_event(const codec::sse::DecodedEvent& event) override { printer_.print(channel_, event); }
  void on_retry(uint32_t ms) override { backoff_.set_first(milliseconds(ms)); }

  const SubscribeCommand& command_;
  std::string channel_;
  MessagePrinter& printer_;
  CurlList headers_;
  CurlEasy transfer_;
  codec::sse::Decoder decoder_;
  std::string last_id_;
  std::string refusal_;  // the body of an answer that is no stream
  const char* malformed_ = nullptr;
  bool reached_ = false;  // a server answered at least once
  Backoff backoff_;
};

}  // namespace parley::cli
