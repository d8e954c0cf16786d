#include "tests/sim/line.h"

#include <algorithm>
#include <utility>

#include "tests/sim/sim_shard.h"
#include "tests/support/slices.h"

namespace parley::sim {

using session::EndReason;

namespace {

constexpr size_t kWrite = 64 << 10;
constexpr seconds kCloseTimeout{5};
// TCP_USER_TIMEOUT: so long after a write of which nothing is acknowledged, the kernel gives up.
constexpr seconds kUserTimeout{30};

bool without_farewell(EndReason reason) {
  return reason == EndReason::kSlow || reason == EndReason::kTransportLost;
}

}  // namespace

Time Line::arrival(Time& last) { return last = std::max(last, sim_.now().mono + delay()); }

// --- up

void Line::send(std::string message) {
  if (broken()) return;
  sim_.time.at(arrival(last_up_), [self = shared_from_this(), text = std::move(message)]() mutable {
    if (self->broken()) return;
    self->inbox_.push_back(std::move(text));
    self->take_input();
  });
}

// While the shard stands still or the session takes nothing, the bytes stay where they are.
void Line::take_input() {
  if (session_ == nullptr || inbox_.empty() || paused_) return;
  const bool here = shard_->enter([&] {
    while (session_ != nullptr && !inbox_.empty() && !paused_) {
      const std::string message = std::move(inbox_.front());
      inbox_.pop_front();
      session_->on_message(session::MessageType::kText, message);
    }
  });
  if (!here)
    sim_.time.at(shard_->stalled_until(), [self = shared_from_this()] { self->take_input(); });
}

void Line::pause_input(bool paused) {
  paused_ = paused;
  // Not now: the session is in the middle of something.
  if (!paused) sim_.time.after(Duration(0), [self = shared_from_this()] { self->take_input(); });
}

void Line::hang_up() {
  abandon();
  if (broken()) return;
  sim_.time.at(arrival(last_up_), [self = shared_from_this()] {
    if (!self->silent_) self->release(EndReason::kClientLeft);
    self->closed_ = true;
  });
}

void Line::cut() {
  if (closed_) return;
  closed_ = true;
  sim_.time.after(delay(),
                  [self = shared_from_this()] { self->release(EndReason::kTransportLost); });
  sim_.time.after(delay(), [self = shared_from_this()] {
    if (auto* user = std::exchange(self->user_, nullptr)) user->on_closed({});
  });
}

void Line::release(EndReason reason) {
  if (session_ == nullptr) return;
  const bool here =
      shard_->enter([&] { std::exchange(session_, nullptr)->transport_closed(reason); });
  if (!here)
    sim_.time.at(shard_->stalled_until(),
                 [self = shared_from_this(), reason] { self->release(reason); });
}

// --- down

void Line::carry(SimShard& shard, session::Session& session) {
  shard_ = &shard;
  session_ = &session;
  woken_ = true;
}

void Line::wake(bool) {
  woken_ = true;
  if (shard_ != nullptr) shard_->want_turn();
}

void Line::end(EndReason reason, const session::EndCode& code) {
  end_ = End{reason, {code.code, std::string(code.text)}};
  woken_ = true;
  if (shard_ != nullptr) shard_->want_turn();
  if (without_farewell(reason)) return;
  sim_.time.after(kCloseTimeout, [self = shared_from_this()] {
    if (self->session_ != nullptr) self->release(self->end_->reason);
  });
}

ByteView Line::lend_shared() {
  if (session_ == nullptr || end_) return {};
  const ByteView lent = session_->gather_shared(kWrite);
  if (!lent.empty()) woken_ = false;
  return lent;
}

void Line::write_shared(ByteView lent) {
  const size_t room = options_.socket_bytes - std::min(options_.socket_bytes, unread_);
  std::string taken(lent.substr(0, room));
  session_->consumed(taken.size());
  if (!taken.empty()) ship(std::move(taken));
}

void Line::flush() {
  woken_ = false;
  if (session_ == nullptr) return;
  const bool cut = end_ && without_farewell(end_->reason);
  // Without room there is one try all the same, which is how the session learns that it waits.
  while (!cut) {
    testing::Slices slices(
        std::min(kWrite, options_.socket_bytes - std::min(options_.socket_bytes, unread_)));
    session_->gather(slices);
    session_->consumed(slices.bytes.size());
    if (slices.bytes.empty()) break;
    ship(std::move(slices.bytes));
  }
  if (!end_ || (!cut && session_->has_output() && unread_ >= options_.socket_bytes)) return;
  ship_closing(end_->closing);
  std::exchange(session_, nullptr)->transport_closed(end_->reason);
}

void Line::ship(std::string bytes) {
  sim_.trace.note(bytes);
  unread_ += bytes.size();
  if (unconfirmed_++ == 0) heard_ = sim_.now().mono;
  if (silent_)
    sim_.time.after(kUserTimeout,
                    [self = shared_from_this()] { self->release(EndReason::kTransportLost); });
  if (broken()) return;
  down_.emplace_back(std::move(bytes));
  sim_.time.at(arrival(last_down_), [self = shared_from_this()] {
    self->confirm();
    self->arrive();
  });
}

void Line::confirm() {
  if (silent_) return;
  --unconfirmed_;
  heard_ = sim_.now().mono;
}

void Line::ship_closing(Closing closing) {
  if (broken()) return;
  down_.emplace_back(std::move(closing));
  sim_.time.at(arrival(last_down_), [self = shared_from_this()] { self->arrive(); });
}

void Line::server_gone() {
  session_ = nullptr;
  shard_ = nullptr;
  ship_closing({});
}

void Line::arrive() {
  ++arrived_;
  hand_over();
}

void Line::read(bool reading) {
  reading_ = reading;
  hand_over();
}

void Line::hand_over() {
  while (reading_ && !broken() && arrived_ > 0) {
    --arrived_;
    const auto piece = std::move(down_.front());
    down_.pop_front();
    if (const auto* closing = std::get_if<Closing>(&piece)) {
      closed_ = true;
      if (auto* user = std::exchange(user_, nullptr)) user->on_closed(*closing);
      return;
    }
    const auto& bytes = std::get<std::string>(piece);
    sim_.time.after(delay(), [self = shared_from_this(), n = bytes.size()] { self->freed(n); });
    if (user_ != nullptr) user_->on_bytes(bytes);
  }
}

void Line::freed(size_t bytes) {
  unread_ -= bytes;
  if (session_ == nullptr || silent_) return;
  woken_ = true;
  shard_->want_turn();
}

}  // namespace parley::sim
