// Which handler answers a request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/http1/request.h"

namespace parley::http {

class Exchange;
struct Arrival;

// Answers requests. Owner: whoever builds the router; outlives it. Shard: that of its router.
class Handler {
 public:
  virtual ~Handler() = default;
  // Answers now, defers the exchange, or takes its connection over. `exchange` is valid during the
  // call.
  virtual void handle(Exchange& exchange) = 0;
  // Whether the body of a request with this head is read. If not, handle() answers at once without
  // it, and the connection ends. Not asked where there is none.
  virtual bool admits(const Arrival&) { return true; }
};

// What: routes by method and path: exact, or a prefix with one variable last segment. Paths are
// compared as they came, neither decoded nor normalised; only the variable segment is decoded.
// Owner: the server, one per shard; complete before the first request. Failure: a Match that names
// the status.
class Router {
 public:
  struct Match {
    Handler* handler = nullptr;  // null: answer `status`
    uint64_t body_limit = 0;
    std::string path_tail;  // the variable segment, decoded
    int status = 404;       // 400, 404 or 405
    std::string allow;      // with 405
  };

  // A body above `body_limit` is answered 413. GET also serves HEAD.
  void add(std::string_view method, std::string_view path, Handler& handler,
           uint64_t body_limit = 0);
  // `prefix` ends with '/'; behind it comes one segment that is not empty.
  void add_prefix(std::string_view method, std::string_view prefix, Handler& handler,
                  uint64_t body_limit = 0);

  // An exact path wins over a prefix, a longer prefix over a shorter one.
  Match find(std::string_view method, std::string_view path) const;

  uint64_t max_body_limit() const;
  // "GET /path" and "GET /prefix/{tail}", in the order of adding.
  std::vector<std::string> describe() const;

 private:
  struct Route {
    std::string method;
    std::string path;
    Handler* handler;
    uint64_t body_limit;
    bool prefix;

    bool fits(std::string_view requested) const;
  };

  const Route* best_fit(std::string_view path) const;
  const Route* choose_method(std::string_view method, const Route& place) const;
  std::string methods_of(const Route& place) const;

  std::vector<Route> routes_;
};

}  // namespace parley::http
