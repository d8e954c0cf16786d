// One request that is being answered.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/quotas.h"
#include "codec/http1/request.h"
#include "codec/http1/response_encoder.h"
#include "io/socket.h"

namespace parley::http {

using codec::http1::HeaderView;
using codec::http1::Request;

class Connection;
class Exchange;
class Server;

// A weak name of a deferred exchange. A value, for its shard only; may outlive the exchange, not
// the Server.
class ExchangeRef {
 public:
  ExchangeRef() = default;
  // Null once the exchange was answered or its connection has gone.
  Exchange* get() const;
  // Does nothing when get() is null.
  void respond(int status, std::string_view content_type, ByteView body,
               std::span<const HeaderView> headers = {}) const;

 private:
  friend class Exchange;
  friend class Server;
  ExchangeRef(Server& server, uint32_t slot, uint32_t generation)
      : server_(&server), slot_(slot), generation_(generation) {}
  Server* server_ = nullptr;
  uint32_t slot_ = 0;
  uint32_t generation_ = 0;
};

// A request of which only the head has come. Valid during Handler::admits().
struct Arrival {
  const Request& request;
  const std::string& path_tail;  // the route's variable segment, decoded
  Connection& connection;

  // See Exchange::client().
  io::PeerAddress client() const;
};

// A connection on its way to another handler, to be given to Socket::set_handler() at once.
struct UpgradeSocket {
  io::Socket& socket;
  Server& server;
  Buffer unsent;    // responses to earlier requests: go before everything else
  Buffer leftover;  // came behind the request; for Socket::feed()
};

// Owner: its Connection. Shard: that of the connection. Answered exactly once: during
// Handler::handle(), or later if it was deferred. Failure: a response that HTTP cannot carry (CR,
// LF or NUL in a header) is replaced by a 500; a handler that neither answers nor defers gives 500.
class Exchange {
 public:
  Exchange(Connection& connection, Request request, std::string path_tail);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const Request& request() const { return request_; }
  // The route's variable segment, decoded.
  const std::string& path_tail() const { return path_tail_; }
  // Whom it is from: the connection's other end, or the client that a trusted proxy speaks for.
  io::PeerAddress client() const;
  Server& server() const;
  // A place that the request was given at the door, for the session that it opens.
  void keep(Seat seat) { seat_ = std::move(seat); }
  Seat take_seat() { return std::move(seat_); }

  // Without `content_type` there is none. The body is left out for HEAD.
  void respond(int status, std::string_view content_type, ByteView body,
               std::span<const HeaderView> headers = {});
  // A sentence as text/plain.
  void respond_text(int status, std::string_view text, std::span<const HeaderView> headers = {});

  // The answer comes later; until then the connection reads no further request.
  ExchangeRef defer();

  // Hands the connection over instead of answering. The Connection object and this exchange die at
  // the end of the turn.
  UpgradeSocket take_over();

  bool answered() const { return answered_; }
  bool deferred() const { return slot_ != kNoSlot; }

 private:
  static constexpr uint32_t kNoSlot = UINT32_MAX;
  void settle();

  Connection& connection_;
  Request request_;
  std::string path_tail_;
  uint32_t slot_ = kNoSlot;
  bool answered_ = false;
  Seat seat_;
};

}  // namespace parley::http
