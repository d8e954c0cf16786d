// Carries hub messages between the shards of this process.
#pragma once

#include "hub/post.h"
#include "io/mailboxes.h"

namespace parley::server {

// What a hub message holds besides its slot in the ring, in bytes: the rings are bounded in bytes
// as well as entries.
struct HubMessageCost {
  size_t operator()(const hub::HubMessage& message) const;
};

using HubMail = io::Mailboxes<hub::HubMessage, HubMessageCost>;
using HubMailHook = io::MailHook<hub::HubMessage, HubMessageCost>;

// What: one shard's end of the mailboxes. Owner: ShardWorld. Shard: its own.
class HubPost final : public hub::Post {
 public:
  HubPost(HubMail& mail, ShardId self) : mail_(mail), self_(self) {}
  bool take_credit(ShardId to) override { return mail_.take_credit(self_, to); }
  void send_request(ShardId to, hub::HubMessage message) override {
    mail_.send_request(self_, to, std::move(message));
  }
  void send_reply(ShardId to, hub::HubMessage message) override {
    mail_.send_answer(self_, to, std::move(message));
  }
  bool try_send(ShardId to, hub::HubMessage& message) override {
    return mail_.try_send_data(self_, to, std::move(message));
  }

 private:
  HubMail& mail_;
  ShardId self_;
};

}  // namespace parley::server
