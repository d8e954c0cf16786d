// What `parley sub` prints.
#pragma once

#include <cstdint>
#include <string>

#include "codec/sse/decoder.h"

namespace parley::cli {

// The line of one message, with its line end: the data, or with `verbose` channel, id, event name
// and data, separated by tabs.
std::string message_line(std::string_view channel, const codec::sse::DecodedEvent& event,
                         bool verbose);

// The same as JSON: channel, id, event and data, or channel and gap.
std::string message_json(std::string_view channel, const codec::sse::DecodedEvent& event);

// The sentence of a gap event; its data is {"from":3,"to":7,"reason":"retention"}.
std::string gap_sentence(std::string_view channel, std::string_view data);

enum class MessageFormat : uint8_t { kData, kVerbose, kJson };

// What: counts messages, of all channels together, and prints them to stdout, and gaps to stderr;
// as JSON all to stdout.
// Owner: the command. Failure: gone() when nobody reads stdout any more.
class MessagePrinter {
 public:
  // `count` 0 means no end.
  MessagePrinter(uint64_t count, MessageFormat format)
      : left_(count), endless_(count == 0), format_(format) {}

  void print(std::string_view channel, const codec::sse::DecodedEvent& event);
  void flush();

  bool finished() const { return gone_ || (!endless_ && left_ == 0); }
  bool gone() const { return gone_; }

 private:
  void write(const std::string& line);

  uint64_t left_;
  bool endless_;
  MessageFormat format_;
  bool gone_ = false;
};

}  // namespace parley::cli
