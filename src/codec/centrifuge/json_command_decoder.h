// Centrifuge commands in JSON.
#pragma once

#include <utility>

#include "base/bytes.h"
#include "codec/centrifuge/command_limits.h"
#include "codec/centrifuge/commands.h"
#include "codec/json/scratch.h"

namespace parley::codec::centrifuge {

// Decodes whole frames: one or more JSON objects joined by '\n', at most one '\n' at the end.
// Unknown fields are ignored, missing ones and null are zero, duplicate keys and wrong types
// are refused; of several payloads the first in the order of the protocol's schema counts.
// Owned by whoever feeds it (one for a shard is enough, for it keeps nothing between frames);
// allocates nothing for ordinary commands. Source: client protocol v2, JSON encoding.
class JsonCommandDecoder {
 public:
  explicit JsonCommandDecoder(CommandLimits limits = {}) : limits_(limits) {}

  // Calls `sink(Command&)` for each command in order; it returns false to leave the rest unread.
  template <class Sink>
  FrameEnd decode(ByteView frame, Sink&& sink) {
    if (std::exchange(scratch_used_, false)) scratch_.reset();
    for (uint32_t count = 0; count == 0 || !frame.empty(); ++count) {
      Command command;
      if (count == limits_.max_commands) return refuse_frame(FrameFault::kTooManyCommands);
      if (!decode_one(take_line(frame), command)) return FrameEnd::kBadRequest;
      if (!sink(command)) return FrameEnd::kStopped;
    }
    return FrameEnd::kDone;
  }

  // The whole text is one message without a command around it; null and nothing inside are the
  // same. A refusal is counted.
  bool decode(ByteView text, ConnectRequest& out);
  bool decode(ByteView text, EmulationRequest& out);

 private:
  template <class T>
  bool decode_message(ByteView text, T& out);
  static ByteView take_line(ByteView& frame);
  bool decode_one(ByteView line, Command& out);

  CommandLimits limits_;
  json::Scratch scratch_;
  bool scratch_used_ = false;  // since its last reset
};

}  // namespace parley::codec::centrifuge
