#include "transport/websocket/websocket_transport.h"

#include <algorithm>
#include <utility>

#include "codec/websocket/encoder.h"
#include "transport/websocket/meters.h"
#include "transport/websocket/websocket_framing.h"

namespace parley::transport::websocket {

using codec::websocket::CloseCode;
using codec::websocket::Opcode;
using session::EndReason;

namespace {

// Pongs that wait, as frames. At least one of the largest.
constexpr size_t kPongBytes = 2048;

// Who reads it is told what to set, for it may be a token of theirs. The doors have keys of their
// own; only one of them takes compressed messages.
constexpr std::string_view kTooBigAtFirst =
    "message too big before connect: client.message_size_limit_before_connect";
constexpr std::string_view kTooBig =
    "message too big: message_size_limit of websocket or uni_websocket";
constexpr std::string_view kInflatedTooBig =
    "inflated message too big: websocket.decompressed_message_size_limit (0: message_size_limit)";

// Lends the session's bytes; `first_only` stops behind the first slice, which ends at a frame
// border when a frame was partly sent.
class SessionSink final : public session::SliceSink {
 public:
  SessionSink(io::OutSlices& out, bool first_only) : out_(out), first_only_(first_only) {}
  bool append(ByteView bytes) override {
    if (first_only_ && lent_) return false;
    lent_ = true;
    return out_.append(bytes);
  }
  bool lent() const { return lent_; }

 private:
  io::OutSlices& out_;
  const bool first_only_;
  bool lent_ = false;
};

const session::Framing& plain_framing() {
  static const WebSocketFraming framing;
  return framing;
}

}  // namespace

struct WebSocketTransport::Spare final : http::Resumable {
  explicit Spare(WebSocketTransport& owner) : transport(owner) {}
  void resume() override { transport.resume(); }
  bool idle() const {
    return front.empty() && held.empty() && pongs.empty() && !transport.closing_ && !linked();
  }

  WebSocketTransport& transport;
  Buffer front;  // whole frames of our own, or the handshake's response: goes first
  size_t front_sent = 0;
  Buffer held;   // input that came while the session could take none; reading is paused then
  Buffer pongs;  // frames
  uint16_t close_code = 0;
  Buffer close_text;
};

WebSocketTransport::WebSocketTransport(http::Server& server, const Carriage& carriage, Buffer first)
    : server_(server),
      framing_(carriage.framing != nullptr ? *carriage.framing : plain_framing()),
      decoder_({.message_bytes = carriage.message_bytes,
                .first_message_bytes = carriage.first_message_bytes},
               codec::websocket::Role::kServer, carriage.inflation),
      message_bytes_(static_cast<uint32_t>(std::min<size_t>(carriage.message_bytes, UINT32_MAX))) {
  spare().front = std::move(first);
  meters::connections.add(1);
}

WebSocketTransport::~WebSocketTransport() { meters::connections.add(-1); }

WebSocketTransport::Spare& WebSocketTransport::spare() {
  if (!spare_) spare_ = std::make_unique<Spare>(*this);
  return *spare_;
}

void WebSocketTransport::release_spare() {
  if (spare_ && spare_->idle()) spare_.reset();
}

void WebSocketTransport::on_opened(io::Socket& socket) {
  socket_ = &socket;
  socket.mark_dirty(io::Urgency::kReply);
}

void WebSocketTransport::on_closed(io::CloseReason) {
  // Without a close frame the connection broke, even if TCP ended in order (RFC 6455 7.1.5).
  if (!leaving_) leaving_ = closing_ ? EndReason::kClientLeft : EndReason::kTransportLost;
  release_session();
}

void WebSocketTransport::release_session() {
  if (auto* session = std::exchange(session_, nullptr)) session->transport_closed(*leaving_);
}

// --- input

void WebSocketTransport::on_input(std::span<char> bytes) {
  if (closing_) return;
  if (paused_) {
    spare().held.append(bytes.data(), bytes.size());
  } else {
    decode(bytes);
  }
}

void WebSocketTransport::on_input_lag(const io::InputLag& lag) {
  if (session_ != nullptr) session_->note_input_lag(lag.unread, lag.read, lag.within);
}

void WebSocketTransport::decode(std::span<char> bytes) {
  const auto taken = decoder_.decode(bytes, *this);
  if (closing_) return;
  if (!taken) {
    return refuse(taken.error());
  }
  const auto rest = bytes.subspan(*taken);
  if (!rest.empty()) spare().held.assign(rest.data(), rest.size());
}

void WebSocketTransport::refuse(const codec::websocket::DecodeFailure& failure) {
  std::string_view reason = failure.reason;
  const bool too_big = failure.code == CloseCode::kMessageTooBig;
  if (too_big && decoder_.at_first_limit()) {
    meters::count_too_big_at_first();
    reason = kTooBigAtFirst;
  } else {
    meters::count_error(failure);
    if (too_big) reason = failure.inflating ? kInflatedTooBig : kTooBig;
  }
  begin_close(static_cast<uint16_t>(failure.code), reason);
  leave(too_big ? EndReason::kMessageTooLarge : EndReason::kBadRequest);
}

void WebSocketTransport::on_message(bool text, ByteView payload) {
  meters::messages_received.add();
  session_->on_message(text ? session::MessageType::kText : session::MessageType::kBinary, payload);
  if (closing_ || paused_) decoder_.pause();
}

void WebSocketTransport::on_inflated(size_t received, size_t inflated) {
  meters::inflated_messages.add();
  meters::inflated_bytes_in.add(received);
  meters::inflated_bytes_out.add(inflated);
}

void WebSocketTransport::on_ping(ByteView payload) {
  Buffer& pongs = spare().pongs;
  // Who pings faster than it reads hears of the newest ones only, which the RFC allows (5.5.3).
  if (pongs.size() > kPongBytes) {
    meters::ping_floods.add();
    pongs.clear();
  }
  codec::websocket::append_frame(pongs, Opcode::kPong, payload);
  socket_->mark_dirty(io::Urgency::kReply);
}

void WebSocketTransport::on_pong(ByteView) {}

void WebSocketTransport::on_close(uint16_t code, ByteView) {
  begin_close(code, {});
  leave(EndReason::kClientLeft);
}

void WebSocketTransport::pause_input(bool paused) {
  if (paused == paused_ || closing_) return;
  paused_ = paused;
  if (paused) {
    socket_->pause_reading();
  } else {
    // Not now: the session is in the middle of something.
    server_.resume_soon(spare());
  }
}

void WebSocketTransport::resume() {
  if (closing_ || paused_) return;
  Buffer held = std::exchange(spare().held, {});
  decode(held);
  if (closing_ || paused_) return;
  socket_->resume_reading();
  release_spare();
}

// --- the end

void WebSocketTransport::begin_close(uint16_t code, std::string_view text) {
  closing_ = true;
  spare().close_code = code;
  spare().close_text = text;
  spare().held = {};
  socket_->close_after_flush(server_.options().close_timeout);
}

void WebSocketTransport::end(EndReason reason, const session::EndCode& code) {
  if (closing_) return;
  begin_close(code.code, code.text);
  // Who does not read is not sent the rest.
  if (reason == EndReason::kSlow) leaving_ = reason;
}

void WebSocketTransport::leave(EndReason reason) {
  leaving_ = reason;
  // A frame that is partly sent still needs its rest.
  if (at_border()) release_session();
}

// --- output

void WebSocketTransport::wake(bool reply) {
  socket_->mark_dirty(reply ? io::Urgency::kReply : io::Urgency::kNormal);
}

bool WebSocketTransport::wants_border() const {
  return leaving_.has_value() || (spare_ && !spare_->pongs.empty());
}

void WebSocketTransport::append_own_frame() { spare_->front = std::exchange(spare_->pongs, {}); }

void WebSocketTransport::append_close_frame() {
  close_written_ = true;
  codec::websocket::append_close(spare_->front, spare_->close_code, spare_->close_text);
}

void WebSocketTransport::lend_front(io::OutSlices& out) {
  const size_t before = out.size();
  out.append(ByteView(spare_->front).substr(spare_->front_sent));
  front_lent_ = static_cast<uint32_t>(out.size() - before);
}

ByteView WebSocketTransport::gather_shared(size_t most) {
  if (spare_ || leaving_ || session_ == nullptr) return {};
  front_lent_ = 0;
  gathered_ = true;
  return session_->gather_shared(most);
}

void WebSocketTransport::gather(io::OutSlices& out) {
  front_lent_ = 0;
  gathered_ = false;
  const bool border = at_border();
  if (leaving_ && border) release_session();
  if (spare_) {
    if (spare_->front.empty() && border && !close_written_) append_own_frame();
    lend_front(out);
    if (out.room() == 0) return;
  }
  SessionSink sink(out, wants_border() && !border);
  if (session_ != nullptr && !close_written_) {
    gathered_ = true;
    session_->gather(sink);
  }
  // Last of all; appending it to a front that was lent would move that.
  if (closing_ && !close_written_ && !sink.lent() && front_lent_ == 0) {
    append_close_frame();
    lend_front(out);
  }
}

void WebSocketTransport::consumed(size_t n) {
  const size_t own = std::min<size_t>(n, front_lent_);
  if (front_lent_ > 0) {
    spare_->front_sent += own;
    if (spare_->front_sent == spare_->front.size()) {
      spare_->front = {};
      spare_->front_sent = 0;
    }
  }
  if (gathered_) session_->consumed(n - own);
  if (leaving_ && at_border()) release_session();
  if (spare_ && (!spare_->pongs.empty() || !spare_->front.empty())) socket_->mark_dirty();
  release_spare();
}

}  // namespace parley::transport::websocket
