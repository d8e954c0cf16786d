// What the HTTP connections of one shard share.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "http/exchange.h"
#include "http/router.h"
#include "http/server_options.h"
#include "io/shard.h"

namespace parley::http {

// Something that goes on at the next turn of its shard, outside of any other call. Unlinks itself
// when destroyed.
class Resumable : public ListNode<Resumable> {
 public:
  virtual void resume() = 0;

 protected:
  ~Resumable() = default;
};

// Owner: the server/, one per shard; outlives the shard's sockets. Shard: its own.
class Server final : public io::TurnHook {
 public:
  // `router` must be complete and outlive the Server.
  Server(io::Shard& shard, const Router& router, const ServerOptions& options = {});

  // For Shard::listen().
  std::unique_ptr<io::SocketHandler> make_connection();
  // What a client is told that cannot even have a connection: a 503 that says when to come back.
  static Buffer no_room();

  const Router& router() const { return router_; }
  const ServerOptions& options() const { return options_; }
  // How long a connection may be silent between two requests.
  Duration idle_timeout() const {
    return saving_ ? std::min(options_.idle_timeout, options_.saving_idle_timeout)
                   : options_.idle_timeout;
  }
  // From now on, while memory is scarce.
  void save(bool saving) { saving_ = saving; }
  TimerWheel& timers() { return shard_.timers(); }
  const Now& now() const { return shard_.now(); }
  void resume_soon(Resumable& waiting) {
    if (!waiting.linked()) resumed_.push_back(waiting);
  }

  // Deferred exchanges, for Exchange and ExchangeRef.
  ExchangeRef add_deferred(Exchange& exchange);
  void forget_deferred(uint32_t slot);
  Exchange* find_deferred(uint32_t slot, uint32_t generation) const;

 private:
  struct Deferred {
    Exchange* exchange = nullptr;
    uint32_t generation = 0;
  };

  void on_turn(const Now& now) override;
  bool has_work() const override { return !resumed_.empty(); }

  io::Shard& shard_;
  const Router& router_;
  ServerOptions options_;
  bool saving_ = false;
  IntrusiveList<Resumable, Resumable> resumed_;
  std::vector<Deferred> deferred_;
  std::vector<uint32_t> free_;
};

}  // namespace parley::http
