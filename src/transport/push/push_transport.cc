#include "transport/push/push_transport.h"

#include <algorithm>
#include <list>
#include <utility>

#include "codec/http1/response_encoder.h"
#include "transport/push/meters.h"

namespace parley::transport::push {

using session::EndReason;

namespace {

class SessionSink final : public session::SliceSink {
 public:
  explicit SessionSink(io::OutSlices& out) : out_(out) {}
  bool append(ByteView bytes) override {
    lent_ = true;
    return out_.append(bytes);
  }
  bool lent() const { return lent_; }

 private:
  io::OutSlices& out_;
  bool lent_ = false;
};

EndReason reason_of(io::CloseReason reason) {
  // Closing the connection is how an EventSource says goodbye.
  return reason == io::CloseReason::kPeerClosed ? EndReason::kClientLeft
                                                : EndReason::kTransportLost;
}

}  // namespace

// The way back: messages of the client, which came on other lines. They wait here while the session
// takes no input.
class PushTransport::Uplink final : public session::UplinkSink, private http::Resumable {
 public:
  Uplink(PushTransport& push, session::Uplinks& uplinks, session::MessageType type)
      : push_(push), uplinks_(uplinks), type_(type), key_(uplinks.open(*this)) {}
  virtual ~Uplink() { close(); }
  Uplink(const Uplink&) = delete;
  Uplink& operator=(const Uplink&) = delete;

  const session::UplinkKey& key() const { return key_; }

  // The session takes no more; the client hears that from the push half.
  void end() {
    ended_ = true;
    Resumable::unlink();
    held_.clear();
  }

  void close() {
    if (std::exchange(open_, false)) uplinks_.close(key_);
    end();
  }

  void pause(bool paused) {
    paused_ = paused;
    // Not now: the session is in the middle of something.
    if (!paused && !held_.empty()) push_.server_.resume_soon(*this);
  }

 private:
  session::Delivery take(Buffer&& message) override {
    using enum session::Delivery;
    if (ended_) return kEnding;
    if (!paused_ && held_.empty()) {
      push_.session_->on_message(type_, message);
      return kTaken;
    }
    held_bytes_ += message.size();
    held_.push_back(std::move(message));
    if (held_.size() <= kHeldMessages && held_bytes_ <= kHeldBytes) return kTaken;
    meters::overrun_uplinks.add();
    push_.session_->end(EndReason::kTooManyRequests);
    return kTooMuch;
  }

  void resume() override {
    while (!ended_ && !paused_ && !held_.empty()) {
      const Buffer message = std::move(held_.front());
      held_.pop_front();
      held_bytes_ -= message.size();
      push_.session_->on_message(type_, message);
    }
  }

  PushTransport& push_;
  session::Uplinks& uplinks_;
  const session::MessageType type_;
  const session::UplinkKey key_;
  std::list<Buffer> held_;  // owns nothing while it is empty
  size_t held_bytes_ = 0;
  bool paused_ = false;
  bool ended_ = false;
  bool open_ = true;
};

PushTransport::PushTransport(http::Server& server, PushFormat format, bool chunked)
    : server_(server), framing_(framing_for(format, chunked)), chunked_(chunked) {
  meters::connections.add(1);
}

PushTransport::~PushTransport() { meters::connections.add(-1); }

std::string PushTransport::open_uplink(session::Uplinks& uplinks, session::MessageType type) {
  uplink_ = std::make_unique<Uplink>(*this, uplinks, type);
  return to_string(uplink_->key());
}

void PushTransport::start(session::Session& session, Buffer unsent, FirstAnswer answer, bool open) {
  session_ = &session;
  front_ = std::move(unsent);
  if (open) {
    answer_ = std::make_unique<FirstAnswer>(std::move(answer));
  } else {
    front_ += answer.stream;
  }
}

void PushTransport::settle_answer() {
  const bool speaks = session_->has_output();
  if (!speaks && !ended_) return;
  const std::unique_ptr<FirstAnswer> answer = std::move(answer_);
  front_ += speaks ? answer->stream : answer->refusal(*ended_, end_code_);
  last_chunk_written_ = !speaks;
}

void PushTransport::on_opened(io::Socket& socket) {
  socket_ = &socket;
  socket.mark_dirty(io::Urgency::kReply);
  if (ended_) socket.close_after_flush(server_.options().close_timeout);
}

void PushTransport::on_input(std::span<char> bytes) {
  ignored_ += static_cast<uint32_t>(std::min(bytes.size(), kMaxIgnoredBytes + 1));
  if (ignored_ <= kMaxIgnoredBytes) return;
  meters::talkers_closed.add();
  socket_->close();
}

void PushTransport::on_closed(io::CloseReason reason) {
  if (uplink_) uplink_->close();
  if (auto* session = std::exchange(session_, nullptr))
    session->transport_closed(reason_of(reason));
}

void PushTransport::wake(bool reply) {
  if (socket_ != nullptr) socket_->mark_dirty(reply ? io::Urgency::kReply : io::Urgency::kNormal);
}

void PushTransport::end(EndReason reason, const session::EndCode& code) {
  ended_ = reason;
  end_code_ = code;
  if (uplink_) uplink_->end();
  if (socket_ == nullptr) return;
  // Who does not read is not sent the rest.
  if (reason == EndReason::kSlow) return socket_->close();
  socket_->close_after_flush(server_.options().close_timeout);
}

void PushTransport::pause_input(bool paused) {
  if (uplink_) uplink_->pause(paused);
}

ByteView PushTransport::gather_shared(size_t most) {
  if (answer_ || !front_.empty() || ended_) return {};
  front_lent_ = 0;
  gathered_ = true;
  return session_->gather_shared(most);
}

void PushTransport::gather(io::OutSlices& out) {
  if (answer_) settle_answer();
  const bool has_front = !front_.empty();
  out.append(ByteView(front_).substr(front_sent_));
  front_lent_ = static_cast<uint32_t>(out.size());
  gathered_ = !last_chunk_written_ && out.room() > 0;
  if (!gathered_) return;
  SessionSink sink(out);
  session_->gather(sink);
  // Last of all; appending it to a front that was lent would move that.
  if (ended_ && chunked_ && !sink.lent() && !has_front) {
    last_chunk_written_ = true;
    codec::http1::encode_last_chunk(front_);
    out.append(front_);
    front_lent_ = static_cast<uint32_t>(out.size());
  }
}

void PushTransport::consumed(size_t n) {
  const size_t own = std::min<size_t>(n, front_lent_);
  front_sent_ += own;
  if (front_sent_ == front_.size()) {
    front_ = {};
    front_sent_ = 0;
  }
  if (gathered_) session_->consumed(n - own);
}

}  // namespace parley::transport::push
