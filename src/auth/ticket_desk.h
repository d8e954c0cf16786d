// One-time tickets: made by the server API, good for one connect. Why so:
// docs/adr/0018-capabilities-and-tickets.md.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "auth/ticket_order.h"
#include "base/shard_calls.h"
#include "base/time.h"

namespace parley::auth {

// What the shards of a node say to each other about tickets.
struct TicketMail {
  std::unique_ptr<TicketDigest> wanted;  // null: an answer
  std::unique_ptr<Claims> granted;       // of an answer; null: there is no such ticket
  uint32_t place = 0;                    // where the asker waits
};

using TicketPost = ShardPost<TicketMail>;

// What: how many tickets may wait to be used, for all desks of a node. Owner: the server; outlives
// the desks. Shard: any; never waits.
class TicketQuota {
 public:
  virtual ~TicketQuota() = default;
  // Room for one more; false: there is none.
  virtual bool take() = 0;
  virtual void give_back() = 0;
};

struct TicketOptions {
  size_t tickets = 10'000;       // that wait here to be used; 0: none are made
  TicketQuota* quota = nullptr;  // asked besides, where there is one
  TicketOrderLimits order;
  size_t parked = 4096;  // that wait here for credits; above: kUnavailable
};

// Why there is no ticket.
enum class TicketRefusal : uint8_t { kMalformed, kTooMany, kOff };

struct Ticket {
  std::string text;
  int64_t expire_at = 0;  // seconds since 1970
};

// What: the tickets that one shard has made, and the way to those of the others. A ticket is given
// away at most once: its owner forgets it before anybody is told what it says, whether or not the
// answer still finds somebody. Owner: the server, one per shard; outlives whoever has a token
// verified. Shard: its own. Failure: a ticket that cannot be found is kExpired, whatever became of
// it; one whose owner cannot be asked is kUnavailable and stays good; what is no ticket, kInvalid.
class TicketDesk {
 public:
  using Done = Authenticator::Done;

  // Borrows post and ids, which are the operating system's. A node of `shards`, of which this is
  // `self`.
  TicketDesk(ShardId self, size_t shards, TicketPost& post, IdSource& ids,
             const TicketOptions& options = {});
  ~TicketDesk();

  // At the beginning of each turn: drops what has expired, at most 1,000 of them; the others are
  // good no longer either, but count until later turns.
  void set_now(const Now& now);

  std::expected<Ticket, TicketRefusal> issue(ByteView text);
  // The result, or nothing where another shard must be asked: as Authenticator::verify().
  std::optional<TokenResult> redeem(std::string_view ticket, Done done);
  // From another shard's desk.
  void receive(ShardId from, TicketMail&& mail);

  size_t tickets() const { return tickets_.size(); }
  size_t waiting() const { return calls_.unsettled(); }

 private:
  using Deadlines = std::multimap<Time, TicketDigest>;
  struct Kept {
    std::unique_ptr<Claims> claims;
    Deadlines::iterator deadline;
  };
  // Nobody else chooses a digest that is in the table.
  struct DigestHash {
    size_t operator()(const TicketDigest& digest) const {
      size_t hash = 0;
      std::memcpy(&hash, digest.data(), sizeof hash);
      return hash;
    }
  };

  bool take_room();
  void give_room();
  // It is there no longer. Null: it never was, or has expired.
  std::unique_ptr<Claims> take(const TicketDigest& digest);
  void drop_expired();

  const ShardId self_;
  TicketPost& post_;
  IdSource& ids_;
  const TicketOptions options_;
  Now now_{};
  RegexPool regexes_;
  std::unordered_map<TicketDigest, Kept, DigestHash> tickets_;
  Deadlines deadlines_;
  ShardCalls<TicketMail, Done> calls_;
};

}  // namespace parley::auth
