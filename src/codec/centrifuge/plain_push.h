// The push that goes out most.
#pragma once

#include "base/bytes.h"
#include "codec/centrifuge/replies.h"

namespace parley::codec::centrifuge {

// Appends the push of a publication that has nothing but data, publisher and offset, where no text
// needs an escape. False: it is not that, and nothing was appended. The bytes are those that the
// general encoder writes.
bool append_plain_push(Buffer& out, std::string_view channel, const Publication& publication);

}  // namespace parley::codec::centrifuge
