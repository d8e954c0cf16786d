// What becomes of a client that sends faster than it is served.
#include <utility>

#include "base/metrics.h"
#include "session/session.h"
#include "session/session_table.h"

namespace parley::session {
namespace {

metrics::Counter late_sessions("parley_publishers_late_total",
                               "Times that a session's publishes began to be refused, because it "
                               "sent faster than it was served for too long");
metrics::Counter late_publishes("parley_publishes_late_total",
                                "Publishes refused because their session sends faster than it is "
                                "served");
// Of the time that is too long, so much must pass without a lag that lasts: what was sent meanwhile
// may still be in the client's own buffers.
constexpr int kCalm = 5;
// Sessions lose patience at different times, from half of it on: all at once would leave the server
// idle while they are refused.
constexpr uint32_t kTempers = 6;

}  // namespace

void Session::note_input_lag(size_t unread, size_t read, Duration within) {
  const Duration most = table_.limits().publish_max_delay;
  if (ended_ || most == Duration::zero()) return;
  const Time now = table_.hub().now().mono;
  // What begins after the calm is another burst, of which nothing is old. It is told of when it has
  // lasted for some time.
  if (lag_ && lag_->late && lag_->calm != Time{} && lag_->calm <= now - within) lag_ = nullptr;
  const bool late = lag_ && lag_->late;
  if (read == 0) {
    if (!late) {
      lag_ = nullptr;
    } else if (lag_->calm == Time{}) {
      lag_->calm = now + most / kCalm;
    }
    if (late) lag_->again = false;
    return;
  }
  if (!lag_) lag_ = std::make_unique<Lag>();
  const uint32_t publishes = std::exchange(lag_->publishes, 0);
  // One that has only begun may be over with the next read.
  if (within > Duration::zero()) lag_->calm = {};
  lag_->again = lag_->calm != Time{};
  lag_->lasts += within;
  if (late || lag_->lasts < most / 10 * (5 + born_ % kTempers)) return;
  // Who waits for answers has no more under way than that, however slow we are.
  const uint64_t under_way = uint64_t{publishes} * unread / read + pending_;
  lag_->late = under_way > table_.limits().pending_commands;
  if (lag_->late) late_sessions.add();
}

bool Session::takes_late_publishes() {
  ++lag_->publishes;
  if (!lag_->late) return true;
  if (lag_->calm != Time{} && !lag_->again && lag_->calm <= table_.hub().now().mono) {
    lag_ = nullptr;
    return true;
  }
  late_publishes.add();
  return false;
}

}  // namespace parley::session
