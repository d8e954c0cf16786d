// The server API: what an application's backend asks of Parley over HTTP.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "auth/access.h"
#include "http/router.h"
#include "http_api/answer.h"
#include "http_api/api_key.h"
#include "http_api/methods.h"
#include "http_api/pending_table.h"

namespace parley::http_api {

struct ServerApiOptions {
  std::string key;                // "": nobody may call
  bool insecure = false;          // no key is asked for; for development
  bool transport_errors = false;  // errors of single commands as HTTP status
  CommandLimits limits;
  size_t calls = 10'000;            // waiting for the hub; above: 503
  size_t call_bytes = 64 << 20;     // bodies of those calls together; above: 503
  uint32_t operations = 64;         // of one call at the hub at a time
  size_t history_bytes = 16 << 20;  // of one history answer; it then ends early
  uint64_t body_bytes = 1 << 20;
  std::string prefix = "/api";           // of all paths
  const auth::Access* access = nullptr;  // which names channels can have; null: printable ASCII
  auth::TicketDesk* tickets = nullptr;   // null: no tickets are made
};

// What: POST /api/<method> for every method in methods.cc, POST /api/batch, and POST /api for the
// legacy format, with the fields, answers and error codes of Centrifugo's HTTP API
// (docs/protocols/server-api.md). Owner: the server, one per shard; dies before its hub, and not
// while its router is in use. Shard: its hub's. Failure: a call whose client has left is still
// carried out; what the hub refuses becomes the API's error.
class ServerApi final : public http::Handler, public hub::Requester {
 public:
  ServerApi(hub::Hub& hub, const NodeInfo& node, ServerApiOptions options);
  ~ServerApi() override;

  void add_routes(http::Router& router);
  void handle(http::Exchange& exchange) override;
  bool admits(const http::Arrival& arrival) override;

  // The same without a connection; `method` is the last segment of the path.
  void serve(const Request& request, std::string_view method, ReplyTo reply);

  size_t calls_waiting() const { return calls_.size(); }

 private:
  bool may_call(const Request& head) const;
  // One request whose commands are under way.
  struct Call {
    CommandList list;
    const ResultEncoder* results = nullptr;
    ReplyTo reply;
    bool transport_errors = false;
    size_t body_bytes = 0;
    size_t command = 0;  // the next operation to start
    size_t channel = 0;
    size_t running_command = 0;  // of the operation started last
    uint32_t outstanding = 0;
    std::list<Call>::iterator self;
  };
  struct Operation {
    Call* call = nullptr;
    size_t command = 0;
    size_t channel = 0;
  };

  void on_answer(hub::StepId step, hub::Answer answer) override;
  bool is_full(size_t body_bytes) const;
  void advance(Call& call);
  bool may_start(const Call& call) const;
  void start(Call& call, Operation operation);
  bool has_name(std::string_view channel) const;
  void finish(Call& call);

  hub::Hub& hub_;
  ServerApiOptions options_;
  ApiKey key_;
  Runner runner_;
  codec::json::Scratch scratch_;
  std::list<Call> calls_;
  size_t call_bytes_ = 0;
  PendingTable<Operation> operations_;
};

}  // namespace parley::http_api
