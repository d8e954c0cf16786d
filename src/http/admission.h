// Who may come in: asked by every door through which clients come to stay, before anything is
// allocated for them. Why so: docs/adr/0016-overflow-and-overload.md.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "base/bucket_table.h"
#include "base/random.h"
#include "http/origin_policy.h"
#include "http/router.h"
#include "io/address.h"

namespace parley::http {

struct AdmissionOptions {
  size_t connections = 0;      // on this node; 0: any
  Rate opened = {};            // new ones of this shard
  Rate per_address = {};       // ... of one address; of one /64 where it is IPv6
  size_t addresses = 1 << 14;  // that are remembered
  // How many connections there are on this node.
  std::function<size_t()> count = [] { return size_t{0}; };
};

// What: says no, and when to come again. Owner: the server, one per shard. Shard: its own.
class Admission {
 public:
  enum class Reason : uint8_t { kConnections, kRate, kAddress, kOverload, kShutdown };
  struct Refusal {
    Reason reason;
    int status;  // 503, or 429 where it is about the client itself
    seconds retry_after;
    std::string_view text;
  };

  Admission(AdmissionOptions options, IdSource& ids) : options_(std::move(options)), ids_(ids) {}

  // Counts the refusal, or the connection as opened.
  std::optional<Refusal> refuse(const io::PeerAddress& peer, Time now);
  // Everybody is refused for this reason, until nullopt.
  void close(std::optional<Reason> reason) { closed_ = reason; }

 private:
  Refusal refusal(Reason reason, Duration wait);

  AdmissionOptions options_;
  IdSource& ids_;
  TokenBucket opened_;
  BucketTable addresses_{options_.addresses};
  std::optional<Reason> closed_;
};

// How a door says it: a status with Retry-After, unless its clients would then never come again.
using RefusalWords = void (*)(Exchange& exchange, const Admission::Refusal& refusal);
void say_unavailable(Exchange& exchange, const Admission::Refusal& refusal);

// What: a door behind an admission. Who only asks (HEAD, OPTIONS), or comes from a page that may
// not come, takes nothing from others: the door itself answers. Owner: as its inner handler, which
// outlives it.
class GuardedHandler final : public Handler {
 public:
  GuardedHandler(Handler& inner, Admission& admission, OriginPolicy origins = {},
                 RefusalWords words = say_unavailable)
      : inner_(inner), admission_(admission), origins_(std::move(origins)), words_(words) {}
  void handle(Exchange& exchange) override;

 private:
  Handler& inner_;
  Admission& admission_;
  OriginPolicy origins_;
  RefusalWords words_;
};

}  // namespace parley::http
