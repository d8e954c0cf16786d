#include "http/server.h"

#include <algorithm>

#include "base/check.h"
#include "http/connection.h"

namespace parley::http {

Server::Server(io::Shard& shard, const Router& router, const ServerOptions& options)
    : shard_(shard), router_(router), options_(options) {
  options_.limits.body_bytes = std::min(options_.limits.body_bytes, router.max_body_limit());
  shard.add_hook(*this);
}

std::unique_ptr<io::SocketHandler> Server::make_connection() {
  return std::make_unique<Connection>(*this);
}

Buffer Server::no_room() {
  constexpr std::string_view kText = "too many connections\n";
  const HeaderView headers[] = {{"Content-Type", "text/plain; charset=utf-8"},
                                {"Retry-After", "5"}};
  Buffer out;
  CHECK(encode_response_head(503, headers, {.length = kText.size(), .close = true}, out));
  return out.append(kText), out;
}

void Server::on_turn(const Now&) {
  // What asks to be resumed meanwhile has its turn in the next one.
  IntrusiveList<Resumable, Resumable> now;
  now.append(resumed_);
  while (!now.empty()) now.pop_front().resume();
}

ExchangeRef Server::add_deferred(Exchange& exchange) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(deferred_.size()));
    deferred_.emplace_back();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  deferred_[slot].exchange = &exchange;
  return {*this, slot, deferred_[slot].generation};
}

void Server::forget_deferred(uint32_t slot) {
  deferred_[slot].exchange = nullptr;
  ++deferred_[slot].generation;
  free_.push_back(slot);
}

Exchange* Server::find_deferred(uint32_t slot, uint32_t generation) const {
  const Deferred& deferred = deferred_[slot];
  return deferred.generation == generation ? deferred.exchange : nullptr;
}

}  // namespace parley::http
