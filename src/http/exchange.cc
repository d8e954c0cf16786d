#include "http/exchange.h"

#include "base/check.h"
#include "http/connection.h"
#include "http/server.h"

namespace parley::http {

Exchange* ExchangeRef::get() const {
  return server_ == nullptr ? nullptr : server_->find_deferred(slot_, generation_);
}

void ExchangeRef::respond(int status, std::string_view content_type, ByteView body,
                          std::span<const HeaderView> headers) const {
  if (Exchange* exchange = get()) exchange->respond(status, content_type, body, headers);
}

Exchange::Exchange(Connection& connection, Request request, std::string path_tail)
    : connection_(connection), request_(std::move(request)), path_tail_(std::move(path_tail)) {}

Exchange::~Exchange() {
  if (slot_ != kNoSlot) connection_.server().forget_deferred(slot_);
}

io::PeerAddress Exchange::client() const {
  return Arrival{request_, path_tail_, connection_}.client();
}

io::PeerAddress Arrival::client() const {
  const TrustedProxies& proxies = connection.server().options().trusted_proxies;
  return proxies.client_of(connection.socket().peer(), request);
}

Server& Exchange::server() const { return connection_.server(); }

void Exchange::settle() {
  CHECK(!answered_);
  answered_ = true;
  if (slot_ == kNoSlot) return;
  connection_.server().forget_deferred(slot_);
  slot_ = kNoSlot;
}

void Exchange::respond(int status, std::string_view content_type, ByteView body,
                       std::span<const HeaderView> headers) {
  settle();
  connection_.respond(request_, {status, content_type, body, headers});
}

void Exchange::respond_text(int status, std::string_view text,
                            std::span<const HeaderView> headers) {
  respond(status, "text/plain; charset=utf-8", Buffer(text) + '\n', headers);
}

ExchangeRef Exchange::defer() {
  CHECK(!answered_ && slot_ == kNoSlot);
  const ExchangeRef ref = connection_.server().add_deferred(*this);
  slot_ = ref.slot_;
  return ref;
}

UpgradeSocket Exchange::take_over() {
  settle();
  return connection_.hand_over();
}

}  // namespace parley::http
