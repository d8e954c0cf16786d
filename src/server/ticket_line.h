// Carries what the shards of this process say to each other about one-time tickets.
#pragma once

#include "auth/ticket_desk.h"
#include "io/mailboxes.h"

namespace parley::server {

struct TicketMailCost {
  size_t operator()(const auth::TicketMail& mail) const {
    return sizeof(mail) + (mail.granted ? sizeof(*mail.granted) : 0);
  }
};

using TicketBoxes = io::Mailboxes<auth::TicketMail, TicketMailCost>;
using TicketHook = io::MailHook<auth::TicketMail, TicketMailCost>;

// Room for the credits of both sides; there is no fan-out here.
inline constexpr io::MailboxOptions kTicketBoxes{.entries = 256, .credits = 64};

// What: one shard's end of the mailboxes. Owner: ShardWorld. Shard: its own.
class TicketLine final : public auth::TicketPost {
 public:
  TicketLine(TicketBoxes& boxes, ShardId self) : boxes_(boxes), self_(self) {}
  bool take_credit(ShardId to) override { return boxes_.take_credit(self_, to); }
  void send_request(ShardId to, auth::TicketMail mail) override {
    boxes_.send_request(self_, to, std::move(mail));
  }
  void send_answer(ShardId to, auth::TicketMail mail) override {
    boxes_.send_answer(self_, to, std::move(mail));
  }

 private:
  TicketBoxes& boxes_;
  ShardId self_;
};

}  // namespace parley::server
