#include "tests/sim/remote_broker.h"

#include <utility>

namespace parley::sim {

using hub::BrokerError;
using hub::BrokerEvents;

bool RemoteServer::ByShard::operator()(const RemoteBroker* a, const RemoteBroker* b) const {
  return a->shard() < b->shard();
}

StoredStream& RemoteServer::stream(const std::string& channel) {
  const auto [found, made] = streams_.try_emplace(channel);
  if (made) found->second.epoch = {.boot = 77, .counter = ++epochs_};
  return found->second;
}

std::expected<hub::Published, BrokerError> RemoteServer::publish(hub::PublishRecord& record) {
  const std::string& channel = record.channel.name;
  const KeyScope scope{channel, record.principal, record.idempotency_key};
  if (const auto known = keys_.find(scope); known != keys_.end()) {
    if (!known->second.is_of(*record.publication))
      return std::unexpected(BrokerError::kIdempotencyConflict);
    hub::Published again = known->second.answer;
    again.duplicate = true;
    return again;
  }
  const uint64_t step = sparse_ ? 1 + sim_.random.below(3) : 1;
  const auto publication = stream(channel).append(std::move(record.publication), *record.options,
                                                  record.skip_history, step);
  const hub::Published published{.position = {publication->epoch, publication->offset},
                                 .prev = publication->prev,
                                 .level = hub::AckLevel::kStored};
  keys_[scope] = {publication, published};
  for (RemoteBroker* broker : brokers_) broker->feed(channel, publication);
  return published;
}

void RemoteServer::lose(const std::string& channel) {
  StoredStream& lost = stream(channel);
  lost = {.epoch = {.boot = 77, .counter = ++epochs_}};
  for (RemoteBroker* broker : brokers_)
    broker->feed_reset(channel, lost.attached(0), hub::GapReason::kEpochChanged);
}

RemoteBroker::RemoteBroker(Simulation& sim, RemoteServer& server, ShardId shard,
                           const RemoteFaults& faults, std::function<void()> news)
    : sim_(sim), server_(server), shard_(shard), faults_(faults), news_(std::move(news)) {
  server_.add(*this);
}

RemoteBroker::~RemoteBroker() {
  *alive_ = false;
  server_.remove(*this);
}

hub::BrokerCapabilities RemoteBroker::capabilities() const {
  return {.max_level = hub::AckLevel::kStored,
          .contiguous_offsets = !server_.sparse(),
          .history = true,
          .atomic_idempotency = true};
}

void RemoteBroker::tell(std::deque<Event>& queue, Event event) {
  queue.push_back(std::move(event));
  news_();
}

// Everything of one direction arrives in order, and only while the line on which it left is up; of
// what was on its way to the server when that broke, the first part still arrives.
void RemoteBroker::carry(Time& last, std::function<void()> arrive, bool up) {
  const Duration delay = sim_.between(Duration(0), faults_.delay);
  last = std::max(last, sim_.now().mono + delay);
  sim_.time.at(last, [this, alive = alive_, line = line_, arrive = std::move(arrive), up] {
    if (*alive && (line == line_ || (up && sim_.now().mono <= reached_[line]))) arrive();
  });
}

void RemoteBroker::ask(Request request) {
  if (!up_) return tell(answers_, std::move(request.failed));
  asked_.emplace(++last_request_, std::move(request));
  send(last_request_);
}

void RemoteBroker::send(uint64_t id) {
  carry(
      last_up_,
      [this, id, apply = asked_.at(id).apply] {
        Event answer = apply();
        carry(last_down_, [this, id, answer = std::move(answer)] { complete(id, answer); }, false);
      },
      true);
}

void RemoteBroker::complete(uint64_t id, Event answer) {
  if (asked_.erase(id) > 0) tell(answers_, std::move(answer));
}

void RemoteBroker::break_line(Duration down) {
  if (!up_) return;
  sim_.note("broker of shard {} is away for {} ms", shard_, down / milliseconds(1));
  up_ = false;
  reached_[line_] = sim_.now().mono + sim_.between(Duration(0), faults_.delay);
  ++line_;
  fed_.clear();
  for (auto it = asked_.begin(); it != asked_.end();) {
    if (it->second.again && sim_.random.one_in(2)) {
      ++it;
      continue;
    }
    tell(answers_, std::move(it->second.failed));
    it = asked_.erase(it);
  }
  if (sim_.random.one_in(2)) tell_broken();
  sim_.time.after(down, [this, alive = alive_] {
    if (*alive) line_is_back();
  });
}

void RemoteBroker::line_is_back() {
  up_ = true;
  ++line_;
  for (const auto& [id, request] : asked_) send(id);
  tell_broken();
}

void RemoteBroker::tell_broken() {
  std::vector<hub::Slot> slots;
  for (auto& [channel, feed] : attached_) {
    slots.push_back(hub::slot_of(channel));
    feed = 0;  // none until it is attached again
  }
  tell(feed_, [slots](BrokerEvents& events) { events.on_feed_broken(slots); });
}

void RemoteBroker::attach(const hub::ChannelKey& key, std::shared_ptr<const hub::ChannelOptions>,
                          hub::FeedId feed) {
  const std::string& channel = key.name;
  attached_[channel] = feed;
  // Of two answers the first counts.
  const auto answered = std::make_shared<bool>(false);
  const auto stands = [this, channel, feed, answered] {
    const auto found = attached_.find(channel);
    return found != attached_.end() && found->second == feed && !*answered;
  };
  const auto fail = [this, stands, answered, key, feed] {
    tell(feed_, [stands, answered, key, feed](BrokerEvents& events) {
      if (!stands()) return;
      *answered = true;
      events.on_attached(key, feed, std::unexpected(BrokerError::kUnavailable));
    });
  };
  if (!up_) return fail();
  // The answer comes by the feed, so that what is fed behind it follows it.
  carry(
      last_up_,
      [this, stands, answered, key, feed] {
        StoredStream& stream = server_.stream(key.name);
        fed_[key.name] = feed;
        const Event answer = [stands, answered, key, feed,
                              now = stream.attached(stream.top)](BrokerEvents& events) {
          if (!stands()) return;
          *answered = true;
          events.on_attached(key, feed, now);
        };
        carry(last_fed_, [this, answer] { tell(feed_, answer); }, false);
      },
      false);
  // A line that breaks before the answer came is an answer too.
  sim_.time.after(seconds(2), [this, alive = alive_, line = line_, fail, stands] {
    if (*alive && line != line_ && stands()) fail();
  });
}

void RemoteBroker::detach(const hub::ChannelKey& channel) {
  attached_.erase(channel.name);
  fed_.erase(channel.name);
}

void RemoteBroker::feed(const std::string& channel, const hub::PublicationPtr& publication) {
  const auto found = fed_.find(channel);
  if (found == fed_.end() || !up_) return;
  const uint64_t dice = sim_.random.below(1000);
  if (dice < faults_.lost_feed) {
    // It is noticed, but not at once.
    sim_.time.after(sim_.between(milliseconds(1), seconds(3)), [this, alive = alive_] {
      if (*alive) tell_broken();
    });
    return;
  }
  const bool twice = dice < faults_.lost_feed + faults_.doubled_feed;
  for (int i = 0; i < (twice ? 2 : 1); ++i)
    carry(
        last_fed_,
        [this, channel, publication, feed = found->second] {
          tell(feed_, [this, channel, publication, feed](BrokerEvents& events) {
            const auto now = attached_.find(channel);
            if (now != attached_.end() && now->second == feed)
              events.on_publication({channel}, feed, publication);
          });
        },
        false);
}

void RemoteBroker::feed_reset(const std::string& channel, const hub::Attached& now,
                              hub::GapReason reason) {
  const auto found = fed_.find(channel);
  if (found == fed_.end() || !up_) return;
  carry(
      last_fed_,
      [this, channel, now, reason, feed = found->second] {
        tell(feed_, [this, channel, now, reason, feed](BrokerEvents& events) {
          const auto at = attached_.find(channel);
          if (at != attached_.end() && at->second == feed) events.on_reset({channel}, now, reason);
        });
      },
      false);
}

hub::PublishRecord RemoteBroker::copy(const hub::PublishRecord& record) {
  hub::PublishRecord made{.channel = record.channel,
                          .options = record.options,
                          .principal = record.principal,
                          .idempotency_key = record.idempotency_key,
                          .ack = record.ack,
                          .skip_history = record.skip_history};
  made.publication = std::make_unique<hub::Publication>();
  const hub::Publication& from = *record.publication;
  hub::Publication& to = *made.publication;
  to.time = from.time;
  to.kind = from.kind;
  to.delta = from.delta;
  to.change = from.change;
  to.data = from.data;
  to.event = from.event;
  to.key = from.key;
  to.tags = from.tags;
  if (from.publisher) to.publisher = std::make_unique<hub::ClientInfo>(*from.publisher);
  return made;
}

// A publish always carries a key, so that it can be asked again.
void RemoteBroker::publish(hub::BrokerToken token, hub::PublishRecord&& record) {
  if (std::max(record.ack, record.options->level) > capabilities().max_level)
    return tell(answers_, [token](BrokerEvents& events) {
      events.on_published(token, std::unexpected(BrokerError::kUnsupported));
    });
  if (record.publication->time == 0) record.publication->time = sim_.now().wall;
  if (record.idempotency_key.empty())
    record.idempotency_key = fmt::format("auto-{}-{}", shard_, sim_.random.below(UINT64_MAX));
  const auto kept = std::make_shared<hub::PublishRecord>(std::move(record));
  const bool again = sim_.random.one_in(2);
  ask({.apply =
           [this, token, kept] {
             hub::PublishRecord made = copy(*kept);
             const auto result = server_.publish(made);
             return [token, result](BrokerEvents& events) { events.on_published(token, result); };
           },
       .failed =
           [token](BrokerEvents& events) {
             events.on_published(token, std::unexpected(BrokerError::kUnavailable));
           },
       .again = again});
}

void RemoteBroker::read(hub::BrokerToken token, const hub::ChannelKey& channel,
                        const hub::ReadQuery& query) {
  ask({.apply =
           [this, token, channel, query] {
             const StoredStream& stream = server_.stream(channel.name);
             return [token, page = stream.page(query, stream.top)](BrokerEvents& events) {
               events.on_read(token, page);
             };
           },
       .failed =
           [token](BrokerEvents& events) {
             events.on_read(token, std::unexpected(BrokerError::kUnavailable));
           }});
}

void RemoteBroker::remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) {
  ask({.apply =
           [this, token, channel] {
             server_.stream(channel.name).remove_history();
             return [token](BrokerEvents& events) { events.on_history_removed(token, {}); };
           },
       .failed =
           [token](BrokerEvents& events) {
             events.on_history_removed(token, std::unexpected(BrokerError::kUnavailable));
           }});
}

bool RemoteBroker::run(const Now&, BrokerEvents& events, size_t max_events) {
  for (; max_events > 0 && !(feed_.empty() && answers_.empty()); --max_events) {
    const bool from_feed = answers_.empty() || (!feed_.empty() && sim_.random.one_in(2));
    auto& queue = from_feed ? feed_ : answers_;
    const Event event = std::move(queue.front());
    queue.pop_front();
    event(events);
  }
  return !feed_.empty() || !answers_.empty();
}

}  // namespace parley::sim
