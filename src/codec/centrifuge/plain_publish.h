// The command that comes most, in the form in which clients write it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "codec/centrifuge/commands.h"

namespace parley::codec::centrifuge {

// Reads {"id":1,"publish":{"channel":"a","data":...}}, or the same with the id behind: these keys
// in this order, no space between them, and no escapes in the channel's name. False: it is not
// that, whether or not it is a command, and `out` is untouched. What it reads, the reader of
// commands reads the same way.
bool read_plain_publish(ByteView line, uint32_t max_depth, Command& out);

}  // namespace parley::codec::centrifuge
