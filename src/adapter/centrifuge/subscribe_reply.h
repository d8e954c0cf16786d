// What a client is told when it is subscribed.
#pragma once

#include <string>

#include "adapter/centrifuge/channel.h"
#include "adapter/centrifuge/codec.h"
#include "adapter/centrifuge/wire_publication.h"
#include "hub/subscription.h"
#include "session/effects.h"

namespace parley::adapter::centrifuge {

// What: the result of a subscribe, with what was missed. Borrows from what it is made of and from
// itself, so it stays where it was made; `expires` and `ttl` are the caller's.
class SubscribeReply {
 public:
  // More missed bytes than `most` are not recovered; those above `room` do not stand inside but
  // follow the reply. `channel` is still joining.
  SubscribeReply(const Codec& codec, const Channel& channel, const hub::Subscribed& result,
                 const session::Effects& effects, size_t most, size_t room);
  SubscribeReply(const SubscribeReply&) = delete;
  SubscribeReply& operator=(const SubscribeReply&) = delete;

  wire::SubscribeResult& body() { return body_; }
  bool recovered() const { return body_.recovered; }
  // The reply has been sent: what was missed and does not stand inside follows it, and deltas go on
  // from what does.
  void follow(session::Effects& effects) const;
  size_t missed_bytes() const { return missed_bytes_; }  // inside

 private:
  session::SubscriptionHandle handle_;
  Missed recovered_;
  size_t cost_;  // of what was missed, in bytes
  std::string epoch_;
  hub::Publication data_;
  Buffer data_room_;
  WirePublications missed_;
  wire::SubscribeResult body_;
  size_t missed_bytes_ = 0;
};

}  // namespace parley::adapter::centrifuge
