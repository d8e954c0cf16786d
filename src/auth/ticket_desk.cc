#include "auth/ticket_desk.h"

#include "base/check.h"
#include "base/metrics.h"

namespace parley::auth {
namespace {

enum class Event : uint8_t { kCreated, kUsed, kRefused, kExpired, kOverLimit, kBusy };
constexpr std::string_view kEvents[] = {"created", "used",       "refused",
                                        "expired", "over_limit", "busy"};
metrics::CounterFamily ticket_events("parley_tickets_total",
                                     "One-time tickets, by what became of them", "event", kEvents);
metrics::Gauge tickets_kept("parley_tickets", "One-time tickets that wait to be used");

TokenResult refused(TokenError error) {
  ticket_events.add(Event::kRefused);
  return std::unexpected(error);
}

// Whatever became of it, its client needs another: what kExpired makes clients ask for.
TokenResult result_of(std::unique_ptr<Claims> claims) {
  if (!claims) return refused(TokenError::kExpired);
  ticket_events.add(Event::kUsed);
  return std::move(*claims);
}

}  // namespace

TicketDesk::TicketDesk(ShardId self, size_t shards, TicketPost& post, IdSource& ids,
                       const TicketOptions& options)
    : self_(self),
      post_(post),
      ids_(ids),
      options_(options),
      calls_(shards, post, {.requests = options.parked, .bytes = 0}) {}

TicketDesk::~TicketDesk() {
  for (size_t n = tickets_.size(); n > 0; --n) give_room();
}

bool TicketDesk::take_room() {
  if (tickets_.size() >= options_.tickets) return false;
  if (options_.quota != nullptr && !options_.quota->take()) return false;
  tickets_kept.add(1);
  return true;
}

void TicketDesk::give_room() {
  if (options_.quota != nullptr) options_.quota->give_back();
  tickets_kept.add(-1);
}

void TicketDesk::set_now(const Now& now) {
  now_ = now;
  if (!deadlines_.empty()) drop_expired();
}

void TicketDesk::drop_expired() {
  constexpr int kMostAtOnce = 1000;
  for (int i = 0; i < kMostAtOnce; ++i) {
    if (deadlines_.empty() || deadlines_.begin()->first > now_.mono) return;
    const TicketDigest digest = deadlines_.begin()->second;
    take(digest);
  }
}

std::expected<Ticket, TicketRefusal> TicketDesk::issue(ByteView text) {
  if (options_.tickets == 0) return std::unexpected(TicketRefusal::kOff);
  auto order = read_ticket_order(text, options_.order, regexes_);
  if (!order) return std::unexpected(TicketRefusal::kMalformed);
  if (!take_room()) {
    ticket_events.add(Event::kOverLimit);
    return std::unexpected(TicketRefusal::kTooMany);
  }
  Ticket ticket{.text = draw_ticket(self_, ids_),
                .expire_at = (now_.wall / 1000) + order->ttl.count()};
  order->claims.id.issued_at = now_.wall / 1000;  // invalidate_user_tokens reaches tickets, too
  const TicketDigest digest = parse_ticket(ticket.text)->digest;
  const auto deadline = deadlines_.emplace(now_.mono + order->ttl, digest);
  const bool fresh =
      tickets_.try_emplace(digest, std::make_unique<Claims>(std::move(order->claims)), deadline)
          .second;
  CHECK(fresh);
  ticket_events.add(Event::kCreated);
  return ticket;
}

std::unique_ptr<Claims> TicketDesk::take(const TicketDigest& digest) {
  auto kept = tickets_.extract(digest);
  if (kept.empty()) return nullptr;
  const bool late = kept.mapped().deadline->first <= now_.mono;
  deadlines_.erase(kept.mapped().deadline);
  give_room();
  if (late) {
    ticket_events.add(Event::kExpired);
    return nullptr;
  }
  return std::move(kept.mapped().claims);
}

std::optional<TokenResult> TicketDesk::redeem(std::string_view ticket, Done done) {
  const auto name = parse_ticket(ticket);
  if (!name || !calls_.is_shard(name->owner)) return refused(TokenError::kInvalid);
  if (name->owner == self_) return result_of(take(name->digest));
  TicketMail mail{.wanted = std::make_unique<TicketDigest>(name->digest)};
  if (calls_.ask(name->owner, mail, done, 0)) return std::nullopt;
  ticket_events.add(Event::kBusy);
  return std::unexpected(TokenError::kUnavailable);
}

void TicketDesk::receive(ShardId from, TicketMail&& mail) {
  if (mail.wanted) {
    post_.send_answer(from, {.granted = take(*mail.wanted), .place = mail.place});
    return;
  }
  Done done = calls_.settle(from, mail.place);
  done(result_of(std::move(mail.granted)));
}

}  // namespace parley::auth
