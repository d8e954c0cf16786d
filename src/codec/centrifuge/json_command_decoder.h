// Centrifuge commands in JSON.
#pragma once

#include <utility>

#include "base/bytes.h"
#include "codec/centrifuge/commands.h"
#include "codec/json/scratch.h"

namespace parley::codec::centrifuge {

struct CommandLimits {
  // Containers inside one another, counted from the command's own braces, so that embedded data may
  // be two less deep. At most json::kMaxDepth.
  uint32_t max_depth = 64;
  // A frame of 64 KiB holds at most 22,000 commands ("{}") and about 3,600 that do anything.
  uint32_t max_commands = 10'000;
  // Entries of all lists and maps of one command together: subs, headers, filter nodes and values,
  // tracked keys. Bounds the memory that a small frame can ask for.
  uint32_t max_items = 10'000;
};

enum class FrameEnd : uint8_t {
  kDone,        // every command was given to the sink
  kStopped,     // the sink asked to stop
  kBadRequest,  // empty, undecodable or over a limit: disconnect 3501. What came before it in the
                // frame was given to the sink
};

// Why a frame was refused, for the metric. What is too deep counts as malformed.
enum class FrameFault : uint8_t { kMalformed, kTooManyCommands, kTooManyItems };

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
    scratch_.reset();
    for (uint32_t count = 0; count == 0 || !frame.empty(); ++count) {
      Command command;
      if (count == limits_.max_commands) return refuse(FrameFault::kTooManyCommands);
      if (!decode_one(take_line(frame), command)) return FrameEnd::kBadRequest;
      if (!sink(command)) return FrameEnd::kStopped;
    }
    return FrameEnd::kDone;
  }

 private:
  static FrameEnd refuse(FrameFault fault);
  static ByteView take_line(ByteView& frame);
  bool decode_one(ByteView line, Command& out);

  CommandLimits limits_;
  json::Scratch scratch_;
};

}  // namespace parley::codec::centrifuge
