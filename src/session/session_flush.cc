// How a session's cursors and lanes become bytes: gather() plans and lends, consumed() says what
// the bytes were.
#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"
#include "session/meters.h"
#include "session/session.h"
#include "session/session_table.h"
#include "session/varied_flush.h"

namespace parley::session {
namespace {
metrics::Counter delivered("parley_deliveries_total",
                           "Publications handed to transports, one per subscriber");
metrics::Counter barriers_lifted(
    "parley_session_barriers_lifted_total",
    "Times replies went out because the publication they waited for did not come");

// The cursor stands behind this publication, which the client now has.
void advance(hub::Subscription& subscription, uint64_t offset) {
  subscription.advance(offset);
  if (VariedSubscription* varied = as_varied(subscription)) varied->last_sent = offset;
}
}  // namespace

// Gaps are told to the adapter before planning, since what it answers must go out first.
bool Session::must_tell_gaps() const {
  for (const hub::Subscription* next = dirty_.first(); next != nullptr; next = dirty_.after(*next))
    if (next->gap_due()) return true;
  return false;
}

// Whether this reader, which needs nothing but the tail, is lent what the one before it was.
bool Session::stands_at_last_run(const hub::Subscription& subscription) const {
  const LastRun& last = table_.last_run_;
  return subscription.channel() == last.channel && subscription.position() == last.position &&
         subscription.channel()->epoch() == last.epoch && table_.cache_.version() == last.version &&
         &adapter_->dialect() == last.dialect && &link_->framing() == last.framing;
}

// Nearly all that is ever sent: one subscription has something, its channel's run has it, and
// nothing else waits. What is lent is what plan_data() would lend.
ByteView Session::gather_shared(size_t most) {
  hub::Subscription* only = dirty_.first();
  if (only == nullptr || outbox_ || held_ || !dirty_.holds_only(*only) || only->varied ||
      !table_.hub().reads_tail(*only, slow_))
    return {};
  LentRuns& lent = table_.lent_runs_;
  if (lent.empty()) table_.cache_.begin_gather();
  if (!stands_at_last_run(*only)) {
    const EncodeCache::Run* run = find_run(*only, adapter_->dialect());
    if (run == nullptr || run->last <= only->position()) return {};
  }
  FlushPlan::Piece& piece = table_.last_run_.piece;
  if (piece.bytes.empty() || piece.bytes.size() > most) return {};
  piece.subscription = only;
  lent.push(*this, piece);
  return piece.bytes;
}

// At a frame border: the rest of a broken-off frame, urgent frames, control frames in order (each
// behind the publications it must follow), then publications.
void Session::gather(SliceSink& sink) {
  FlushPlan& plan = table_.plan_;
  for (bool moved = true; moved;) {
    if (must_tell_gaps()) tell_gaps();
    plan.begin(sink);
    table_.cache_.begin_gather();
    if (outbox_) plan_frames(plan);
    if (held_) plan.held = plan.blocked = true;
    const auto planned_early = [&](const hub::Subscription* subscription) {
      return std::ranges::find(plan.early, subscription, &FlushPlan::Early::subscription) !=
             plan.early.end();
    };
    for (hub::Subscription* next = dirty_.first(); next != nullptr && plan.room && !plan.held;
         next = dirty_.after(*next))
      if (!planned_early(next)) plan_data(plan, *next);
    if (plan.bytes > 0) return;
    // Nobody reports back on what lends no byte, so it is settled here; there may be more behind
    // it.
    moved = !plan.pieces.empty() || !plan.gaps.empty();
    consumed(0);
  }
}

void Session::plan_frames(FlushPlan& plan) {
  using Kind = FlushPlan::Kind;
  if (!outbox_->rest.empty()) plan.lend({.kind = Kind::kRest, .bytes = outbox_->rest});
  const FrameQueue& urgent = outbox_->urgent;
  for (size_t i = 0; plan.room && i < urgent.frames(); ++i)
    plan.lend({.kind = Kind::kUrgent, .bytes = urgent.frame(i)});
  plan_ordered(plan, outbox_->ordered);
}

// Those that wait for nothing go together, as one piece.
void Session::plan_ordered(FlushPlan& plan, const FrameQueue& ordered) {
  const size_t all = ordered.frames();
  for (size_t i = 0; plan.room && i < all;) {
    if (must_wait(plan, ordered.barrier(i))) {
      // What stands behind the frame may be the answer to any subscribe, or tell any gap.
      plan.held = i + 1 < all;
      return;
    }
    size_t next = i + 1;
    while (next < all && ordered.barrier(next).handle == 0) ++next;
    if (plan.room)
      plan.lend({.kind = FlushPlan::Kind::kOrdered,
                 .bytes = ordered.frames_from(i, next - i),
                 .frames = next - i});
    i = next;
  }
}

// Lends what the frame must follow. Whether that is not all of it, so that the frame waits, and
// what is behind it with it.
bool Session::must_wait(FlushPlan& plan, const Barrier& barrier) {
  hub::Subscription* subscription = barrier.handle == 0 ? nullptr : find(barrier.handle);
  if (subscription == nullptr || !subscription->live() ||
      subscription->position() >= barrier.offset)
    return false;
  const uint64_t planned = plan_early(plan, *subscription);
  if (planned >= barrier.offset) return false;
  plan.blocked = planned == subscription->position();
  return true;
}

uint64_t Session::plan_early(FlushPlan& plan, hub::Subscription& subscription) {
  const auto found = std::ranges::find(plan.early, &subscription, &FlushPlan::Early::subscription);
  if (found != plan.early.end()) return found->last;
  const uint64_t last = plan_data(plan, subscription);
  plan.early.push_back({&subscription, last});
  return last;
}

// Lends what the cursor can be given now. Returns the offset up to which all is lent or was before.
uint64_t Session::plan_data(FlushPlan& plan, hub::Subscription& subscription) {
  // Nearly always, so the run is looked for before anything else is found out.
  if (!subscription.varied && table_.hub().reads_tail(subscription, slow_))
    if (const auto lent = plan_run(plan, subscription, adapter_->dialect())) return *lent;
  const hub::Pull pull = table_.hub().pull(subscription, slow_);
  const uint64_t position = subscription.position();
  if (pull.kind == hub::Pull::Kind::kGap) plan.gaps.push_back({subscription.handle(), pull.gap});
  if (pull.kind != hub::Pull::Kind::kPublications) return position;
  const Dialect* dialect = &adapter_->dialect();
  if (VariedSubscription* varied = as_varied(subscription)) {
    if (varied->variant.dialect != nullptr) dialect = varied->variant.dialect;
    if (varied->variant.chooses())
      return VariedFlush(plan, table_.cache_, *varied, *dialect, link_->framing()).plan(pull);
  }
  if (pull.shared)
    if (const auto lent = plan_run(plan, subscription, *dialect)) return *lent;
  return plan_singles(plan, subscription, *dialect, pull);
}

// The run that all readers of the encoding share, and in last_run_ what of it this one is to be
// lent. Null: it stands before the run. What is lent from it already must not grow now: then there
// may be nothing behind the reader.
const EncodeCache::Run* Session::find_run(hub::Subscription& subscription, const Dialect& dialect) {
  const uint64_t position = subscription.position();
  const hub::LocalChannel& channel = *subscription.channel();
  const EncodeCache::Run* run = table_.cache_.run(channel, dialect, link_->framing(), position);
  if (run == nullptr || run->last <= position) return run;
  const size_t frame = run->first_behind(position);
  table_.last_run_ = {.piece = {.kind = FlushPlan::Kind::kRun,
                                .bytes = ByteView(run->bytes).substr(run->begin_of(frame)),
                                .subscription = &subscription,
                                .last = run->last,
                                .run = run,
                                .frame = frame,
                                .frames = run->frames.size() - frame},
                      .channel = &channel,
                      .dialect = &dialect,
                      .framing = &link_->framing(),
                      .epoch = channel.epoch(),
                      .position = position,
                      .version = table_.cache_.version()};
  return run;
}

// Nothing: the reader stands before what all readers of the encoding share.
std::optional<uint64_t> Session::plan_run(FlushPlan& plan, hub::Subscription& subscription,
                                          const Dialect& dialect) {
  const EncodeCache::Run* run = find_run(subscription, dialect);
  if (run == nullptr) return std::nullopt;
  if (run->last <= subscription.position()) return subscription.position();
  plan.lend(table_.last_run_.piece);
  return run->last;
}

uint64_t Session::plan_singles(FlushPlan& plan, hub::Subscription& subscription,
                               const Dialect& dialect, const hub::Pull& pull) {
  uint64_t last = subscription.position();
  size_t lent = 0;
  for (const hub::PublicationPtr& publication : pull.publications) {
    const auto single =
        table_.cache_.single(*subscription.channel(), dialect, link_->framing(), *publication);
    plan.lend({.kind = FlushPlan::Kind::kSingle,
               .bytes = single.bytes,
               .subscription = &subscription,
               .last = single.offset});
    last = single.offset;
    lent += single.bytes.size();
    if (lent >= EncodeCache::kWindow) plan.room = false;
    if (!plan.room) break;
  }
  return last;
}

void Session::consumed(size_t n) {
  if (!table_.lent_runs_.empty()) return consumed_shared(n);
  FlushPlan& plan = table_.plan_;
  if (plan.sink == nullptr || consumed_run(plan, n)) return;
  consumed_all(plan, n);
}

void Session::consumed_all(FlushPlan& plan, size_t n) {
  const bool progress = n > 0;
  const bool all = n >= plan.bytes;
  if (plan.bytes > 0) slow_ = !all;
  hub::Subscription* served = nullptr;
  size_t data = 0;
  bool replied = false;
  for (const FlushPlan::Piece& piece : plan.pieces) {
    const size_t size = piece.bytes.size();
    if (n < size && n == 0) break;
    replied = replied || piece.kind == FlushPlan::Kind::kOrdered;
    if (piece.subscription != nullptr) {
      served = piece.subscription;
      data += std::min(n, size);
    }
    if (n < size) {
      take_part(piece, n);
      break;
    }
    take_whole(piece);
    n -= size;
  }
  if (served != nullptr) share(*served, data);
  // Subscriptions that have nothing more to give, or wait for a page of history, leave the list
  // until the hub calls again.
  dirty_.remove_if([](const hub::Subscription& s) { return !s.pullable(); });
  if (outbox_ && outbox_->empty()) release_outbox();
  if (awaiting_sent_ && !outbox_) pause_input(awaiting_sent_, false);
  if (backed_up_) note_waiting();
  if (pages_rest_ && takes_pages()) table_.hub().resume_pages(requester_);
  const bool blocked = all && plan.blocked;
  // A transport that got rid of everything has no reason of its own to come back: for example for
  // the next page.
  if (all && plan.bytes > 0 && has_output()) link_->wake(false);
  const auto gaps = std::exchange(plan.gaps, {});
  plan.clear();
  const Wait wait = !has_output() ? Wait::kNothing : blocked ? Wait::kBarrier : Wait::kPeer;
  if (outbox_ && wait != Wait::kNothing) tighten_outbox();
  watch_progress(wait == Wait::kBarrier ? replied : progress, wait);
  for (const FlushPlan::FoundGap& found : gaps)
    if (!ended_ && find(found.handle) != nullptr) tell_gap(found.handle, found.gap, true);
}

void Session::consumed_shared(size_t n) {
  const FlushPlan::Piece piece = table_.lent_runs_.take(*this);
  if (n == piece.bytes.size() && wait_ == Wait::kNothing && !awaiting_sent_ &&
      piece.subscription->ends_at(piece.last))
    return book_run(*piece.subscription, piece);
  FlushPlan& plan = table_.plan_;
  plan.clear();
  plan.pieces.push_back(piece);
  plan.bytes = piece.bytes.size();
  consumed_all(plan, n);
}

// Nearly every flush: one run, all of it taken, and nothing else waits. False: it was not that, and
// nothing is booked.
bool Session::consumed_run(FlushPlan& plan, size_t n) {
  if (plan.pieces.size() != 1 || n < plan.bytes || outbox_ || !plan.gaps.empty()) return false;
  const FlushPlan::Piece& piece = plan.pieces.front();
  if (piece.kind != FlushPlan::Kind::kRun || wait_ != Wait::kNothing || awaiting_sent_ ||
      !dirty_.holds_only(*piece.subscription) || !piece.subscription->ends_at(piece.last))
    return false;
  book_run(*piece.subscription, piece);
  plan.clear();
  return true;
}

// All of it was taken, and nobody else of us has anything.
void Session::book_run(hub::Subscription& subscription, const FlushPlan::Piece& piece) {
  slow_ = false;
  delivered.add(piece.frames);
  advance(subscription, piece.last);
  share(subscription, piece.bytes.size());
  subscription.dirty = false;
  dirty_.clear();
}

// A slow peer is to see all its channels, not only the busiest: after a window's worth the next one
// is first.
void Session::share(hub::Subscription& served, size_t bytes) {
  share_ += static_cast<uint32_t>(std::min<size_t>(bytes, EncodeCache::kWindow));
  if (share_ < EncodeCache::kWindow) return;
  share_ = 0;
  dirty_.rotate(served);
}

void Session::take_whole(const FlushPlan::Piece& piece) {
  switch (piece.kind) {
    case FlushPlan::Kind::kRest:
      outbox_->rest.clear();
      return;
    case FlushPlan::Kind::kUrgent:
      outbox_->urgent.pop();
      return;
    case FlushPlan::Kind::kOrdered:
      outbox_->ordered.pop(piece.frames);
      return;
    case FlushPlan::Kind::kRun:
      delivered.add(piece.frames);
      advance(*piece.subscription, piece.last);
      return;
    case FlushPlan::Kind::kSingle:
      delivered.add(1);
      advance(*piece.subscription, piece.last);
      return;
    case FlushPlan::Kind::kSkip:
      piece.subscription->advance(piece.last);
      return;
  }
}

// A frame once begun is always finished: its rest is copied and goes before everything else.
void Session::take_part(const FlushPlan::Piece& piece, size_t n) {
  switch (piece.kind) {
    case FlushPlan::Kind::kRest:
      outbox_->rest.erase(0, n);
      return;
    case FlushPlan::Kind::kUrgent:
      outbox_->rest.assign(piece.bytes.substr(n));
      outbox_->urgent.pop();
      return;
    case FlushPlan::Kind::kOrdered:
      outbox_->ordered.pop_bytes(n, outbox_->rest);
      return;
    case FlushPlan::Kind::kSingle:
      delivered.add(1);
      outbox().rest.assign(piece.bytes.substr(n));
      advance(*piece.subscription, piece.last);
      return;
    case FlushPlan::Kind::kSkip:  // has no bytes, so it is always taken whole
    case FlushPlan::Kind::kRun:
      break;
  }
  // The frame in which the kernel stopped, and how much of it is left.
  const auto& frames = piece.run->frames;
  const size_t stopped = piece.run->begin_of(piece.frame) + n;
  const auto first = frames.begin() + static_cast<ptrdiff_t>(piece.frame);
  const auto frame =
      std::ranges::lower_bound(first, frames.end(), stopped, {}, &EncodeCache::Frame::end);
  delivered.add(static_cast<uint64_t>(frame - first) + 1);
  advance(*piece.subscription, frame->offset);
  if (frame->end > stopped)
    outbox().rest.assign(ByteView(piece.run->bytes).substr(stopped, frame->end - stopped));
}

// Output that waits has a deadline, which progress moves: for the peer any byte, for a publication
// that a reply must follow a reply before it, since each has a wait of its own.
void Session::watch_progress(bool progress, Wait wait) {
  if (ended_) return;
  if (wait == wait_ && (wait == Wait::kNothing || !progress)) return;
  wait_ = wait;
  if (wait == Wait::kNothing) {
    stall_.clear();
  } else {
    stall_.set(table_.hub().now(), table_.limits().write_stall);
  }
  arm();
}

void Session::on_stall() {
  if (wait_ == Wait::kPeer) {
    meters::limits.add(meters::Limit::kWriteStall);
    return end(EndReason::kSlow);
  }
  stall_.clear();
  wait_ = Wait::kNothing;
  if (!outbox_) return;
  barriers_lifted.add(1);
  outbox_->ordered.lift_barriers(0);
  link_->wake(true);
}

}  // namespace parley::session
