#include "transport/sse/sse_transport.h"

#include <algorithm>
#include <utility>

#include "codec/http1/response_encoder.h"
#include "transport/sse/meters.h"
#include "transport/sse/sse_framing.h"

namespace parley::transport::sse {

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

SseTransport::SseTransport(http::Server& server, bool chunked)
    : server_(server), chunked_(chunked) {
  meters::connections.add(1);
}

SseTransport::~SseTransport() { meters::connections.add(-1); }

void SseTransport::start(session::Session& session, Buffer first) {
  session_ = &session;
  front_ = std::move(first);
}

void SseTransport::on_opened(io::Socket& socket) {
  socket_ = &socket;
  socket.mark_dirty(io::Urgency::kReply);
  if (ended_) socket.close_after_flush(server_.options().close_timeout);
}

void SseTransport::on_input(std::span<char> bytes) {
  ignored_ += static_cast<uint32_t>(std::min(bytes.size(), kMaxIgnoredBytes + 1));
  if (ignored_ <= kMaxIgnoredBytes) return;
  meters::talkers_closed.add();
  socket_->close();
}

void SseTransport::on_closed(io::CloseReason reason) {
  if (auto* session = std::exchange(session_, nullptr))
    session->transport_closed(reason_of(reason));
}

const session::Framing& SseTransport::framing() const {
  static const ChunkFraming chunks;
  static const PlainFraming plain;
  return chunked_ ? static_cast<const session::Framing&>(chunks) : plain;
}

void SseTransport::wake(bool reply) {
  if (socket_ != nullptr) socket_->mark_dirty(reply ? io::Urgency::kReply : io::Urgency::kNormal);
}

void SseTransport::end(EndReason reason, const session::EndCode& code) {
  ended_ = reason;
  end_code_ = code;
  if (socket_ == nullptr) return;
  // Who does not read is not sent the rest.
  if (reason == EndReason::kSlow) return socket_->close();
  socket_->close_after_flush(server_.options().close_timeout);
}

void SseTransport::gather(io::OutSlices& out) {
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

void SseTransport::consumed(size_t n) {
  const size_t own = std::min<size_t>(n, front_lent_);
  front_sent_ += own;
  if (front_sent_ == front_.size()) {
    front_ = {};
    front_sent_ = 0;
  }
  if (gathered_) session_->consumed(n - own);
}

}  // namespace parley::transport::sse
