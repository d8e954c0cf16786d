#include "http/connection.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "http/meters.h"
#include "http/origin_policy.h"

namespace parley::http {

using codec::http1::RequestDecoder;
using codec::http1::ResponseFraming;

namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

std::string_view why(int status) {
  switch (status) {
    case 400:
      return "malformed escape in the path";
    case 405:
      return "this path does not take that method";
    default:
      return "no such path";
  }
}

}  // namespace

Connection::Connection(Server& server) : server_(server), decoder_(server.options().limits) {
  meters::open_connections.add(1);
}

Connection::~Connection() { meters::open_connections.add(-1); }

void Connection::on_opened(io::Socket& socket) {
  socket_ = &socket;
  limit_reads();
  watch();
}

void Connection::on_closed(io::CloseReason) {
  TimerNode::unlink();
  Resumable::unlink();
  exchange_.reset();
}

// --- input

bool Connection::may_serve() const {
  // A dead socket takes no new handler: what a request opens on it would be left without an owner.
  return socket_->open() && !closing_ && !handed_over_ && !exchange_ &&
         unsent() <= server_.options().output_bytes;
}

// Behind responses that the client may never read no body is gathered: it would be kept besides
// them. Those that go are gone at the end of the turn.
bool Connection::may_read() const { return may_serve() && (!in_body_ || unsent() == 0); }

// Where requests stop being served, nothing but what was read with the last of them is kept: the
// rest stays with the kernel, which slows the peer.
void Connection::limit_reads() {
  socket_->read_at_most(server_.options().read_bytes + decoder_.body_left());
}

void Connection::on_input(std::span<char> bytes) {
  const ByteView in(bytes.data(), bytes.size());
  const size_t taken = process(in);
  if (closing_ || handed_over_) return;
  unserved_.append(in.substr(taken));
  limit_reads();
  if (!may_read()) socket_->pause_reading();
  if (unsent() > server_.options().output_bytes) meters::output_pauses.add();
  watch();
}

void Connection::resume() {
  if (exchange_ && exchange_->answered()) exchange_.reset();
  if (!may_serve()) return watch();
  served_ += process(ByteView(unserved_).substr(served_));
  if (closing_ || handed_over_) return;
  if (served_ == unserved_.size()) {
    unserved_ = {};
    served_ = 0;
  }
  limit_reads();
  if (may_read()) socket_->resume_reading();
  watch();
}

size_t Connection::process(ByteView in) {
  const size_t size = in.size();
  while (may_serve()) {
    const auto step = decoder_.decode(in);
    in.remove_prefix(step.consumed);
    if (step.state == RequestDecoder::kNeedMore) {
      if (std::exchange(continue_due_, false)) {
        output_.append("HTTP/1.1 100 Continue\r\n\r\n");
        socket_->mark_dirty(io::Urgency::kReply);
      }
      break;
    }
    if (step.state == RequestDecoder::kHeadersDone) {
      start_body(in);
    } else if (step.state == RequestDecoder::kRequest) {
      serve(in);
    } else {
      meters::count_refusal(decoder_.error());
      refuse(http_status(decoder_.error()), reason(decoder_.error()));
    }
  }
  return size - in.size();
}

// Whom no handler ever sees.
bool Connection::is_stranger(const Request& request) const {
  return server_.options().this_machine_only && !is_from_this_machine(request);
}

void Connection::start_body(ByteView behind) {
  Request& request = decoder_.request();
  const Router::Match match = server_.router().find(request.method, request.path);
  if (match.handler == nullptr) {
    meters::count_unrouted(match.status);
    return refuse(match.status, why(match.status), match.allow);
  }
  if (is_stranger(request) || !match.handler->admits({request, match.path_tail, *this})) {
    request.keep_alive = false;
    return serve(behind);
  }
  decoder_.limit_body(match.body_limit);
  in_body_ = true;
  continue_due_ = request.expect_continue && behind.empty();
}

void Connection::serve(ByteView behind) {
  Request request = std::move(decoder_.request());
  decoder_.reset();
  in_body_ = continue_due_ = false;
  used_ = true;
  stop_watch();
  const bool stranger = is_stranger(request);
  Router::Match match;
  if (!stranger) match = server_.router().find(request.method, request.path);
  exchange_ = std::make_unique<Exchange>(*this, std::move(request), std::move(match.path_tail));
  if (stranger) {
    meters::count_refusal(meters::Refusal::kForeignPage);
    exchange_->respond_text(403, "only this machine's own pages may use this server");
  } else if (match.handler == nullptr) {
    meters::count_unrouted(match.status);
    const HeaderView allow{"Allow", match.allow};
    exchange_->respond_text(match.status, why(match.status),
                            {&allow, match.allow.empty() ? 0u : 1u});
  } else {
    behind_ = behind;
    serving_ = true;
    match.handler->handle(*exchange_);
    serving_ = false;
    if (handed_over_) return;
    if (!exchange_->answered() && !exchange_->deferred())
      exchange_->respond_text(500, "the request was not answered");
  }
  if (exchange_->answered()) exchange_.reset();
}

io::AfterPeerEnd Connection::on_peer_end() {
  peer_ended_ = true;
  if (!answering() && unsent() == 0) return io::AfterPeerEnd::kClose;
  // It may have ended its side behind its last request.
  return io::AfterPeerEnd::kKeepSending;
}

// --- output

void Connection::respond(const Request& request, const Response& response) {
  // After a refused upgrade the peer's bytes may belong to the other protocol; and who guesses at
  // keys and tokens is to pay for each with a connection, as verifying them costs us more.
  const bool close = !request.keep_alive || request.upgrade || response.status == 401;
  write(response, request.method == "HEAD", close, request.minor_version == 0);
  if (!serving_) server_.resume_soon(*this);
}

void Connection::refuse(int status, std::string_view reason, std::string_view allow) {
  const HeaderView header{"Allow", allow};
  write({status, kText, Buffer(reason) + '\n', {&header, allow.empty() ? 0u : 1u}},
        decoder_.is_head(), true, false);
  in_body_ = continue_due_ = false;
}

void Connection::write(const Response& response, bool head_only, bool close, bool say_keep_alive) {
  std::vector<HeaderView> headers;
  headers.reserve(response.headers.size() + 3);
  const bool has_body = codec::http1::status_has_body(response.status);
  if (has_body && !response.content_type.empty())
    headers.push_back({"Content-Type", response.content_type});
  headers.push_back({"X-Content-Type-Options", "nosniff"});
  if (!close && say_keep_alive) headers.push_back({"Connection", "keep-alive"});
  headers.insert(headers.end(), response.headers.begin(), response.headers.end());
  const ResponseFraming framing{.length = response.body.size(), .close = close};
  if (!encode_response_head(response.status, headers, framing, output_)) {
    return write({500, kText, "the response could not be sent\n"}, head_only, close,
                 say_keep_alive);
  }
  if (has_body && !head_only) output_.append(response.body);
  meters::count_response(response.status);
  if (close) close_when_sent();
  socket_->mark_dirty(io::Urgency::kReply);
}

void Connection::close_when_sent() {
  closing_ = true;
  socket_->pause_reading();
  unserved_ = {};
  served_ = 0;
  watch();
}

void Connection::gather(io::OutSlices& out) { out.append(ByteView(output_).substr(sent_)); }

void Connection::consumed(size_t n) {
  sent_ += n;
  if (unsent() > 0) {
    if (n > 0 && waiting_ == Waiting::kWrite) stop_watch();  // starts anew
    return watch();
  }
  output_ = {};
  sent_ = 0;
  if (closing_ || (peer_ended_ && !answering())) {
    closing_ = true;
    stop_watch();
    return socket_->close_after_flush(server_.options().close_timeout);
  }
  if (socket_->reading_paused()) server_.resume_soon(*this);
  watch();
}

UpgradeSocket Connection::hand_over() {
  handed_over_ = true;
  TimerNode::unlink();
  Resumable::unlink();
  meters::taken_over.add();
  const ByteView behind = serving_ ? behind_ : ByteView(unserved_).substr(served_);
  UpgradeSocket upgrade{*socket_, server_, output_.substr(sent_), Buffer(behind)};
  socket_->resume_reading();
  return upgrade;
}

// --- time

Connection::Waiting Connection::waits_for() const {
  if (closing_) return unsent() > 0 ? Waiting::kWrite : Waiting::kNothing;
  if (answering()) return Waiting::kNothing;
  // What is not read for the client's own responses cannot be late.
  if (unsent() > 0 && !may_read()) return Waiting::kWrite;
  if (in_body_) return Waiting::kBody;
  if (!decoder_.idle()) return Waiting::kHeaders;
  if (unsent() > 0) return Waiting::kWrite;
  return used_ ? Waiting::kNextRequest : Waiting::kFirstRequest;
}

Duration Connection::patience(Waiting what) const {
  const ServerOptions& options = server_.options();
  switch (what) {
    case Waiting::kBody:
      return options.body_timeout;
    case Waiting::kWrite:
      return options.write_timeout;
    case Waiting::kNextRequest:
      return server_.idle_timeout();
    default:
      return options.header_timeout;
  }
}

void Connection::stop_watch() {
  waiting_ = Waiting::kNothing;
  TimerNode::unlink();
}

// (Re-)starts the clock when something else is waited for than before.
void Connection::watch() {
  const Waiting what = waits_for();
  if (what == waiting_) return;
  stop_watch();
  if (what == Waiting::kNothing) return;
  waiting_ = what;
  server_.timers().schedule(*this, server_.now().mono + patience(what));
}

void Connection::on_timer(const Now&) {
  switch (std::exchange(waiting_, Waiting::kNothing)) {
    case Waiting::kHeaders:
    case Waiting::kBody:
      meters::timeouts.add(in_body_ ? meters::Late::kBody : meters::Late::kHeaders);
      return refuse(408, "the request did not arrive in time");
    case Waiting::kWrite:
      meters::timeouts.add(meters::Late::kWrite);
      return socket_->close(io::CloseReason::kTimeout);
    default:
      meters::timeouts.add(used_ ? meters::Late::kNextRequest : meters::Late::kFirstRequest);
      return socket_->close();
  }
}

}  // namespace parley::http
