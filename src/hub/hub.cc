#include "hub/hub.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "hub/meters.h"

namespace parley::hub {
namespace {

constexpr seconds kSweepEvery{1};
constexpr seconds kTopsEvery{10};
constexpr size_t kReservedPart = 8;   // of the requests that may wait
constexpr size_t kBrokerSlice = 256;  // events between looks at the rest of a turn
metrics::Counter overloaded("parley_hub_overloaded_total",
                            "Requests refused because too many wait for another shard");
size_t reserve_of(size_t requests) { return std::max<size_t>(requests / kReservedPart, 1); }
metrics::Gauge users_gauge("parley_users",
                           "Different users with sessions; the anonymous one is none");

}  // namespace

Hub::Hub(const HubOptions& options, const SlotTable& slots, Broker& broker, Post& post,
         const ChannelRules& rules, IdSource& ids)
    : home_shard_(options.shard),
      options_(options),
      slots_(slots),
      broker_(broker),
      post_(post),
      rules_(rules),
      local_(*this, options.tail_bytes),
      home_(broker, *this, rules, ids, options.presence_members, options.shard),
      parked_(slots.shards()),
      pages_(options.page_bytes),
      statuses_(options.user_status) {}

Hub::~Hub() { users_gauge.add(-static_cast<int64_t>(users_.size())); }

RequesterId Hub::add(Requester& requester, RequesterRole role) {
  uint32_t index;
  if (free_requesters_.empty()) {
    index = static_cast<uint32_t>(requesters_.size());
    requesters_.emplace_back();
  } else {
    index = free_requesters_.back();
    free_requesters_.pop_back();
  }
  requesters_[index].requester = &requester;
  requesters_[index].role = role;
  const RequesterId id{index, requesters_[index].generation};
  if (role == RequesterRole::kManyClients) many_.push_back(id);
  return id;
}

void Hub::remove(RequesterId id) {
  CHECK(id.index < requesters_.size() && requesters_[id.index].generation == id.generation);
  if (requesters_[id.index].role == RequesterRole::kManyClients) std::erase(many_, id);
  pages_.drop(id);
  requesters_[id.index].requester = nullptr;
  ++requesters_[id.index].generation;
  free_requesters_.push_back(id.index);
}

void Hub::subscribe(Subscription& subscription, const ChannelKey& key, Start start) {
  home_shard_.check();
  auto options = rules_.find(key.name);
  if (!options) return local_.refuse(subscription, HubError::kUnknownChannel);
  local_.subscribe(subscription, key, std::move(options), start);
}

void Hub::unsubscribe(Subscription& subscription) { local_.unsubscribe(subscription, now_.mono); }

void Hub::publish(RequesterId who, StepId step, PublishRecord&& record) {
  home_shard_.check();
  if (!record.options) record.options = rules_.find(record.channel.name);
  if (!record.options) return answer_later(who, step, HubError::kUnknownChannel);
  // The presence stream is written by change_presence() alone.
  if (record.channel.aspect != Aspect::kMessages)
    return answer_later(who, step, HubError::kNotAvailable);
  if (!record.options->accepts(record.publication->kind))
    return answer_later(who, step, HubError::kUnsupportedKind);
  if (!record.options->accepts_data(record.publication->kind, record.publication->data))
    return answer_later(who, step, HubError::kInvalidData);
  if (record.options->delta_publish) record.publication->delta = true;
  if (!brake_.engaged()) return send_publish(who, step, std::move(record));
  const RequesterRole role = requesters_[who.index].role;
  if (!brake_.take({who, step, std::move(record), role}, now_.mono))
    answer_later(who, step, HubError::kOverloaded);
}

void Hub::send_publish(RequesterId who, StepId step, PublishRecord&& record) {
  const ShardId home = slots_.home(record.channel.name);
  const Waiter waiter{.kind = Waiter::Kind::kRequester, .step = step, .who = who};
  if (home != shard() || !loopback_.empty()) {
    auto box = boxes_.take();
    std::get<PublishRecord>(box->body) = std::move(record);
    return ask(home, waiter, std::move(box));
  }
  // Nothing asked before is still on its way, so the broker, which answers later itself, may have
  // it at once.
  published_ = true;
  home_.publish(home, who, add_waiter(waiter), std::move(record), now_);
}

void Hub::run_brake() {
  brake_.begin_turn();
  while (auto publish = brake_.next(now_.mono))
    send_publish(publish->who, publish->step, std::move(publish->record));
}

void Hub::history(RequesterId who, StepId step, const std::string& channel,
                  const ReadQuery& query) {
  const auto options = rules_.find(channel);
  if (!options) return answer_later(who, step, HubError::kUnknownChannel);
  if (!options->has_history()) return answer_later(who, step, HubError::kNotAvailable);
  ask_home(channel, who, step, ReadRequest{{channel, Aspect::kMessages}, query});
}

void Hub::remove_history(RequesterId who, StepId step, const std::string& channel) {
  const auto options = rules_.find(channel);
  if (!options) return answer_later(who, step, HubError::kUnknownChannel);
  if (!options->has_history()) return answer_later(who, step, HubError::kNotAvailable);
  ask_home(channel, who, step, RemoveHistoryRequest{{channel, Aspect::kMessages}});
}

void Hub::presence(RequesterId who, StepId step, const std::string& channel) {
  const auto options = rules_.find(channel);
  if (!options) return answer_later(who, step, HubError::kUnknownChannel);
  if (!options->presence) return answer_later(who, step, HubError::kNotAvailable);
  ask_home(channel, who, step, PresenceRequest{channel, false});
}

void Hub::presence_counts(RequesterId who, StepId step, const std::string& channel) {
  const auto options = rules_.find(channel);
  if (!options) return answer_later(who, step, HubError::kUnknownChannel);
  if (!options->presence) return answer_later(who, step, HubError::kNotAvailable);
  ask_home(channel, who, step, PresenceRequest{channel, true});
}

// A request to all shards would wait too long, or too many would.
bool Hub::is_crowded(size_t most) const {
  const auto full = [most](const auto& parked) { return parked.size() >= most; };
  if (std::ranges::none_of(parked_, full)) return false;
  overloaded.add(1);
  return true;
}

void Hub::change_presence(const std::string& channel, Change change, ClientInfo member,
                          std::optional<PresenceManner> manner) {
  // Who has entered leaves, whatever the namespace says by then.
  if (change != Change::kLeave) {
    const auto options = rules_.find(channel);
    if (!options) return;
    if (!manner) manner = {.listed = options->presence, .announced = options->join_leave};
    if (*manner == PresenceManner{false, false}) return;
  }
  ask(slots_.home(channel), {.kind = Waiter::Kind::kNobody},
      PresenceChange{channel, change, std::move(member), manner.value_or(PresenceManner())});
}

void Hub::note_user(std::string_view user, bool here) {
  UserNote note{SeededHash{}(user), here};
  if (options_.user_status.enabled) note.name = user;
  ask(slots_.home(user), {.kind = Waiter::Kind::kNobody}, std::move(note));
}

void Hub::count_user(const UserNote& note) {
  const auto [user, added] = users_.try_emplace(note.user, 0);
  if (added) users_gauge.add(1);
  user->second += note.here ? 1 : -1;
  if (user->second > 0) return;
  if (options_.user_status.enabled) statuses_.note_online(note.name, now_.wall / 1000);
  users_.erase(user);
  users_gauge.add(-1);
}

void Hub::follow(const ChannelKey& channel, InterestId interest) {
  ask(slots_.home(channel.name), {.kind = Waiter::Kind::kFollow, .interest = interest},
      FollowRequest{channel, interest});
}

void Hub::read_page(const ChannelKey& channel, InterestId interest, const ReadQuery& query) {
  ask(slots_.home(channel.name), {.kind = Waiter::Kind::kPage, .interest = interest},
      ReadRequest{channel, query});
}

bool Hub::drop_interest(const ChannelKey& channel, InterestId interest) {
  const ShardId to = slots_.home(channel.name);
  HubMessage message = std::make_unique<DropInterest>(DropInterest{channel, interest});
  if (to != shard()) return post_.try_send(to, message);
  loopback_.push_back(std::move(message));
  return true;
}

bool Hub::tell_backlog(const ChannelKey& channel, InterestId interest, const Backlog& backlog) {
  const ShardId to = slots_.home(channel.name);
  HubMessage message = std::make_unique<BacklogNote>(BacklogNote{channel, interest, backlog});
  return try_feed(to, message);
}

void Hub::ask_home(const std::string& channel, RequesterId who, StepId step, RequestBody body) {
  ask(slots_.home(channel), {.kind = Waiter::Kind::kRequester, .step = step, .who = who},
      std::move(body));
}

// Requests to one shard leave in the order in which they were made, whether or not they had to wait
// for a credit.
void Hub::ask(ShardId to, Waiter waiter, RequestBody body) {
  ask(to, waiter, std::make_unique<Request>(Request{0, std::move(body)}));
}

void Hub::ask(ShardId to, Waiter waiter, std::unique_ptr<Request> request) {
  // Presence leaves and interest follow from what already exists, so only requesters' requests are
  // refused.
  const bool may_refuse = waiter.kind == Waiter::Kind::kRequester;
  request->who = waiter.who;
  if (to == shard()) {
    request->waiter = add_waiter(waiter);
    loopback_.push_back(std::move(request));
    return;
  }
  auto& parked = parked_[to];
  if (parked.empty() && post_.take_credit(to)) {
    request->waiter = add_waiter(waiter);
    post_.send_request(to, std::move(request));
    return;
  }
  if (may_refuse && parked.size() >= most_parked(waiter.who)) {
    overloaded.add(1);
    boxes_.keep(std::move(request));
    return answer_later(waiter.who, waiter.step, HubError::kOverloaded);
  }
  request->waiter = add_waiter(waiter);
  parked.push_back(std::move(request));
}

// Returns whether some still wait.
bool Hub::send_parked() {
  bool waiting = false;
  for (size_t n = 0; n < parked_.size(); ++n) {
    const auto to = static_cast<ShardId>(n);
    auto& parked = parked_[n];
    while (!parked.empty() && post_.take_credit(to)) {
      post_.send_request(to, std::move(parked.front()));
      parked.pop_front();
    }
    waiting = waiting || !parked.empty();
  }
  return waiting;
}

void Hub::reply(ShardId to, uint64_t waiter, std::expected<ReplyBody, HubError> body) {
  auto message = std::make_unique<Reply>(Reply{waiter, std::move(body)});
  if (to == shard()) {
    loopback_.push_back(std::move(message));
  } else {
    post_.send_reply(to, std::move(message));
  }
}

void Hub::published(ShardId to, uint64_t waiter, const Published& published) {
  if (to != shard()) {
    auto box = boxes_.take();
    box->waiter = waiter;
    box->done = published;
    return post_.send_reply(to, Done{std::move(box)});
  }
  if (!loopback_.empty()) return reply(to, waiter, published);
  // The broker's completions come within turn(), and nothing sent before is still on its way.
  const Waiter asked = take_waiter(waiter);
  if (Requester* requester = find(asked.who)) requester->on_published(asked.step, published);
}

bool Hub::try_feed(ShardId to, HubMessage& message) {
  if (to != shard()) return post_.try_send(to, message);
  if (auto* feed = std::get_if<Feed>(&message); feed != nullptr && loopback_.empty()) {
    local_.on_feed(feed->interest, std::move(feed->publication));
  } else {
    loopback_.push_back(std::move(message));
  }
  return true;
}

uint64_t Hub::add_waiter(Waiter waiter) {
  uint32_t index;
  if (free_waiters_.empty()) {
    index = static_cast<uint32_t>(waiters_.size());
    waiters_.emplace_back();
  } else {
    index = free_waiters_.back();
    free_waiters_.pop_back();
  }
  waiter.generation = waiters_[index].generation;
  waiters_[index] = waiter;
  return static_cast<uint64_t>(waiter.generation) << 32 | index;
}

Hub::Waiter Hub::take_waiter(uint64_t id) {
  const uint32_t index = static_cast<uint32_t>(id);
  CHECK(index < waiters_.size());
  Waiter& slot = waiters_[index];
  // Each request is answered exactly once, so a stale waiter is a bug of ours.
  CHECK(slot.kind != Waiter::Kind::kFree && slot.generation == static_cast<uint32_t>(id >> 32));
  const Waiter waiter = slot;
  slot = {.generation = slot.generation + 1};
  free_waiters_.push_back(index);
  return waiter;
}

// Null: it is gone.
Requester* Hub::find(RequesterId who) const {
  if (who.index >= requesters_.size()) return nullptr;
  const RequesterSlot& slot = requesters_[who.index];
  return slot.generation == who.generation ? slot.requester : nullptr;
}

// How many requests may wait for a shard before one of this requester.
size_t Hub::most_parked(RequesterId who) const {
  return options_.parked_requests + (requesters_[who.index].role == RequesterRole::kOperator
                                         ? reserve_of(options_.parked_requests)
                                         : 0);
}

void Hub::answer(RequesterId who, StepId step, Answer answer) {
  Requester* requester = find(who);
  if (requester == nullptr) return;
  if (!answer) meters::count_refusal(answer.error());
  requester->on_answer(step, std::move(answer));
}

void Hub::answer_later(RequesterId who, StepId step, HubError error) {
  const uint64_t waiter = add_waiter({.kind = Waiter::Kind::kRequester, .step = step, .who = who});
  loopback_.push_back(std::make_unique<Reply>(Reply{waiter, std::unexpected(error)}));
}

void Hub::receive(ShardId from, HubMessage&& message) {
  home_shard_.check();
  handle(from, std::move(message));
}

void Hub::handle(ShardId from, HubMessage&& message) {
  if (auto* feed = std::get_if<Feed>(&message)) {
    local_.on_feed(feed->interest, std::move(feed->publication));
  } else if (auto* request = std::get_if<std::unique_ptr<Request>>(&message)) {
    on_request(from, std::move(**request));
    boxes_.keep(std::move(*request));
  } else if (auto* done = std::get_if<Done>(&message)) {
    on_done(std::move(done->box));
  } else if (auto* reply = std::get_if<std::unique_ptr<Reply>>(&message)) {
    on_reply(std::move(**reply));
  } else if (const auto* top = std::get_if<TopNote>(&message)) {
    local_.on_top(top->interest, top->top, top->removed);
  } else if (const auto* reset = std::get_if<std::unique_ptr<ResetNote>>(&message)) {
    local_.on_reset((*reset)->interest, (*reset)->now, (*reset)->reason);
  } else if (const auto* drop = std::get_if<std::unique_ptr<DropInterest>>(&message)) {
    home_.drop_interest(from, (*drop)->channel, (*drop)->interest);
  } else if (const auto* note = std::get_if<std::unique_ptr<BacklogNote>>(&message)) {
    home_.on_backlog(from, **note, now_);
  }
}

void Hub::on_request(ShardId from, Request&& request) {
  if (const auto* channels = std::get_if<ChannelsRequest>(&request.body))
    return this->reply(from, request.waiter, local_.count(channels->pattern));
  if (auto* control = std::get_if<ControlRequest>(&request.body)) {
    if (control->spread) return spread(from, request.waiter, control->control);
    // On the shard that spreads it, it has been.
    if (control->control->is_remembered() && from != shard()) remember(*control->control);
    controls_.push_back({from, request.waiter, std::move(control->control), {}});
    return;
  }
  if (const auto* statuses = std::get_if<StatusRequest>(&request.body))
    return this->reply(from, request.waiter, handle_statuses(*statuses));
  if (const auto* note = std::get_if<UserNote>(&request.body)) {
    count_user(*note);
    return this->reply(from, request.waiter, PresenceChanged{});
  }
  home_.request(from, std::move(request), now_);
}

void Hub::on_done(std::unique_ptr<Request> box) {
  const Waiter asked = take_waiter(box->waiter);
  CHECK(asked.kind == Waiter::Kind::kRequester);
  if (Requester* requester = find(asked.who)) requester->on_published(asked.step, box->done);
  boxes_.put_back(std::move(box));
}

void Hub::on_reply(Reply&& reply) {
  const Waiter waiter = take_waiter(reply.waiter);
  switch (waiter.kind) {
    case Waiter::Kind::kFollow:
      if (!reply.body)
        return local_.on_followed(waiter.interest, std::unexpected(reply.body.error()));
      return local_.on_followed(waiter.interest, std::move(std::get<Attached>(*reply.body)));
    case Waiter::Kind::kPage:
      if (!reply.body) return local_.on_page(waiter.interest, std::unexpected(reply.body.error()));
      return local_.on_page(waiter.interest, std::move(std::get<ReadPage>(*reply.body)));
    case Waiter::Kind::kSurvey:
      return on_survey_reply(waiter.step, std::move(reply.body));
    case Waiter::Kind::kSupersede:
      if (Requester* asker = find(waiter.who); asker && std::get<Controlled>(*reply.body).outranked)
        asker->on_outranked();
      return;
    case Waiter::Kind::kNobody:
      return;
    case Waiter::Kind::kRequester:
      break;
    case Waiter::Kind::kFree:
      CHECK(false);
  }
  // Dear to make, so it waits until the turn has done the rest.
  if (auto* page = reply.body ? std::get_if<ReadPage>(&*reply.body) : nullptr) {
    if (find(waiter.who) == nullptr) return;
    const bool client = requesters_[waiter.who.index].role == RequesterRole::kClient;
    if (!pages_.add({waiter.who, waiter.step, std::move(*page)},
                    client ? options_.waiting_publications : SIZE_MAX))
      answer(waiter.who, waiter.step, std::unexpected(HubError::kOverloaded));
    return;
  }
  answer_with(waiter.who, waiter.step, std::move(reply.body));
}

void Hub::answer_with(RequesterId who, StepId step, std::expected<ReplyBody, HubError> result) {
  if (!result) return answer(who, step, std::unexpected(result.error()));
  std::visit(
      [&](auto& body) {
        if constexpr (std::is_constructible_v<AnswerValue, decltype(std::move(body))>)
          answer(who, step, AnswerValue(std::move(body)));
      },
      *result);
}

void Hub::drain_loopback(size_t& budget) {
  for (; budget > 0 && !loopback_.empty(); --budget) {
    HubMessage message = std::move(loopback_.front());
    loopback_.pop_front();
    handle(shard(), std::move(message));
  }
}

void Hub::answer_pages() {
  pages_.begin_turn();
  const auto takes = [this](RequesterId who) {
    Requester* requester = find(who);
    return requester == nullptr || requester->takes_pages();
  };
  while (auto waiting = pages_.next(takes))
    answer(waiting->who, waiting->step, AnswerValue(std::move(waiting->page)));
}

Pace Hub::turn(const Now& now) {
  home_shard_.check();
  now_ = now;
  size_t budget = options_.turn_items;
  if (!withdrawals_.empty() || !blocked_.empty()) run_withdrawals();
  home_.run_gate(now_);
  if (brake_.waiting()) run_brake();
  bool more = true;
  while (more && budget > 0) {
    drain_loopback(budget);
    const size_t slice = std::min(budget, kBrokerSlice);
    published_ = false;
    const uint64_t completed = home_.completions();
    more = broker_.run(now_, home_, slice);
    // The broker does not say how much it did; with more to do it has used its slice.
    if (more) budget -= slice;
    const size_t answered = local_.deliver_ready(budget);
    budget -= answered;
    // Each completion costs something, and each round, or who asks for more with each answer could
    // hold the turn, as a batch of the server API that goes step by step does.
    const uint64_t done = more ? 1 : std::max<uint64_t>(home_.completions() - completed, 1);
    budget -= std::min<uint64_t>(budget, done);
    more = more || answered > 0 || published_ || !loopback_.empty() || local_.has_ready();
  }
  if (pages_.waiting()) answer_pages();
  const bool controlling = run_controls();
  if (!withdrawals_.empty() || !blocked_.empty()) run_withdrawals();
  const bool waiting = send_parked();
  home_.feed_behind();
  const bool going_round = periodic();
  const bool releasing = local_.release(now_.mono);
  const bool lagging = local_.tell_backlogs(now_.mono);
  home_.end_turn();
  if (more || controlling || has_work()) return Pace::kNow;
  const bool held = home_.publishes_wait() || brake_.waiting();
  // A round may have met a full ring, too.
  const bool behind = home_.is_any_behind();
  return waiting || behind || held || releasing || lagging || going_round ? Pace::kSoon
                                                                          : Pace::kIdle;
}

// True: something of it is left to the next turn.
bool Hub::periodic() {
  if (now_.mono >= next_sweep_ && !sweeping_) {
    next_sweep_ = now_.mono + kSweepEvery;
    sweeping_ = true;
    statuses_.expire(now_.wall / 1000);
    home_.begin_retries();
  }
  if (sweeping_) sweeping_ = local_.sweep(now_.mono);
  if (now_.mono >= next_tops_) {
    next_tops_ = now_.mono + kTopsEvery;
    home_.begin_tops();
  }
  const bool retrying = home_.retry_lost();
  const bool announcing = home_.announce_tops();
  return sweeping_ || retrying || announcing;
}

}  // namespace parley::hub
