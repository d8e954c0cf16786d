// What a client asks for with a subscription, kept beyond the frame that said it.
#pragma once

#include <optional>

#include "codec/centrifuge/commands.h"
#include "hub/epoch.h"

namespace parley::adapter::centrifuge {

struct Wish {
  uint64_t offset = 0;
  std::optional<hub::Epoch> epoch;  // nothing: one that no stream ever had
  bool recover = false;
  bool reject_unrecovered = false;  // ... or not be subscribed
  bool positioned = false;
  bool recoverable = false;
  bool join_leave = false;  // to be told joins and leaves
  bool delta = false;       // publications as changes
  bool compact = false;     // ... under a number instead of the channel's name
};

Wish to_wish(const codec::centrifuge::SubscribeRequest& request);
// Only where to go on from, and how.
Wish to_recovery(const codec::centrifuge::SubscribeRequest& request);

}  // namespace parley::adapter::centrifuge
