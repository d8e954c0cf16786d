// Carries what the shards of this process say to each other about uplinks and one-time tickets.
#pragma once

#include "auth/ticket_desk.h"
#include "base/shard_calls.h"
#include "io/mailboxes.h"
#include "session/uplinks.h"

namespace parley::server {

// What a piece of mail holds, in bytes.
struct MailCost {
  size_t operator()(const session::UplinkMail& mail) const {
    return sizeof(mail) + (mail.request ? sizeof(*mail.request) + mail.request->message.size() : 0);
  }
  size_t operator()(const auth::TicketMail& mail) const {
    return sizeof(mail) + (mail.granted ? sizeof(*mail.granted) : 0);
  }
};

template <class Mail>
using Boxes = io::Mailboxes<Mail, MailCost>;
using UplinkBoxes = Boxes<session::UplinkMail>;
using TicketBoxes = Boxes<auth::TicketMail>;

// Room for the credits of both sides; there is no fan-out here.
inline constexpr io::MailboxOptions kUplinkBoxes{.entries = 512, .credits = 128};
inline constexpr io::MailboxOptions kTicketBoxes{.entries = 256, .credits = 64};

// What: one shard's end of the mailboxes. Owner: ShardWorld. Shard: its own.
template <class Mail>
class ShardLine final : public ShardPost<Mail> {
 public:
  ShardLine(Boxes<Mail>& boxes, ShardId self) : boxes_(boxes), self_(self) {}
  bool take_credit(ShardId to) override { return boxes_.take_credit(self_, to); }
  void send_request(ShardId to, Mail mail) override {
    boxes_.send_request(self_, to, std::move(mail));
  }
  void send_answer(ShardId to, Mail mail) override {
    boxes_.send_answer(self_, to, std::move(mail));
  }

 private:
  Boxes<Mail>& boxes_;
  ShardId self_;
};

using UplinkLine = ShardLine<session::UplinkMail>;
using UplinkHook = io::MailHook<session::UplinkMail, MailCost>;
using TicketLine = ShardLine<auth::TicketMail>;
using TicketHook = io::MailHook<auth::TicketMail, MailCost>;

}  // namespace parley::server
