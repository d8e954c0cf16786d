// What the hub asks of all shards at once, and how their answers become one.
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/metrics.h"
#include "hub/hub.h"

namespace parley::hub {
namespace {

metrics::Counter not_remembered("parley_revocations_refused_total",
                                "Blocks and revocations refused because too many are remembered");
// Puts the controls that are remembered in one order.
constexpr ShardId kSequencer = 0;

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// Adds one shard's answer to those before it.
void add_to(ReplyBody& sum, ReplyBody& answer) {
  if (auto* channels = std::get_if<ChannelCounts>(&answer)) {
    auto& all = std::get<ChannelCounts>(sum).subscribers;
    // There may be very many: each is moved, and of the fewer ones.
    if (all.size() < channels->subscribers.size()) std::swap(all, channels->subscribers);
    all.merge(channels->subscribers);
    for (const auto& [name, count] : channels->subscribers) all[name] += count;
  } else if (auto* controlled = std::get_if<Controlled>(&answer)) {
    if (!std::holds_alternative<Controlled>(sum)) sum = Controlled{};
    auto& all = std::get<Controlled>(sum);
    append(all.connections, controlled->connections);
    all.cut = all.cut || controlled->cut;
    all.bytes += controlled->bytes;
  } else if (auto* statuses = std::get_if<UserStatusList>(&answer)) {
    if (!std::holds_alternative<UserStatusList>(sum)) sum = UserStatusList{};
    append(std::get<UserStatusList>(sum).statuses, statuses->statuses);
  }
}

}  // namespace

template <class Body>
void Hub::begin_survey(Survey survey, const Body& body) {
  survey.missing = slots_.shards();
  size_t index = 0;
  while (index < surveys_.size() && surveys_[index].missing > 0) ++index;
  if (index == surveys_.size()) surveys_.emplace_back();
  surveys_[index] = std::move(survey);
  for (ShardId shard = 0; shard < slots_.shards(); ++shard)
    ask(shard, {.kind = Waiter::Kind::kSurvey, .step = static_cast<StepId>(index)}, body);
}

template <class Body>
void Hub::ask_all(RequesterId who, StepId step, const Body& body) {
  if (is_crowded(most_parked(who))) return answer_later(who, step, HubError::kOverloaded);
  begin_survey({.who = who, .step = step}, body);
}

void Hub::channels(RequesterId who, StepId step, const std::string& pattern) {
  ask_all(who, step, ChannelsRequest{pattern});
}

void Hub::control(RequesterId who, StepId step, ControlPtr control) {
  home_shard_.check();
  if (!control->is_remembered()) return ask_all(who, step, ControlRequest{std::move(control)});
  ask(kSequencer, {.kind = Waiter::Kind::kRequester, .step = step, .who = who},
      ControlRequest{std::move(control), true});
}

// What is remembered must be the same on every shard, whichever shards the calls came to: all of it
// goes through one, and from there to each in the same order. The limit is kept there, too.
void Hub::spread(ShardId from, uint64_t waiter, const ControlPtr& control) {
  const bool room = sink_ != nullptr && sink_->has_room(*control);
  if (!room) not_remembered.add(1);
  // Never for want of room in a line: clients could fill that. Those who ask are bounded
  // themselves.
  if (!room) return reply(from, waiter, std::unexpected(HubError::kOverloaded));
  remember(*control);
  begin_survey({.behalf = std::pair(from, waiter), .sum = Controlled{}}, ControlRequest{control});
}

void Hub::user_status(RequesterId who, StepId step, const StatusRequest& request) {
  if (!options_.user_status.enabled) return answer_later(who, step, HubError::kNotAvailable);
  ask_all(who, step, request);
}

void Hub::note_active(RequesterId who, StepId step, const std::string& user) {
  if (!options_.user_status.enabled) return answer_later(who, step, HubError::kNotAvailable);
  auto users = std::make_shared<const std::vector<std::string>>(1, user);
  ask_home(user, who, step, StatusRequest{StatusRequest::Kind::kUpdate, std::move(users)});
}

UserStatusList Hub::handle_statuses(const StatusRequest& request) {
  UserStatusList list;
  const int64_t now = now_.wall / 1000;
  for (const std::string& user : *request.users) {
    if (slots_.home(user) != shard()) continue;
    if (request.kind == StatusRequest::Kind::kUpdate) statuses_.note_active(user, now);
    if (request.kind == StatusRequest::Kind::kDelete) statuses_.remove(user);
    if (request.kind != StatusRequest::Kind::kGet) continue;
    UserStatus status = statuses_.find(user);
    if (users_.contains(SeededHash{}(user))) status.online = now;
    if (status.active != 0 || status.online != 0) list.statuses.push_back(std::move(status));
  }
  return list;
}

// Not a survey: who is told to give way need not wait for the other answers.
void Hub::supersede(RequesterId who, const ControlPtr& control) {
  for (ShardId shard = 0; shard < slots_.shards(); ++shard)
    ask(shard, {.kind = Waiter::Kind::kSupersede, .who = who}, ControlRequest{control});
}

void Hub::on_survey_reply(uint32_t index, std::expected<ReplyBody, HubError> body) {
  if (body) {
    add_to(surveys_[index].sum, *body);
  } else {
    surveys_[index].failed = true;
  }
  if (--surveys_[index].missing > 0) return;
  Survey done = std::exchange(surveys_[index], {});
  std::expected<ReplyBody, HubError> result = std::move(done.sum);
  if (done.failed) result = std::unexpected(HubError::kUnavailable);
  if (done.behalf) return reply(done.behalf->first, done.behalf->second, std::move(result));
  answer_with(done.who, done.step, std::move(result));
}

// Returns whether some are not done.
bool Hub::run_controls() {
  size_t budget = options_.controlled_sessions;
  while (!controls_.empty()) {
    if (budget == 0) return true;
    PendingControl& first = controls_.front();
    if (sink_ != nullptr && !sink_->apply(*first.control, budget, first.result)) return true;
    budget -= std::min<size_t>(budget, 1);  // one that addresses nobody is not free either
    PendingControl done = std::move(controls_.front());
    controls_.pop_front();
    reply(done.from, done.waiter, std::move(done.result));
  }
  return false;
}

}  // namespace parley::hub
