// Carries what clients send to their sessions between the shards of this process.
#pragma once

#include "io/mailboxes.h"
#include "session/uplinks.h"

namespace parley::server {

struct UplinkMailCost {
  size_t operator()(const session::UplinkMail& mail) const {
    return sizeof(mail) + (mail.request ? sizeof(*mail.request) + mail.request->message.size() : 0);
  }
};

using UplinkBoxes = io::Mailboxes<session::UplinkMail, UplinkMailCost>;
using UplinkHook = io::MailHook<session::UplinkMail, UplinkMailCost>;

// Room for the credits of both sides; there is no fan-out here.
inline constexpr io::MailboxOptions kUplinkBoxes{.entries = 512, .credits = 128};

// What: one shard's end of the mailboxes. Owner: ShardWorld. Shard: its own.
class UplinkLine final : public session::UplinkPost {
 public:
  UplinkLine(UplinkBoxes& boxes, ShardId self) : boxes_(boxes), self_(self) {}
  bool take_credit(ShardId to) override { return boxes_.take_credit(self_, to); }
  void send_request(ShardId to, session::UplinkMail mail) override {
    boxes_.send_request(self_, to, std::move(mail));
  }
  void send_answer(ShardId to, session::UplinkMail mail) override {
    boxes_.send_answer(self_, to, std::move(mail));
  }

 private:
  UplinkBoxes& boxes_;
  ShardId self_;
};

}  // namespace parley::server
