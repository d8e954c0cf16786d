// Centrifuge commands in Protobuf.
#pragma once

#include "base/bytes.h"
#include "codec/centrifuge/command_limits.h"
#include "codec/centrifuge/commands.h"

namespace parley::codec::centrifuge {

// Decodes whole frames: commands one behind the other, each behind its length as a varint; a length
// of 0 is a pong. Views borrow from the frame. Unknown fields are skipped, missing ones are zero; a
// scalar that comes twice counts as it came last, a message that comes twice is merged, and so is
// a map by its keys; of several payloads the first in the order of the protocol's schema counts.
// Wrong wire types, groups, lengths beyond the rest and strings that are not UTF-8 are refused.
// Owned by whoever feeds it; stateless; allocates nothing for ordinary commands. Source: client
// protocol v2, Protobuf encoding; the Protobuf encoding guide.
class ProtobufCommandDecoder {
 public:
  explicit ProtobufCommandDecoder(CommandLimits limits = {}) : limits_(limits) {}

  // Calls `sink(Command&)` for each command in order; it returns false to leave the rest unread.
  template <class Sink>
  FrameEnd decode(ByteView frame, Sink&& sink) const {
    for (uint32_t count = 0; count == 0 || !frame.empty(); ++count) {
      Command command;
      if (count == limits_.max_commands) return refuse_frame(FrameFault::kTooManyCommands);
      if (!take_one(frame, command)) return FrameEnd::kBadRequest;
      if (!sink(command)) return FrameEnd::kStopped;
    }
    return FrameEnd::kDone;
  }

  // The whole text is one message. A refusal is counted.
  bool decode(ByteView text, EmulationRequest& out) const;

 private:
  // A refusal is counted.
  bool take_one(ByteView& frame, Command& out) const;

  CommandLimits limits_;
};

}  // namespace parley::codec::centrifuge
