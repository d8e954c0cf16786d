// One-time tickets wherever a connection token may stand.
#pragma once

#include "auth/ticket_desk.h"

namespace parley::auth {

// What: gives tickets to the desk and all other tokens to `tokens`. Owner: server, one per shard.
// Shard: its own. Failure: as theirs; a ticket that is shown for anything but a connect is kInvalid
// and stays good.
class TicketAuthenticator final : public Authenticator {
 public:
  // Both outlive it.
  TicketAuthenticator(TicketDesk& desk, Authenticator& tokens) : desk_(desk), tokens_(tokens) {}

  std::optional<TokenResult> verify(TokenUse use, std::string_view token, WallMillis now,
                                    Asker asker, Done done) override {
    if (!is_ticket(token)) return tokens_.verify(use, token, now, asker, std::move(done));
    if (use != TokenUse::kConnect) return std::unexpected(TokenError::kInvalid);
    return desk_.redeem(token, std::move(done));
  }

 private:
  TicketDesk& desk_;
  Authenticator& tokens_;
};

}  // namespace parley::auth
