// What a one-time ticket is made of, and what it looks like. Why so:
// docs/adr/0018-capabilities-and-tickets.md.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "auth/authenticator.h"
#include "auth/regex_pool.h"
#include "base/affinity.h"
#include "base/random.h"

namespace parley::auth {

// What the application's backend says of a ticket: as a connection token would, for one connect.
struct TicketOrder {
  Claims claims;
  seconds ttl{30};  // of the ticket, not of the connection
};

struct TicketOrderLimits {
  size_t bytes = 16 * 1024;  // as a token
  seconds ttl{300};
};

// {"user":..,"info":..,"b64info":..,"meta":..,"channels":[..],"subs":{..},"caps":[..],
// "expire_at":..,"ttl":..}. nullopt for any other member, or one that a token may not have: what is
// misspelt here would make a ticket for somebody else.
std::optional<TicketOrder> read_ticket_order(ByteView json, const TicketOrderLimits& limits,
                                             RegexPool& pool);

// How a ticket is known on the shard that owns it: a SHA-256.
using TicketDigest = std::array<uint8_t, 32>;

struct TicketName {
  ShardId owner = kNoShard;
  TicketDigest digest{};
};

// "pt_" and 36 characters: a version, the owner, and 192 random bits.
std::string draw_ticket(ShardId owner, IdSource& ids);
// Whether a text is meant as a ticket; no JSON Web Token begins like one.
bool is_ticket(std::string_view token);
// nullopt: no ticket of this server looks like that.
std::optional<TicketName> parse_ticket(std::string_view text);

}  // namespace parley::auth
