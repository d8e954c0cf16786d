#include "http_api/server_api.h"

#include "auth/access.h"
#include "base/check.h"
#include "base/metrics.h"
#include "codec/http1/syntax.h"
#include "http/exchange.h"
#include "http_api/protobuf_command.h"
#include "http_api/result_encoder.h"

namespace parley::http_api {
namespace {

metrics::Counter calls_total("parley_server_api_calls_total", "Calls of the server API");
metrics::Counter denied_total("parley_server_api_denied_total",
                              "Calls of the server API without the right key");
metrics::Counter undecodable_total("parley_server_api_undecodable_total",
                                   "Calls of the server API whose body could not be decoded");
metrics::Counter overloaded_total("parley_server_api_overloaded_total",
                                  "Calls of the server API refused because too many were waiting");

// A single command's answer, or what a whole request is refused with.
Answer error_answer(const ResultEncoder& results, ApiError error, bool transport_errors) {
  Answer answer;
  if (transport_errors) {
    if (error == ApiError::kTooManyRequests) answer = overloaded({});
    answer.status = row_of(error).status;
  }
  answer.content_type = results.content_type();
  answer.body = results.refusal(error, transport_errors);
  return answer;
}

bool wants_transport_errors(const Request& request) {
  return codec::http1::equals_ignoring_case(request.header("X-Centrifugo-Error-Mode"), "transport");
}

// Centrifugo looks at the beginning only.
bool is_protobuf(const Request& request) {
  constexpr std::string_view kType = "application/octet-stream";
  return codec::http1::equals_ignoring_case(request.header("Content-Type").substr(0, kType.size()),
                                            kType);
}

Answer bare(int status) { return {.status = status, .content_type = "", .body = {}}; }

}  // namespace

ServerApi::ServerApi(hub::Hub& hub, const NodeInfo& node, ServerApiOptions options)
    : hub_(hub),
      options_(std::move(options)),
      key_(options_.key),
      runner_{hub_, hub_.add(*this, hub::RequesterRole::kOperator), node, options_.history_bytes,
              options_.tickets} {
  CHECK(options_.operations > 0 &&
        options_.calls * options_.operations <= PendingTable<Operation>::kMaxSlots);
}

ServerApi::~ServerApi() { hub_.remove(runner_.who); }

void ServerApi::add_routes(http::Router& router) {
  router.add_prefix("POST", options_.prefix + "/", *this, options_.body_bytes);
  router.add("POST", options_.prefix, *this, options_.body_bytes);
}

void ServerApi::handle(http::Exchange& exchange) {
  serve(exchange.request(), exchange.path_tail(), reply_to(exchange));
}

bool ServerApi::admits(const http::Arrival& arrival) { return may_call(arrival.request); }

bool ServerApi::may_call(const Request& head) const {
  return options_.insecure || key_.admits(head);
}

void ServerApi::serve(const Request& request, std::string_view method, ReplyTo reply) {
  calls_total.add();
  if (!may_call(request)) {
    denied_total.add();
    return reply(bare(401));
  }
  if (is_full(request.body.size())) {
    overloaded_total.add();
    return reply(overloaded({}));
  }
  const bool protobuf = is_protobuf(request);
  const ResultEncoder& results = protobuf ? protobuf_results() : json_results();
  auto list = protobuf ? decode_protobuf_request(method, request.body, options_.limits)
                       : decode_request(method, request.body, options_.limits, scratch_);
  if (!list) {
    undecodable_total.add();
    return reply(bare(400));
  }
  const bool transport_errors = options_.transport_errors || wants_transport_errors(request);
  if (list->error != ApiError::kNone)
    return reply(error_answer(results, list->error, transport_errors));
  for (Command& command : list->commands) {
    command.outcomes.resize(command.channels.size());
    command.results = &results;
  }

  Call& call = calls_.emplace_back();
  call.self = std::prev(calls_.end());
  call.list = std::move(*list);
  call.results = &results;
  call.reply = std::move(reply);
  call.transport_errors = transport_errors;
  call.body_bytes = request.body.size();
  call_bytes_ += call.body_bytes;
  advance(call);
}

bool ServerApi::is_full(size_t body_bytes) const {
  // One call is let through whatever its size: the route limits that.
  return calls_.size() >= options_.calls ||
         (!calls_.empty() && call_bytes_ + body_bytes > options_.call_bytes);
}

// Starts what may start; answers when all is done.
void ServerApi::advance(Call& call) {
  auto& commands = call.list.commands;
  while (call.command < commands.size()) {
    const Command& command = commands[call.command];
    if (command.error != ApiError::kNone || call.channel == command.channels.size()) {
      ++call.command;
      call.channel = 0;
      continue;
    }
    if (!may_start(call)) return;
    start(call, {&call, call.command, call.channel++});
  }
  if (call.outstanding == 0) finish(call);
}

// In a sequential batch a command begins when the one before it is done; the channels of one
// broadcast always go side by side. Publishes to one channel reach it in the order in which they
// were asked for, so none waits for the answer to the one before it: that costs a way there and
// back, to another shard or broker.
bool ServerApi::may_start(const Call& call) const {
  if (call.outstanding == 0) return true;
  if (call.outstanding >= options_.operations) return false;
  if (call.list.parallel || call.running_command == call.command) return true;
  const Command& before = call.list.commands[call.running_command];
  const Command& next = call.list.commands[call.command];
  return before.method == next.method && next.method->keeps_order &&
         before.channels.front() == next.channels.front();
}

bool ServerApi::has_name(std::string_view channel) const {
  if (options_.access == nullptr) return auth::is_channel_name(channel);
  return options_.access->has_name(channel);
}

void ServerApi::start(Call& call, Operation operation) {
  const Command& command = call.list.commands[operation.command];
  const std::string& channel = command.channels[operation.channel];
  Outcome& outcome = call.list.commands[operation.command].outcomes[operation.channel];
  const bool named = !channel.empty() || command.method->many_channels;
  const std::string& name =
      named ? channel : (command.control ? command.control->channel : channel);
  if ((named || !name.empty()) && !has_name(name)) {
    outcome.error = ApiError::kBadRequest;
    return;
  }
  const hub::StepId step = operations_.add(operation);
  if (!command.method->run(runner_, step, command, channel, outcome)) {
    operations_.take(step);
    return;
  }
  call.running_command = operation.command;
  ++call.outstanding;
}

void ServerApi::on_answer(hub::StepId step, hub::Answer answer) {
  const auto operation = operations_.take(step);
  if (!operation) return;
  Call& call = *operation->call;
  Command& command = call.list.commands[operation->command];
  Outcome& outcome = command.outcomes[operation->channel];
  if (answer) {
    outcome =
        command.method->render(runner_, command, command.channels[operation->channel], *answer);
  } else {
    outcome.error = api_error(answer.error());
  }
  --call.outstanding;
  advance(call);
}

void ServerApi::finish(Call& call) {
  const CommandList& list = call.list;
  const bool single = !list.batch && !list.legacy && !list.commands.front().method->many_channels;
  const ApiError error = single ? list.commands.front().outcomes.front().error : ApiError::kNone;
  Answer answer =
      error == ApiError::kNone
          ? Answer{.content_type = call.results->content_type(), .body = call.results->answer(list)}
          : error_answer(*call.results, error, call.transport_errors);
  ReplyTo reply = std::move(call.reply);
  call_bytes_ -= call.body_bytes;
  calls_.erase(call.self);
  reply(std::move(answer));
}

}  // namespace parley::http_api
