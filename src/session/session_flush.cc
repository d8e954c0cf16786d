// How a session's cursors and lanes become bytes: gather() plans and lends, consumed() says what
// the bytes were.
#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"
#include "session/session.h"
#include "session/session_table.h"

namespace parley::session {
namespace {
metrics::Counter delivered("parley_deliveries_total",
                           "Publications handed to transports, one per subscriber");
}

// At a frame border: the rest of a broken-off frame, urgent frames, control frames in order (each
// behind the publications it must follow), then publications.
void Session::gather(SliceSink& sink) {
  tell_gaps();
  FlushPlan& plan = table_.plan_;
  plan.clear();
  bool room = true;
  const auto lend = [&](FlushPlan::Kind kind, ByteView bytes) {
    plan.pieces.push_back({.kind = kind, .size = bytes.size(), .bytes = bytes});
    room = sink.append(bytes);
  };
  if (outbox_) {
    if (!outbox_->rest.empty()) lend(FlushPlan::Kind::kRest, outbox_->rest);
    for (size_t i = 0; room && i < outbox_->urgent.frames(); ++i)
      lend(FlushPlan::Kind::kUrgent, outbox_->urgent.frame(i));
    room = room && plan_ordered(plan, sink);
  }
  for (hub::Subscription* next = dirty_; room && next != nullptr;) {
    hub::Subscription& subscription = *next;
    next = subscription.next_dirty;
    room = plan_data(plan, sink, subscription);
  }
  // What lends no byte (a skipped publication) is not reported back, so it is settled here.
  const bool nothing = std::ranges::all_of(
      plan.pieces, [](const FlushPlan::Piece& piece) { return piece.size == 0; });
  if (nothing) consumed(0);
}

// Returns whether there is room for more.
bool Session::plan_ordered(FlushPlan& plan, SliceSink& sink) {
  const FrameQueue& ordered = outbox_->ordered;
  for (size_t i = 0; i < ordered.frames(); ++i) {
    const Barrier& barrier = ordered.barrier(i);
    hub::Subscription* subscription = barrier.handle == 0 ? nullptr : find(barrier.handle);
    if (subscription != nullptr && subscription->live() &&
        subscription->position() < barrier.offset) {
      if (!plan_data(plan, sink, *subscription)) return false;
      uint64_t planned = subscription->position();
      for (const FlushPlan::Piece& piece : plan.pieces)
        if (piece.subscription == subscription) planned = piece.last;
      // Its publications are still on their way from history: the frame waits, and what is behind
      // it with it.
      if (planned < barrier.offset && subscription->dirty) return true;
    }
    plan.pieces.push_back({.kind = FlushPlan::Kind::kOrdered,
                           .size = ordered.frame(i).size(),
                           .bytes = ordered.frame(i)});
    if (!sink.append(ordered.frame(i))) return false;
  }
  return true;
}

// Lends what the cursor can be given now. Returns whether there is room for more.
bool Session::plan_data(FlushPlan& plan, SliceSink& sink, hub::Subscription& subscription) {
  if (std::ranges::find(plan.subscriptions, &subscription) != plan.subscriptions.end()) return true;
  plan.subscriptions.push_back(&subscription);
  const hub::Pull pull = table_.hub().pull(subscription);
  if (pull.kind != hub::Pull::Kind::kPublications) return true;
  if (!pull.shared) return plan_singles(plan, sink, subscription, pull);
  const uint64_t position = subscription.position();
  const EncodeCache::Run* run =
      table_.cache_.run(*subscription.channel(), adapter_->dialect(), link_->framing(), position);
  if (run == nullptr) return plan_singles(plan, sink, subscription, pull);
  const size_t begin = run->begin_of(position);
  const ByteView bytes = ByteView(run->bytes).substr(begin);
  plan.pieces.push_back({.kind = FlushPlan::Kind::kRun,
                         .size = bytes.size(),
                         .subscription = &subscription,
                         .run = run,
                         .begin = begin,
                         .last = run->last,
                         .bytes = bytes});
  return sink.append(bytes);
}

bool Session::plan_singles(FlushPlan& plan, SliceSink& sink, hub::Subscription& subscription,
                           const hub::Pull& pull) {
  size_t lent = 0;
  for (const hub::PublicationPtr& publication : pull.publications) {
    const auto single = table_.cache_.single(*subscription.channel(), adapter_->dialect(),
                                             link_->framing(), *publication);
    plan.pieces.push_back({.kind = FlushPlan::Kind::kSingle,
                           .size = single.bytes.size(),
                           .subscription = &subscription,
                           .last = single.offset,
                           .bytes = single.bytes});
    lent += single.bytes.size();
    if (!sink.append(single.bytes) || lent >= EncodeCache::kWindow) return false;
  }
  return true;
}

void Session::consumed(size_t n) {
  FlushPlan& plan = table_.plan_;
  const bool progress = n > 0;
  for (size_t i = 0; i < plan.pieces.size(); ++i) {
    const size_t size = plan.pieces[i].size;
    if (n < size) {
      if (n > 0) take_part(plan, i, n);
      break;
    }
    take_whole(plan, i);
    n -= size;
  }
  plan.clear();
  settle_dirty();
  if (outbox_ && outbox_->empty()) outbox_.reset();
  watch_progress(progress);
}

void Session::take_whole(FlushPlan& plan, size_t index) {
  FlushPlan::Piece& piece = plan.pieces[index];
  switch (piece.kind) {
    case FlushPlan::Kind::kRest:
      outbox_->rest.clear();
      return;
    case FlushPlan::Kind::kUrgent:
      outbox_->urgent.pop();
      return;
    case FlushPlan::Kind::kOrdered:
      outbox_->ordered.pop();
      return;
    case FlushPlan::Kind::kRun: {
      const auto from = std::ranges::upper_bound(piece.run->frames, piece.subscription->position(),
                                                 {}, &EncodeCache::Frame::offset);
      delivered.add(static_cast<uint64_t>(piece.run->frames.end() - from));
      piece.subscription->advance(piece.last);
      return;
    }
    case FlushPlan::Kind::kSingle:
      delivered.add(1);
      piece.subscription->advance(piece.last);
      return;
  }
}

// A frame once begun is always finished: its rest is copied and goes before everything else.
void Session::take_part(FlushPlan& plan, size_t index, size_t n) {
  FlushPlan::Piece& piece = plan.pieces[index];
  switch (piece.kind) {
    case FlushPlan::Kind::kRest:
      outbox_->rest.erase(0, n);
      return;
    case FlushPlan::Kind::kUrgent:
      outbox_->rest.assign(piece.bytes.substr(n));
      outbox_->urgent.pop();
      return;
    case FlushPlan::Kind::kOrdered:
      outbox_->rest.assign(piece.bytes.substr(n));
      outbox_->ordered.pop();
      return;
    case FlushPlan::Kind::kSingle:
      delivered.add(1);
      outbox().rest.assign(piece.bytes.substr(n));
      piece.subscription->advance(piece.last);
      return;
    case FlushPlan::Kind::kRun:
      break;
  }
  // The frame in which the kernel stopped, and how much of it is left.
  const auto& frames = piece.run->frames;
  const size_t stopped = piece.begin + n;
  const auto frame = std::ranges::lower_bound(frames, stopped, {}, &EncodeCache::Frame::end);
  const auto from = std::ranges::upper_bound(frames, piece.subscription->position(), {},
                                             &EncodeCache::Frame::offset);
  delivered.add(static_cast<uint64_t>(frame - from) + 1);
  piece.subscription->advance(frame->offset);
  if (frame->end > stopped)
    outbox().rest.assign(ByteView(piece.run->bytes).substr(stopped, frame->end - stopped));
}

void Session::drop_from_dirty(hub::Subscription& subscription) {
  if (!subscription.dirty) return;
  for (hub::Subscription** at = &dirty_; *at != nullptr; at = &(*at)->next_dirty) {
    if (*at != &subscription) continue;
    *at = subscription.next_dirty;
    break;
  }
  subscription.dirty = false;
}

// Subscriptions that have nothing more to give, or wait for a page of history, leave the list until
// the hub calls again.
void Session::settle_dirty() {
  hub::Subscription** at = &dirty_;
  while (*at != nullptr) {
    hub::Subscription& subscription = **at;
    if (subscription.pullable()) {
      at = &subscription.next_dirty;
    } else {
      *at = subscription.next_dirty;
      subscription.dirty = false;
    }
  }
}

// Output that waits while the peer takes nothing has a deadline.
void Session::watch_progress(bool progress) {
  if (ended_) return;
  if (!has_output()) {
    if (stall_deadline_ == Time{}) return;
    stall_deadline_ = Time{};
    return arm();
  }
  if (stall_deadline_ != Time{} && !progress) return;
  stall_deadline_ = table_.hub().now().mono + table_.limits().write_stall;
  arm();
}

}  // namespace parley::session
