// Who may come in: asked by every door through which clients come to stay, before anything is
// allocated for them. Why so: docs/adr/0016-overflow-and-overload.md.
#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "base/random.h"
#include "http/origin_policy.h"
#include "http/router.h"
#include "io/address.h"
#include "io/node_quotas.h"

namespace parley::http {

// What: says no, and when to come again, or gives a place. Owner: the server, one per shard; the
// counts are the node's. Shard: its own.
class Admission {
 public:
  enum class Reason : uint8_t {
    kConnections,  // of the node at a time
    kRate,         // new ones a second
    kAddress,      // ... of the address, or the /64 of IPv6
    kAddressConnections,
    kOverload,
    kShutdown,
  };
  struct Refusal {
    Reason reason;
    int status;  // 503, or 429 where it is about the client itself
    seconds retry_after;
    std::string_view text;
  };

  Admission(io::NodeQuotas& quotas, IdSource& ids) : quotas_(quotas), ids_(ids) {}

  // Counts the refusal, or the connection as opened.
  std::expected<Seat, Refusal> admit(const io::PeerAddress& client, Time now);
  // Everybody is refused for this reason, until nullopt.
  void close(std::optional<Reason> reason) { closed_ = reason; }

 private:
  Refusal refusal(Reason reason, Duration wait);

  io::NodeQuotas& quotas_;
  IdSource& ids_;
  std::optional<Reason> closed_;
};

// How a door says it: a status with Retry-After, unless its clients would then never come again.
using RefusalWords = void (*)(Exchange& exchange, const Admission::Refusal& refusal);
void say_unavailable(Exchange& exchange, const Admission::Refusal& refusal);

// Who stays: everybody whom the door lets in, or only who upgrades.
enum class Stays : uint8_t { kAll, kUpgrades };

// What: a door behind an admission. Who only asks (HEAD, OPTIONS), comes from a page that may
// not come, or does not upgrade where he must, takes nothing from others: the door itself answers.
// Owner: as its inner handler, which outlives it.
class GuardedHandler final : public Handler {
 public:
  GuardedHandler(Handler& inner, Admission& admission, OriginPolicy origins = {},
                 RefusalWords words = say_unavailable, Stays stays = Stays::kAll)
      : inner_(inner),
        admission_(admission),
        origins_(std::move(origins)),
        words_(words),
        stays_(stays) {}
  void handle(Exchange& exchange) override;

 private:
  bool only_asks(const codec::http1::Request& request) const;

  Handler& inner_;
  Admission& admission_;
  OriginPolicy origins_;
  RefusalWords words_;
  Stays stays_;
};

}  // namespace parley::http
