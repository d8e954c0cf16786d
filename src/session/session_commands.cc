// What an adapter's commands do.
#include "base/check.h"
#include "session/session.h"
#include "session/session_table.h"

namespace parley::session {

void Session::execute(SubscribeCommand& command) {
  if (ended_) return;
  note_pending(1);
  hub::Subscription* subscription = find(command.handle);
  CHECK(subscription != nullptr);
  const VerifiedSubscription* verified = table_.verified_subscription_;
  if (verified != nullptr && command.channel.aspect == hub::Aspect::kMessages &&
      command.channel.name == verified->channel)
    shown().keep(command.handle, verified->channel, verified->id);
  table_.hub().subscribe(*subscription, command.channel, command.start);
}

void Session::execute(RewindCommand& command) {
  hub::Subscription* subscription = find(command.handle);
  if (subscription == nullptr) return;
  forget_base(*subscription);
  table_.hub().rewind(*subscription, command.offset);
}

void Session::execute(UnsubscribeCommand& command) {
  hub::Subscription* subscription = find(command.handle);
  if (subscription == nullptr) return;
  // Without an answer on its way, nobody else counts it as done.
  if (!subscription->live()) note_pending(-1);
  forget(command.handle);
}

void Session::execute(PublishCommand& command) {
  if (ended_) return;
  note_pending(1);
  table_.hub().publish(requester_, command.step, std::move(*command.record));
  table_.effects_.give_back(std::move(command.record));
}

void Session::execute(HistoryCommand& command) {
  if (ended_) return;
  note_pending(1);
  table_.hub().history(requester_, command.step, command.channel, command.query);
}

void Session::execute(PresenceCommand& command) {
  if (ended_) return;
  note_pending(1);
  if (command.counts_only) {
    table_.hub().presence_counts(requester_, command.step, command.channel);
  } else {
    table_.hub().presence(requester_, command.step, command.channel);
  }
}

// A later answer finds its session by its place and its number.
void Session::execute(VerifyCommand& command) {
  // Once the third that is no good has been looked at, the session ends with its answer: of many in
  // one message no other is worth a look.
  if (ended_ || bad_seen_ >= table_.limits().bad_tokens) return;
  note_pending(1);
  auto done = [&table = table_, index = index_, born = born_, step = command.step,
               use = command.use](auth::TokenResult result) {
    if (Session* session = table.find(index, born))
      session->on_verified(step, use, std::move(result));
  };
  const auth::Asker me{&table_, uint64_t{born_} << 32 | index_};
  auto result = table_.tokens_.verify(command.use, command.token, table_.hub().now().wall, me,
                                      std::move(done));
  if (!result) return;
  if (is_forged(*result)) ++bad_seen_;
  table_.verified_.emplace_back(command.step, command.use, *std::move(result));
}

void Session::execute(HoldCommand& command) {
  held_ = command.held;
  if (!held_ && !ended_ && link_ != nullptr && has_output()) link_->wake(true);
}

void Session::execute(AwaitSentCommand&) {
  if (outbox_ && !outbox_->empty()) pause_input(awaiting_sent_, true);
}

void Session::execute(EnterPresenceCommand& command) {
  const hub::Subscription* subscription = find(command.handle);
  if (subscription == nullptr || !subscription->live()) return;
  places_[place_of(command.handle)].present = true;
  // The name under which the session will leave.
  command.member.client = adapter_->identity().client;
  table_.hub().change_presence(subscription->channel()->key().name, hub::Change::kEnter,
                               std::move(command.member), command.manner);
}

void Session::execute(TimerCommand& command) {
  if (ended_) return;
  Deadline& deadline = deadlines_[static_cast<size_t>(command.timer)];
  if (command.after < Duration::zero()) {
    deadline.clear();
  } else {
    deadline.set(table_.hub().now(), command.after);
  }
  arm();
}

void Session::execute(IdentifyCommand&) {
  if (ended_) return;
  CHECK(!identified_);
  if (dues_ && !dues_->entered && !enter(adapter_->identity().user, false))
    return end(EndReason::kUserLimit);
  identified_ = true;
  table_.enlist(*this);
  if (!ended_) link_->admit();
}

void Session::execute(NoteActiveCommand& command) {
  if (ended_) return;
  note_pending(1);
  table_.hub().note_active(requester_, command.step, std::string(adapter_->identity().user));
}

void Session::execute(SupersedeCommand&) {
  if (ended_) return;
  const std::string_view user = adapter_->identity().user;
  CHECK(identified_ && !user.empty() && !only_);
  only_ = true;
  auto control = std::make_shared<hub::Control>();
  control->kind = hub::Control::Kind::kSupersede;
  control->user = user;
  control->rank = rank();
  table_.hub().supersede(requester_, control);
}

void Session::execute(EndCommand& command) { end(command.reason); }

}  // namespace parley::session
