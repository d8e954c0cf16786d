// A world for session tests: one shard with a real hub, memory broker and session table under a
// virtual clock, and clients whose transports only write down what they are given.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "auth/access.h"
#include "auth/authenticator.h"
#include "auth/revocable_authenticator.h"
#include "auth/revocations.h"
#include "base/timer_wheel.h"
#include "broker/memory/memory_broker.h"
#include "hub/hub.h"
#include "session/session_table.h"
#include "session/transport_link.h"
#include "tests/support/no_post.h"
#include "tests/support/seeded_ids.h"

namespace parley::testing {

// The same options for every channel that has none of its own.
class FakeRules final : public hub::ChannelRules {
 public:
  using Options = std::shared_ptr<const hub::ChannelOptions>;
  FakeRules();
  void set(const std::string& channel, const hub::ChannelOptions& options);
  void remove(const std::string& channel) { own_[channel] = nullptr; }
  Options find(std::string_view channel) const override;

  // History of 100 publications for five minutes, presence, recovery.
  static hub::ChannelOptions usual();

 private:
  Options usual_;
  std::map<std::string, Options, std::less<>> own_;
};

class FakeAccess final : public auth::Access {
 public:
  const auth::ConnectRules& connect() const override { return rules; }
  std::string personal_channel(const auth::Principal& who) const override {
    return rules.personal_channel && !who.user.empty() ? "#" + who.user : std::string();
  }

  std::set<std::string, std::less<>> denied;  // but to those who show a token for it
  std::set<std::string, std::less<>> unknown;
  std::set<std::pair<auth::Verb, std::string>> denied_verbs;  // ... for one verb
  std::set<std::string, std::less<>> subscribers_only;        // ... but to those who subscribed
  auth::ConnectRules rules{.anonymous = true};

 private:
  auth::Verdict decide(const auth::Principal& who, std::string_view channel, auth::Verb verb,
                       auth::Standing standing) const override;
};

// A token is good if the test says so. Answers at once, or, while `slow`, when the test says
// answer_all().
class FakeAuthenticator final : public auth::Authenticator {
 public:
  std::optional<auth::TokenResult> verify(auth::TokenUse use, std::string_view token,
                                          WallMillis now, auth::Asker asker, Done done) override;
  // A good token of that use; the claims may still be changed.
  auth::Claims& add(auth::TokenUse use, const std::string& token, std::string user);
  auth::Claims& connect_token(const std::string& token, std::string user = "") {
    return add(auth::TokenUse::kConnect, token, std::move(user));
  }
  auth::Claims& subscribe_token(const std::string& token, std::string channel,
                                std::string user = "");
  void answer_all();
  size_t waiting() const { return waiting_.size(); }
  const auth::Asker& asker(size_t waiting) const { return waiting_.at(waiting).asker; }

  std::map<std::string, auth::TokenError, std::less<>> bad;  // others are kInvalid
  size_t looked_at = 0;
  bool slow = false;

 private:
  struct Waiting {
    auth::TokenResult result;
    auth::Asker asker;
    Done done;
  };
  std::map<std::pair<auth::TokenUse, std::string>, auth::Claims> good_;
  std::vector<Waiting> waiting_;
};

// Lets a test speak as the broker, in front of the real one.
class ScriptedBroker final : public hub::Broker {
 public:
  explicit ScriptedBroker(hub::Broker& real) : real_(real) {}
  // Under which the channel was attached last.
  hub::FeedId feed_of(const std::string& channel) const { return feeds_.at(channel); }
  // While held it answers nothing.
  void hold(bool held) { held_ = held; }
  // Publishes that it was asked for.
  size_t published() const { return published_; }
  // `say` is called once, from the next run().
  void interject(std::function<void(hub::BrokerEvents&)> say) { say_.push_back(std::move(say)); }

  hub::BrokerCapabilities capabilities() const override { return real_.capabilities(); }
  void attach(const hub::ChannelKey& channel, std::shared_ptr<const hub::ChannelOptions> options,
              hub::FeedId feed) override {
    feeds_[channel.name] = feed;
    real_.attach(channel, std::move(options), feed);
  }
  void detach(const hub::ChannelKey& channel) override { real_.detach(channel); }
  void publish(hub::BrokerToken token, hub::PublishRecord&& record) override {
    ++published_;
    real_.publish(token, std::move(record));
  }
  void read(hub::BrokerToken token, const hub::ChannelKey& channel,
            const hub::ReadQuery& query) override {
    real_.read(token, channel, query);
  }
  void remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) override {
    real_.remove_history(token, channel);
  }
  bool run(const Now& now, hub::BrokerEvents& events, size_t max_events) override;

 private:
  hub::Broker& real_;
  std::vector<std::function<void(hub::BrokerEvents&)>> say_;
  std::map<std::string, hub::FeedId> feeds_;
  size_t published_ = 0;
  bool held_ = false;
};

// What a client shows when it comes.
struct FakeRequest {
  std::string path;
  std::string query = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string subprotocol = {};
  // As in session::Handshake.
  bool binary = false;
  bool one_way = false;
  std::string session{};
};

struct WireMessage {
  session::MessageType type;
  std::string bytes;
  bool operator==(const WireMessage&) const = default;
};

// What: a client and its transport without a socket. Its framing marks every message with type and
// length, so that what arrives can be taken apart again, however it was cut. Owner: SessionWorld;
// stays readable when its session is gone.
class FakeClient final : public session::TransportLink {
 public:
  struct End {
    session::EndReason reason;
    session::EndCode code;
  };

  // Both do nothing once the session has ended.
  void send(ByteView message, session::MessageType type = session::MessageType::kText);
  void leave(session::EndReason reason = session::EndReason::kTransportLost);

  // The messages that came since the last call. Those after a block may be still on their way.
  std::vector<WireMessage> take();
  std::string take_text();  // their bytes, one message behind the other

  // The transport takes this many bytes more and then blocks.
  void allow(size_t bytes);
  void unblock() { allow(SIZE_MAX); }

  bool ended() const { return end_.has_value(); }
  const std::optional<End>& end_seen() const { return end_; }
  bool connected() const { return session_ != nullptr; }
  bool input_paused() const { return paused_; }
  size_t bytes_taken() const { return bytes_taken_; }
  session::Session* session() { return session_; }

  const session::Framing& framing() const override;
  void wake(bool reply) override;
  void end(session::EndReason reason, const session::EndCode& code) override;
  void pause_input(bool paused) override { paused_ = paused; }
  bool unheard(Duration time) const override { return unheard_for >= time; }

  // How long it has confirmed nothing of what it was sent.
  Duration unheard_for{};

 private:
  friend class SessionWorld;
  // As a loop writes what sockets share; nothing lent: flush() has to be called.
  ByteView lend_shared();
  void write_shared(ByteView lent);
  bool flush();

  session::Session* session_ = nullptr;
  Buffer wire_;  // framed bytes that were not taken apart yet
  size_t room_ = SIZE_MAX;
  size_t bytes_taken_ = 0;
  std::optional<End> end_;
  std::string end_text_;
  bool woken_ = false;
  bool paused_ = false;
};

// What: owns everything. Nothing happens but in run() and advance(), which end when the world is
// quiet.
class SessionWorld final : private hub::Requester {
 public:
  explicit SessionWorld(const session::SessionLimits& limits = {}, uint64_t seed = 1,
                        const hub::HubOptions& hub = {});
  ~SessionWorld() override;

  FakeClient& open(std::unique_ptr<session::Adapter> adapter, const FakeRequest& request);
  FakeClient& open(const session::AdapterFactory& factory, const FakeRequest& request) {
    return open(factory.make(), request);
  }

  void run();
  void advance(Duration by);
  // How many sockets that share are written to together.
  void write_together(size_t most) { writes_together_ = most; }

  // Publishes as the server API does. publish() runs the world and gives the answer.
  void publish_later(const std::string& channel, hub::Publication publication);
  hub::Answer publish(const std::string& channel, hub::Publication publication);
  hub::StreamPosition publish(const std::string& channel, std::string_view json);
  hub::Answer history(const std::string& channel, const hub::ReadQuery& query);
  // Runs until every session that it addresses has had it.
  hub::Answer control(hub::Control control);
  hub::Answer presence_counts(const std::string& channel);
  // Channels that have subscribers, with how many.
  std::map<std::string, uint64_t> subscribers();

  FakeRules& rules() { return rules_; }
  ScriptedBroker& broker() { return broker_; }
  hub::Hub& hub() { return hub_; }
  session::SessionTable& table() { return table_; }
  FakeAuthenticator& tokens() { return tokens_; }
  // What a door verifies tokens by: tokens(), but for those that were revoked.
  auth::Authenticator& good_tokens() { return good_tokens_; }
  auth::Revocations& revocations() { return revocations_; }
  IdSource& ids() { return ids_; }
  const Now& now() const { return now_; }
  TimerWheel& timers() { return timers_; }

 private:
  void on_answer(hub::StepId step, hub::Answer answer) override;
  hub::Answer answer_to(hub::StepId step);
  bool flush();
  bool write_shared();

  Now now_{.mono = Time(std::chrono::hours(1)), .wall = 1'700'000'000'000};
  SeededIds ids_;
  FakeRules rules_;
  hub::SlotTable slots_{1};
  NoPost post_;
  broker::memory::MemoryBroker memory_;
  ScriptedBroker broker_;
  TimerWheel timers_;
  hub::Hub hub_;
  FakeAuthenticator tokens_;
  auth::Revocations revocations_;
  auth::RevocableAuthenticator good_tokens_{tokens_, revocations_};
  session::SessionTable table_;
  std::vector<std::unique_ptr<FakeClient>> clients_;
  std::vector<std::pair<FakeClient*, ByteView>> lent_;  // to be written together
  size_t writes_together_ = 4;
  hub::RequesterId requester_;
  hub::StepId last_step_ = 0;
  std::map<hub::StepId, hub::Answer> answers_;
};

// For the calls above.
hub::Publication json(std::string_view data, std::string_view event = {});
hub::Publication text(std::string_view data);
hub::Publication binary(std::string_view data);

}  // namespace parley::testing
