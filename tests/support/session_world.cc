#include "tests/support/session_world.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "auth/capabilities.h"
#include "base/check.h"
#include "tests/support/slices.h"

namespace parley::testing {
namespace {

constexpr size_t kHeader = 1 + sizeof(uint32_t);

class MarkedFraming final : public session::Framing {
 public:
  void frame(session::MessageType type, Buffer& out, size_t start) const override {
    char header[kHeader];
    header[0] = static_cast<char>(type);
    const auto size = static_cast<uint32_t>(out.size() - start);
    std::memcpy(header + 1, &size, sizeof size);
    out.insert(start, header, kHeader);
  }
};

constexpr size_t kWrite = 64 * 1024;
constexpr int kMaxRounds = 100'000;
constexpr Duration kStep = milliseconds(50);

}  // namespace

FakeRules::FakeRules() : usual_(std::make_shared<const hub::ChannelOptions>(usual())) {}

hub::ChannelOptions FakeRules::usual() {
  hub::ChannelOptions options;
  options.history_size = 100;
  options.history_ttl = seconds(300);
  options.presence = options.join_leave = options.positioned = options.recoverable = true;
  return options;
}

void FakeRules::set(const std::string& channel, const hub::ChannelOptions& options) {
  own_[channel] = std::make_shared<const hub::ChannelOptions>(options);
}

FakeRules::Options FakeRules::find(std::string_view channel) const {
  const auto found = own_.find(channel);
  return found == own_.end() ? usual_ : found->second;
}

auth::Verdict FakeAccess::decide(const auth::Principal& who, std::string_view channel,
                                 auth::Verb verb, auth::Standing standing) const {
  if (!auth::is_channel_name(channel)) return auth::Verdict::kBadName;
  if (unknown.contains(channel)) return auth::Verdict::kUnknownChannel;
  if (verb == auth::Verb::kSubscribe && standing.token) return auth::Verdict::kAllow;
  if (standing.allow.covers(verb) || (who.caps && who.caps->of(channel).covers(verb)))
    return auth::Verdict::kAllow;
  const bool deny = denied.contains(channel) ||
                    denied_verbs.contains({verb, std::string(channel)}) ||
                    (verb != auth::Verb::kSubscribe && subscribers_only.contains(channel) &&
                     !standing.subscribed);
  return deny ? auth::Verdict::kDeny : auth::Verdict::kAllow;
}

std::optional<auth::TokenResult> FakeAuthenticator::verify(auth::TokenUse use,
                                                           std::string_view token, WallMillis,
                                                           auth::Asker asker, Done done) {
  ++looked_at;
  if (use == auth::TokenUse::kRefresh) use = auth::TokenUse::kConnect;
  const auto good = good_.find({use, std::string(token)});
  const auto known_bad = bad.find(token);
  auth::TokenResult result =
      std::unexpected(known_bad == bad.end() ? auth::TokenError::kInvalid : known_bad->second);
  if (good != good_.end()) result = good->second;
  if (!slow) return result;
  waiting_.push_back({std::move(result), asker, std::move(done)});
  return std::nullopt;
}

auth::Claims& FakeAuthenticator::add(auth::TokenUse use, const std::string& token,
                                     std::string user) {
  auth::Claims& claims = good_[{use, token}];
  claims.user = std::move(user);
  return claims;
}

auth::Claims& FakeAuthenticator::subscribe_token(const std::string& token, std::string channel,
                                                 std::string user) {
  auth::Claims& claims = add(auth::TokenUse::kSubscribe, token, std::move(user));
  claims.grant.channel = std::move(channel);
  return claims;
}

void FakeAuthenticator::answer_all() {
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.done(std::move(waiting.result));
}

bool ScriptedBroker::run(const Now& now, hub::BrokerEvents& events, size_t max_events) {
  for (auto& say : std::exchange(say_, {})) say(events);
  if (held_) return false;
  return real_.run(now, events, max_events);
}

void FakeClient::send(ByteView message, session::MessageType type) {
  if (session_ != nullptr && !end_) session_->on_message(type, message);
}

void FakeClient::leave(session::EndReason reason) {
  if (session_ == nullptr) return;
  std::exchange(session_, nullptr)->transport_closed(reason);
}

std::vector<WireMessage> FakeClient::take() {
  std::vector<WireMessage> messages;
  ByteView rest = wire_;
  while (rest.size() >= kHeader) {
    uint32_t size;
    std::memcpy(&size, rest.data() + 1, sizeof size);
    if (rest.size() - kHeader < size) break;
    CHECK(static_cast<uint8_t>(rest[0]) <= static_cast<uint8_t>(session::MessageType::kBinary));
    messages.push_back(
        {static_cast<session::MessageType>(rest[0]), std::string(rest.substr(kHeader, size))});
    rest.remove_prefix(kHeader + size);
  }
  wire_ = Buffer(rest);
  return messages;
}

std::string FakeClient::take_text() {
  std::string all;
  for (const WireMessage& message : take()) all += message.bytes;
  return all;
}

void FakeClient::allow(size_t bytes) {
  room_ = bytes;
  woken_ = true;
}

const session::Framing& FakeClient::framing() const {
  static const MarkedFraming framing;
  return framing;
}

void FakeClient::wake(bool) { woken_ = true; }

void FakeClient::end(session::EndReason reason, const session::EndCode& code) {
  CHECK(!end_);
  end_text_ = code.text;
  end_ = End{reason, {code.code, end_text_}};
  woken_ = true;
}

ByteView FakeClient::lend_shared() {
  if (session_ == nullptr || !woken_ || end_) return {};
  const ByteView lent = session_->gather_shared(kWrite);
  if (!lent.empty()) woken_ = false;
  return lent;
}

void FakeClient::write_shared(ByteView lent) {
  const ByteView taken = lent.substr(0, room_);
  wire_ += taken;
  bytes_taken_ += taken.size();
  if (room_ != SIZE_MAX) room_ -= taken.size();
  session_->consumed(taken.size());
}

// Writes what the transport takes. Returns whether anything happened.
bool FakeClient::flush() {
  if (session_ == nullptr || !woken_) return false;
  woken_ = false;
  bool moved = false;
  const bool cut = end_ && (end_->reason == session::EndReason::kSlow ||
                            end_->reason == session::EndReason::kTransportLost);
  // Without room there is one try all the same, which is how the session learns that it waits.
  while (!cut) {
    Slices slices(std::min(kWrite, room_));
    session_->gather(slices);
    session_->consumed(slices.bytes.size());
    if (slices.bytes.empty()) break;
    wire_ += slices.bytes;
    bytes_taken_ += slices.bytes.size();
    if (room_ != SIZE_MAX) room_ -= slices.bytes.size();
    moved = true;
  }
  if (!end_ || (!cut && room_ == 0 && session_->has_output())) return moved;
  std::exchange(session_, nullptr)->transport_closed(end_->reason);
  return true;
}

SessionWorld::SessionWorld(const session::SessionLimits& limits, uint64_t seed,
                           const hub::HubOptions& hub)
    : ids_(seed),
      memory_({.max_bytes = 64 << 20, .idempotency = {}}, ids_, now_),
      broker_(memory_),
      timers_(now_.mono),
      hub_(hub, slots_, broker_, post_, rules_, ids_),
      table_(hub_, timers_, ids_, good_tokens_, limits, &revocations_),
      requester_(hub_.add(*this)) {
  hub_.turn(now_);
}

SessionWorld::~SessionWorld() {
  for (const auto& client : clients_) client->leave();
  run();
  hub_.remove(requester_);
}

FakeClient& SessionWorld::open(std::unique_ptr<session::Adapter> adapter,
                               const FakeRequest& request) {
  FakeClient& client = *clients_.emplace_back(std::make_unique<FakeClient>());
  session::Handshake handshake{.transport = "fake",
                               .path = request.path,
                               .query = request.query,
                               .subprotocol = request.subprotocol,
                               .binary = request.binary,
                               .one_way = request.one_way,
                               .session = request.session,
                               .peer = "192.0.2.1"};
  for (const auto& [name, value] : request.headers) handshake.headers.emplace_back(name, value);
  client.session_ = &table_.open(std::move(adapter), client, handshake);
  return client;
}

void SessionWorld::run() {
  // A flush may ask the hub for something without moving a byte, so one quiet round is not enough.
  int quiet_rounds = 0;
  for (int round = 0; quiet_rounds < 2; ++round) {
    CHECK(round < kMaxRounds);
    bool quiet = hub_.turn(now_) != hub::Pace::kNow;
    if (timers_.advance(now_, SIZE_MAX) > 0) quiet = false;
    const bool flushed =
        std::ranges::none_of(clients_, [](const auto& client) { return client->room_ == 0; });
    table_.begin_flush(flushed);
    if (flush()) quiet = false;
    quiet_rounds = quiet ? quiet_rounds + 1 : 0;
  }
}

// Whether anything happened.
bool SessionWorld::flush() {
  bool moved = false;
  for (const auto& client : clients_) {
    if (const ByteView shared = client->lend_shared(); !shared.empty()) {
      lent_.emplace_back(client.get(), shared);
      if (lent_.size() < writes_together_) continue;
      moved = write_shared() || moved;
    } else {
      moved = write_shared() || moved;
      moved = client->flush() || moved;
    }
  }
  return write_shared() || moved;
}

bool SessionWorld::write_shared() {
  const bool any = !lent_.empty();
  for (const auto& [client, lent] : lent_) client->write_shared(lent);
  lent_.clear();
  return any;
}

void SessionWorld::advance(Duration by) {
  run();
  while (by > Duration(0)) {
    const Duration step = std::min(by, kStep);
    by -= step;
    now_.mono += step;
    now_.wall += std::chrono::duration_cast<milliseconds>(step).count();
    run();
  }
}

void SessionWorld::on_answer(hub::StepId step, hub::Answer answer) {
  answers_.emplace(step, std::move(answer));
}

hub::Answer SessionWorld::answer_to(hub::StepId step) {
  run();
  const auto found = answers_.extract(step);
  CHECK(!found.empty());
  return std::move(found.mapped());
}

void SessionWorld::publish_later(const std::string& channel, hub::Publication publication) {
  hub::PublishRecord record{.channel = {channel}};
  record.publication = std::make_unique<hub::Publication>(std::move(publication));
  hub_.publish(requester_, ++last_step_, std::move(record));
}

hub::Answer SessionWorld::publish(const std::string& channel, hub::Publication publication) {
  publish_later(channel, std::move(publication));
  return answer_to(last_step_);
}

hub::StreamPosition SessionWorld::publish(const std::string& channel, std::string_view data) {
  const hub::Answer answer = publish(channel, json(data));
  CHECK(answer.has_value());
  return std::get<hub::Published>(*answer).position;
}

hub::Answer SessionWorld::control(hub::Control control) {
  const hub::StepId step = ++last_step_;
  hub_.control(requester_, step, std::make_shared<const hub::Control>(std::move(control)));
  return answer_to(step);
}

hub::Answer SessionWorld::presence_counts(const std::string& channel) {
  const hub::StepId step = ++last_step_;
  hub_.presence_counts(requester_, step, channel);
  return answer_to(step);
}

hub::Answer SessionWorld::history(const std::string& channel, const hub::ReadQuery& query) {
  hub_.history(requester_, ++last_step_, channel, query);
  return answer_to(last_step_);
}

std::map<std::string, uint64_t> SessionWorld::subscribers() {
  hub_.channels(requester_, ++last_step_, "");
  const hub::Answer answer = answer_to(last_step_);
  CHECK(answer.has_value());
  return std::get<hub::ChannelCounts>(*answer).subscribers;
}

hub::Publication json(std::string_view data, std::string_view event) {
  hub::Publication publication;
  publication.data = data;
  publication.event = event;
  return publication;
}

hub::Publication text(std::string_view data) {
  hub::Publication publication = json(data);
  publication.kind = hub::ContentKind::kText;
  return publication;
}

hub::Publication binary(std::string_view data) {
  hub::Publication publication = json(data);
  publication.kind = hub::ContentKind::kBinary;
  return publication;
}

}  // namespace parley::testing
