// What every decoder of commands keeps to, and how reading a frame ends.
#pragma once

#include <cstdint>

namespace parley::codec::centrifuge {

struct CommandLimits {
  // JSON containers or Protobuf messages inside one another, counted from the command itself. In
  // JSON embedded data may be two less deep. At most json::kMaxDepth.
  uint32_t max_depth = 64;
  // A frame of 64 KiB holds at most 22,000 commands in JSON ("{}"), three times that in Protobuf,
  // and about 3,600 or 8,000 that do anything.
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

// Counts it in parley_centrifuge_frames_refused_total.
FrameEnd refuse_frame(FrameFault fault);

}  // namespace parley::codec::centrifuge
