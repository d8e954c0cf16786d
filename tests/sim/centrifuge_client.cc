#include "tests/sim/centrifuge_client.h"

#include <algorithm>
#include <utility>

#include "tests/sim/framing.h"

namespace parley::sim {

// --- what it does -----------------------------------------------------------------------------

CentrifugeClient::Sub& CentrifugeClient::sub(const KnownChannel& channel) {
  const auto found = subs_.find(channel.name);
  if (found != subs_.end()) return found->second;
  Sub made{.channel = &channel, .check = {sim(), host_.ledger(), name_, channel.name}};
  return subs_.emplace(channel.name, std::move(made)).first->second;
}

void CentrifugeClient::act() {
  if (!started_) return start();
  const auto& channels = host_.channels();
  const KnownChannel& channel = channels[sim().random.below(channels.size())];
  const uint64_t dice = sim().random.below(100);
  if (dice < 55) {
    const uint64_t burst = sim().random.one_in(12) ? 1 + sim().random.below(40) : 1;
    for (uint64_t i = 0; i < burst; ++i) publish(channel);
  } else if (dice < 75) {
    subscribe(channel);
  } else if (dice < 82) {
    unsubscribe(channel);
    if (sim().random.one_in(2)) subscribe(channel);
  } else if (dice < 86) {
    ask_history(channel);
  } else if (dice < 92) {
    if (line_ && phase_ == Phase::kConnected) {
      sim().note("{} hangs up", name_);
      line_->hang_up();
      lose_line();
    }
  } else {
    // Reads nothing for a while.
    if (!line_) return;
    line_->read(false);
    sim().time.after(sim().between(milliseconds(50), seconds(6)),
                     [line = line_] { line->read(true); });
  }
}

void CentrifugeClient::start() {
  started_ = true;
  if (phase_ != Phase::kAway || gone_) return;
  line_ = std::make_shared<Line>(sim(), host_.line_options(), marked_framing(), *this);
  in_.clear();
  if (!host_.connect(line_, Door::kCentrifuge, {.transport = "sim", .path = "/connection"})) {
    line_.reset();
    return reconnect();
  }
  phase_ = Phase::kConnecting;
  ++lines_;
  heard_ = sim().now().mono;
  sim().note("{} connects, line {}", name_, lines_);
  const std::string token = habits_.user.empty() ? "" : "\"token\":\"" + habits_.user + "\"";
  ask({.what = "connect"}, token);
  watch();
}

void CentrifugeClient::leave() {
  gone_ = true;
  if (!line_) return;
  line_->hang_up();
  lose_line();
}

// Whoever gets no answers, or hears nothing at all, begins anew.
void CentrifugeClient::watch() {
  sim().time.after(seconds(5), [this, line = line_] {
    if (line != line_) return;
    const Time now = sim().now().mono;
    const bool ignored = std::ranges::any_of(pending_, [&](const auto& entry) {
      return entry.second.what != "publish" && now - entry.second.since > habits_.patience;
    });
    if (!ignored && now - heard_ <= habits_.silence) return watch();
    sim().note("{} gives its line up", name_);
    line_->hang_up();
    lose_line();
  });
}

void CentrifugeClient::lose_line() {
  line_.reset();
  phase_ = Phase::kAway;
  for (auto& [id, asked] : pending_)
    if (asked.what == "publish") host_.ledger().ended(asked.data, name_, Outcome::kUnknown);
  pending_.clear();
  own_.clear();
  sim().tell(
      {.kind = gone_ ? history::Kind::kEnded : history::Kind::kDisconnected, .client = name_});
  for (auto& [name, sub] : subs_) {
    sub.state = Sub::State::kOff;
    sub.leaving = 0;
    if (gone_) sub.check.end();
  }
  reconnect();
}

void CentrifugeClient::reconnect() {
  if (gone_) return;
  sim().time.after(sim().between(milliseconds(20), seconds(2)), [this] { start(); });
}

void CentrifugeClient::ask(Pending pending, const std::string& body) {
  const uint32_t id = ++last_id_;
  pending.since = sim().now().mono;
  line_->send(fmt::format(R"({{"id":{},"{}":{{{}}}}})", id, pending.what, body));
  pending_.emplace(id, std::move(pending));
}

void CentrifugeClient::subscribe(const KnownChannel& channel) {
  Sub& wanted = sub(channel);
  if (std::exchange(wanted.wanted, true)) return;
  if (phase_ == Phase::kConnected && wanted.state == Sub::State::kOff) ask_subscribe(wanted);
}

void CentrifugeClient::ask_subscribe(Sub& asked) {
  const KnownChannel& channel = *asked.channel;
  asked.state = Sub::State::kAsked;
  ++asked.life;
  Pending pending{.what = "subscribe", .channel = channel.name, .life = asked.life};
  std::string body = "\"channel\":\"" + channel.name + "\"";
  if (asked.recovers && channel.recovers) {
    pending.recovering = true;
    // An SDK keeps the epoch that it was told with the answer.
    pending.from = {asked.epoch, asked.check.position().offset};
    body += fmt::format(R"(,"recover":true,"epoch":"{}","offset":{})",
                        hub::to_string(pending.from.epoch), pending.from.offset);
  }
  if (channel.delta && habits_.delta) body += R"(,"delta":"fossil")";
  if (channel.delta && !habits_.filter.empty()) {
    body += R"(,"tf":{"key":"t","cmp":"eq","val":")" + habits_.filter + "\"}";
    asked.check.set_tag(habits_.filter);
    asked.check.set_filter([tag = habits_.filter](const std::string& has) { return has == tag; });
  }
  ask(std::move(pending), body);
}

void CentrifugeClient::resubscribe_after(Duration delay, const std::string& channel) {
  sim().time.after(delay, [this, line = line_, channel] {
    Sub& again = subs_.at(channel);
    if (line == line_ && line_ && again.wanted && again.state == Sub::State::kOff)
      ask_subscribe(again);
  });
}

void CentrifugeClient::unsubscribe(const KnownChannel& channel) {
  Sub& left = sub(channel);
  if (std::exchange(left.wanted, false) && left.check.placed()) left.check.stop();
  if (phase_ != Phase::kConnected || left.state == Sub::State::kOff) return;
  left.state = Sub::State::kOff;
  ++left.leaving;
  ask({.what = "unsubscribe", .channel = channel.name}, "\"channel\":\"" + channel.name + "\"");
}

void CentrifugeClient::publish(const KnownChannel& channel) {
  if (phase_ != Phase::kConnected) return;
  const std::string data =
      host_.ledger().compose(channel.name, sim().random.below(habits_.publish_bytes));
  host_.ledger().sent(data, name_);
  const Sub& here = sub(channel);
  const bool reads = here.state == Sub::State::kLive && here.leaving == 0;
  ask({.what = "publish",
       .channel = channel.name,
       .data = data,
       .life = reads ? here.life : 0,
       .order = ++last_order_},
      "\"channel\":\"" + channel.name + "\",\"data\":" + data);
}

void CentrifugeClient::ask_history(const KnownChannel& channel) {
  if (phase_ != Phase::kConnected || channel.window == 0) return;
  ask({.what = "history", .channel = channel.name},
      "\"channel\":\"" + channel.name + "\",\"limit\":50");
}

// --- what it is told --------------------------------------------------------------------------

void CentrifugeClient::on_bytes(std::string_view bytes) {
  heard_ = sim().now().mono;
  in_ += bytes;
  const std::shared_ptr<Line> line = line_;
  while (line == line_) {
    const auto message = take_marked(in_);
    if (!message) return;
    const auto frame = read_frame(*message);
    if (!frame) return fail("not a frame: " + *message);
    on_frame(*frame);
  }
}

void CentrifugeClient::on_closed(const Closing& closing) {
  sim().note("{} is told that its line ended: {} {}", name_, closing.code, closing.text);
  // 3501: we broke the protocol; 3505: too many channels; 3508: asked for what there is not.
  if (closing.code == 3501 || closing.code == 3505 || closing.code == 3508)
    fail(fmt::format("ended with {}", closing.code));
  // Another connection of the user has taken its place: an SDK does not come back.
  if (closing.code == 3504) gone_ = true;
  lose_line();
}

void CentrifugeClient::on_frame(const WireFrame& frame) {
  if (frame.ping()) {
    sim().note("{} is pinged{}", name_, muted_ ? ", and mute" : "");
    if (!muted_ || host_.calm()) line_->send("{}");
  } else if (frame.id != 0) {
    on_reply(frame);
  } else {
    on_push(frame);
  }
}

void CentrifugeClient::on_reply(const WireFrame& frame) {
  const auto found = pending_.extract(frame.id);
  if (found.empty()) return fail("a reply that nobody waits for");
  const Pending& asked = found.mapped();
  if (frame.error == 0 && frame.what != asked.what)
    return fail("asked " + asked.what + ", answered " + frame.what);
  // What may be refused for a while is tried again; other refusals were not deserved.
  if (frame.error != 0 && frame.error != 100 && frame.error != 111)
    return fail(fmt::format("{} was refused with {}", asked.what, frame.error));
  if (asked.what == "connect") {
    if (frame.error != 0) {
      line_->hang_up();
      return lose_line();
    }
    phase_ = Phase::kConnected;
    client_id_ = frame.client;
    for (auto& [name, sub] : subs_)
      if (sub.wanted && sub.state == Sub::State::kOff) ask_subscribe(sub);
  } else if (asked.what == "subscribe") {
    on_subscribed(subs_.at(asked.channel), asked, frame);
  } else if (asked.what == "unsubscribe") {
    --subs_.at(asked.channel).leaving;
  } else if (asked.what == "publish") {
    on_published(asked, frame);
  } else if (asked.what == "history" && frame.error == 0) {
    on_page(asked, frame);
  }
}

void CentrifugeClient::on_subscribed(Sub& sub, const Pending& asked, const WireFrame& frame) {
  // It was given up meanwhile, and maybe asked for again: that may be answered first.
  if (sub.state != Sub::State::kAsked || sub.life != asked.life) return;
  if (frame.error != 0) {
    sub.state = Sub::State::kOff;
    return resubscribe_after(sim().between(milliseconds(100), seconds(1)), asked.channel);
  }
  const WireSubscribed& told = frame.subscribed;
  const auto epoch = hub::parse_epoch(told.epoch);
  if (!epoch) return fail("an epoch that is none: " + told.epoch);
  sub.state = Sub::State::kLive;
  sub.late = 0;
  sub.delta = told.delta;
  sub.base.clear();
  sub.check.set_told(told.positioned);
  if (told.positioned != sub.channel->told) return fail("positioned where it should not be");
  if (told.was_recovering != asked.recovering) return fail("wrong about having recovered");
  const hub::StreamPosition top{*epoch, told.offset};
  sim().trace.note(told.offset);
  if (told.recovered) {
    ++recoveries_;
    if (!asked.recovering) return fail("recovered without having asked for it");
    sim().note("{} recovers {} from {} with {}", name_, asked.channel, asked.from.offset,
               told.publications.size());
    if (told.offset != asked.from.offset) return fail("recovers from another offset");
    sub.check.resume(*epoch);
  } else {
    if (!told.publications.empty()) return fail("publications without recovery");
    if (asked.recovering) {
      host_.check_unrecovered(name_, *sub.channel, asked.from);
      sub.check.skip_to(top);
    } else {
      sub.check.start(top, !sub.channel->recovers);
    }
  }
  sub.recovers = told.recoverable;
  sub.epoch = *epoch;
  for (const WirePublication& publication : told.publications) deliver(sub, publication);
}

void CentrifugeClient::on_published(const Pending& asked, const WireFrame& frame) {
  const auto outcome = frame.error == 0     ? Outcome::kAccepted
                       : frame.error == 111 ? Outcome::kRefused
                                            : Outcome::kUnknown;
  host_.ledger().ended(asked.data, name_, outcome);
  if (frame.error != 0) return;
  const Entry* entry = host_.ledger().latest(asked.data);
  if (entry == nullptr) return fail("accepted, but nowhere: " + asked.data);
  const hub::StreamPosition position{entry->epoch, entry->offset};
  Own& own = own_[asked.channel];
  if (own.order < asked.order) {
    if (own.position.epoch == position.epoch && position.offset < own.position.offset)
      return fail("its own publications changed places in " + asked.channel);
    own = {asked.order, position};
  }
  // Who reads the channel has seen its own publication before the answer, unless that did not come
  // for so long that the reply was let go, or the reader is told a gap right behind it.
  Sub& reader = subs_.at(asked.channel);
  const bool reads = asked.life != 0 && reader.state == Sub::State::kLive && reader.leaving == 0 &&
                     reader.life == asked.life && reader.channel->told;
  const hub::StreamPosition& at = reader.check.position();
  const bool seen = !at.epoch.same_incarnation(position.epoch) || at.offset >= position.offset;
  const bool wanted = !reader.channel->delta || habits_.filter.empty();
  // An answer that was let go lets go those that stood behind it.
  const Time now = sim().now().mono;
  if (now - asked.since >= habits_.reply_waits) let_go_ = now;
  if (reads && wanted && !seen && now - let_go_ > habits_.reply_waits)
    reader.late = position.offset;
}

void CentrifugeClient::on_page(const Pending& asked, const WireFrame& frame) {
  const auto epoch = hub::parse_epoch(frame.subscribed.epoch);
  if (!epoch) return fail("an epoch that is none");
  uint64_t last = 0;
  for (const WirePublication& publication : frame.subscribed.publications) {
    if (publication.offset <= last || publication.offset > frame.subscribed.offset)
      return fail("a page out of order");
    last = publication.offset;
    if (host_.ledger().find(asked.channel, publication.data, *epoch, last) == nullptr)
      return fail(fmt::format("a page with what never stood at {}", last));
  }
}

void CentrifugeClient::on_push(const WireFrame& frame) {
  const auto found = subs_.find(frame.channel);
  // A client is told that the backend unsubscribed it whether or not it was subscribed.
  if (found == subs_.end() && frame.what == "unsubscribe") return;
  if (found == subs_.end()) return fail("a push for " + frame.channel + ", which it never had");
  Sub& sub = found->second;
  if (frame.what == "pub") {
    if (sub.state != Sub::State::kLive && sub.leaving > 0) return;
    if (sub.state != Sub::State::kLive)
      return fail("a publication of " + frame.channel + " while not subscribed");
    return deliver(sub, frame.publication);
  }
  if (frame.what != "unsubscribe") return;
  if (sub.state != Sub::State::kLive) return;
  sim().note("{} is unsubscribed from {}: {}", name_, frame.channel, frame.code);
  sub.state = Sub::State::kOff;
  sub.check.stop();
  if (frame.code < 2500)
    sub.wanted = false;
  else
    resubscribe_after(sim().between(milliseconds(1), milliseconds(300)), frame.channel);
}

void CentrifugeClient::deliver(Sub& sub, const WirePublication& publication) {
  std::string data = publication.data;
  if (publication.string != sub.delta) return fail("data in the wrong form");
  if (publication.delta) {
    data.clear();
    if (!apply_delta(sub.base, publication.data, data))
      return fail("a delta of what it does not have");
  }
  if (sub.delta) sub.base = data;
  if (sub.late != 0 && publication.offset <= sub.late)
    return fail(fmt::format("the answer to {} in {} came before it", sub.late, sub.channel->name));
  std::optional<uint64_t> offset;
  if (sub.channel->told) offset = publication.offset;
  sub.check.deliver(data, offset, std::nullopt);
}

// --- for the world ----------------------------------------------------------------------------

bool CentrifugeClient::reads(const std::string& channel) const {
  const auto found = subs_.find(channel);
  return found != subs_.end() && found->second.state == Sub::State::kLive;
}

bool CentrifugeClient::settled() const {
  if (gone_) return phase_ == Phase::kAway;
  return phase_ == Phase::kConnected && pending_.empty() &&
         std::ranges::all_of(subs_, [](const auto& entry) {
           const Sub& sub = entry.second;
           return sub.wanted == (sub.state == Sub::State::kLive) && sub.leaving == 0;
         });
}

std::string CentrifugeClient::state() const {
  std::string text =
      fmt::format("{}: phase {}, {} unanswered", name_, static_cast<int>(phase_), pending_.size());
  for (const auto& [id, asked] : pending_) text += " " + asked.what + " " + asked.channel;
  for (const auto& [name, sub] : subs_)
    text +=
        fmt::format(", {} {}{}", name, sub.wanted ? "wanted " : "", static_cast<int>(sub.state));
  return text;
}

std::vector<Client::Reading> CentrifugeClient::reading() const {
  std::vector<Reading> all;
  for (const auto& [name, sub] : subs_)
    if (sub.state == Sub::State::kLive)
      all.push_back({sub.channel, sub.check.position(), sub.check.last_data(),
                     sub.channel->delta && !habits_.filter.empty()});
  return all;
}

uint64_t CentrifugeClient::delivered() const {
  uint64_t sum = 0;
  for (const auto& [name, sub] : subs_) sum += sub.check.delivered();
  return sum;
}

uint64_t CentrifugeClient::gaps() const {
  uint64_t sum = 0;
  for (const auto& [name, sub] : subs_) sum += sub.check.gaps();
  return sum;
}

}  // namespace parley::sim
