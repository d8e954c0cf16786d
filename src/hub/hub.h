// The channel core of one shard: what sessions and API handlers call, and what the other shards'
// hubs talk to.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/affinity.h"
#include "base/random.h"
#include "base/time.h"
#include "hub/broker.h"
#include "hub/control.h"
#include "hub/home_channels.h"
#include "hub/local_channels.h"
#include "hub/page_line.h"
#include "hub/post.h"
#include "hub/publish_brake.h"
#include "hub/request_boxes.h"
#include "hub/requester.h"
#include "hub/subscription.h"
#include "hub/user_statuses.h"
#include "hub/withdrawal.h"

namespace parley::hub {

struct HubOptions {
  ShardId shard = 0;
  size_t parked_requests =
      4096;  // requests to one shard that may wait for a credit; above: kOverloaded
  size_t presence_members = 100'000;    // per channel
  size_t tail_bytes = 64 << 20;         // of all channels' tails together
  size_t turn_items = 4096;             // messages, completions and answers handled in one turn
  size_t page_bytes = 256 << 10;        // of history that requesters get in one turn
  size_t waiting_publications = 8'192;  // in pages that one client still waits for
  size_t controlled_sessions = 1000;    // that controls reach in one turn
  UserStatusOptions user_status = {};
};

// When the hub wants its next turn: when something happens or a second has passed, in about a
// millisecond (a shard is behind, a request waits for a credit or
// a channel to be let go waits for room), or at once.
enum class Pace : uint8_t { kIdle, kSoon, kNow };

// What: channels, subscriptions, publishing, history and presence, for the sessions of one shard;
// and, for the channels whose home this shard is, their sequencing through the Broker and their
// feed. No method that a session calls calls back before it returned: answers, events and feeds
// come out of turn() and receive(). Owner: the server, one per shard. Shard: its own; receive() is
// called there too. Failure: every request is answered exactly once, with HubError if it must. See
// docs/life-of-a-message.md.
class Hub final : private LocalChannels::Home, private HomeChannels::Outlet {
 public:
  Hub(const HubOptions& options, const SlotTable& slots, Broker& broker, Post& post,
      const ChannelRules& rules, IdSource& ids);
  ~Hub() override;

  // The operator's may have some more requests waiting than all others together, so that those do
  // not take its place.
  RequesterId add(Requester& requester, RequesterRole role = RequesterRole::kClient);
  void remove(RequesterId id);
  // It takes pages of history again.
  void resume_pages(RequesterId id) { pages_.resume(id); }

  // Answered through Subscriber::on_subscribed. The subscription must be idle.
  void subscribe(Subscription& subscription, const ChannelKey& key, Start start);
  // At once; nothing more is called for this subscription. Safe in every state.
  void unsubscribe(Subscription& subscription);
  // Moves a live subscription's cursor back to `offset`.
  void rewind(Subscription& subscription, uint64_t offset) { local_.rewind(subscription, offset); }
  // See LocalChannels::pull().
  Pull pull(Subscription& subscription, bool slow = true) {
    return local_.pull(subscription, slow);
  }
  bool reads_tail(const Subscription& subscription, bool slow) const {
    return local_.reads_tail(subscription, slow);
  }

  // Requests, answered through Requester::on_answer with `step`. Who has just asked the rules for
  // `record.options` may leave them there; else they are filled in.
  void publish(RequesterId who, StepId step, PublishRecord&& record);
  // Who asked has lost the right to it: its publishes that wait are refused (kRevoked) at the end
  // of the turn, wherever they are. Without a step: all of its, even when it is gone; with a
  // channel: those to that one.
  void withdraw(Withdrawal withdrawal) { withdrawals_.push_back(std::move(withdrawal)); }
  void history(RequesterId who, StepId step, const std::string& channel, const ReadQuery& query);
  void remove_history(RequesterId who, StepId step, const std::string& channel);
  void presence(RequesterId who, StepId step, const std::string& channel);
  void presence_counts(RequesterId who, StepId step, const std::string& channel);
  // Channels with subscribers on any shard of this node; `pattern` is a glob, "" for all.
  void channels(RequesterId who, StepId step, const std::string& pattern);
  // Answered when every shard has done it to its sessions. Those that are remembered are put in one
  // order for all shards; kOverloaded: there are too many.
  void control(RequesterId who, StepId step, ControlPtr control);
  // This shard has sessions of the named user now, or no longer. Not answered; never refused.
  void note_user(std::string_view user, bool here);
  // The users show signs of life, or are forgotten, or asked after; kNotAvailable where statuses
  // are not kept. `user`, by its own doing.
  void user_status(RequesterId who, StepId step, const StatusRequest& request);
  void note_active(RequesterId who, StepId step, const std::string& user);
  // A kSupersede, to every shard. Never refused; on_outranked() comes if a session is newer.
  void supersede(RequesterId who, const ControlPtr& control);
  // Publishes from this shard are slowed, refused, or neither, from now on.
  void brake(PublishBrake::Step step) { brake_.set(step); }
  // Who carries controls out on this shard; nullptr: there is nobody to address.
  void set_control_sink(ControlSink* sink) { sink_ = sink; }
  // Enter, update or leave. Not answered; a leave is never refused. Who enters does so in its own
  // manner, else in that of the namespace: listed with presence, announced with join_leave.
  void change_presence(const std::string& channel, Change change, ClientInfo member,
                       std::optional<PresenceManner> manner = std::nullopt);

  // A message from another shard's hub, in the order in which it was sent.
  void receive(ShardId from, HubMessage&& message);
  // The time from here on, until the next call or turn().
  void set_now(const Now& now) { now_ = now; }
  // Does what is due, and says when it wants the next turn.
  Pace turn(const Now& now);

  // Something was asked since the last turn, for example during the flush.
  bool has_work() const {
    return published_ || !loopback_.empty() || local_.has_ready() || pages_.waiting();
  }

  const ChannelRules& rules() const { return rules_; }
  ShardId shard() const { return home_shard_.id(); }
  const Now& now() const { return now_; }
  // Channels that this shard follows for its own subscribers, and those that it is home to.
  size_t channels_followed() const { return local_.size(); }
  size_t channels_homed() const { return home_.size(); }

 private:
  // Who waits for the reply to a request, which names it by a number.
  struct Waiter {
    enum class Kind : uint8_t {
      kFree,
      kRequester,
      kFollow,
      kPage,
      kSupersede,
      kSurvey,
      kNobody,  // nobody waits for it
    };
    Kind kind = Kind::kFree;
    uint32_t generation = 0;
    StepId step = 0;      // kSurvey: index of the survey
    RequesterId who;      // kRequester, kSupersede
    InterestId interest;  // kFollow, kPage
  };
  // A question to all shards, while their answers come in.
  struct Survey {
    RequesterId who;
    StepId step = 0;
    size_t missing = 0;  // 0: free
    bool failed = false;
    // On behalf of another shard: its request.
    std::optional<std::pair<ShardId, uint64_t>> behalf = {};
    // All answers together, in the kind that they are of.
    ReplyBody sum = ChannelCounts{};
  };
  // A control that this shard's sessions have not all had yet.
  struct PendingControl {
    ShardId from = 0;
    uint64_t waiter = 0;
    ControlPtr control;
    Controlled result;
  };
  struct RequesterSlot {
    Requester* requester = nullptr;
    uint32_t generation = 0;
    RequesterRole role = RequesterRole::kClient;
  };

  void follow(const ChannelKey& channel, InterestId interest) override;
  void read_page(const ChannelKey& channel, InterestId interest, const ReadQuery& query) override;
  bool drop_interest(const ChannelKey& channel, InterestId interest) override;
  bool tell_backlog(const ChannelKey& channel, InterestId interest,
                    const Backlog& backlog) override;
  void reply(ShardId to, uint64_t waiter, std::expected<ReplyBody, HubError> body) override;
  void published(ShardId to, uint64_t waiter, const Published& published) override;
  bool try_feed(ShardId to, HubMessage& message) override;

  void send_publish(RequesterId who, StepId step, PublishRecord&& record);
  void run_brake();
  void ask(ShardId to, Waiter waiter, RequestBody body);
  void ask(ShardId to, Waiter waiter, std::unique_ptr<Request> request);
  void ask_home(const std::string& channel, RequesterId who, StepId step, RequestBody body);
  template <class Body>
  void ask_all(RequesterId who, StepId step, const Body& body);
  template <class Body>
  void begin_survey(Survey survey, const Body& body);
  bool is_crowded(size_t most) const;
  void spread(ShardId from, uint64_t waiter, const ControlPtr& control);
  void remember(const Control& control);
  bool run_controls();
  void run_withdrawals();
  std::shared_ptr<const WithdrawnWaiters> waiters_of(const WithdrawalSet& lost,
                                                     BlockedUsers blocked) const;
  UserStatusList handle_statuses(const StatusRequest& request);
  void count_user(const UserNote& note);
  Requester* find(RequesterId who) const;
  size_t most_parked(RequesterId who) const;
  void answer(RequesterId who, StepId step, Answer answer);
  void answer_with(RequesterId who, StepId step, std::expected<ReplyBody, HubError> result);
  void answer_later(RequesterId who, StepId step, HubError error);
  uint64_t add_waiter(Waiter waiter);
  Waiter take_waiter(uint64_t id);
  bool send_parked();
  void drain_loopback(size_t& budget);
  void answer_pages();
  void handle(ShardId from, HubMessage&& message);
  void on_request(ShardId from, Request&& request);
  void on_done(std::unique_ptr<Request> box);
  void on_reply(Reply&& reply);
  void on_survey_reply(uint32_t index, std::expected<ReplyBody, HubError> body);
  bool periodic();

  HomeShard home_shard_;
  HubOptions options_;
  const SlotTable& slots_;
  Broker& broker_;
  Post& post_;
  const ChannelRules& rules_;
  LocalChannels local_;
  HomeChannels home_;
  std::vector<RequesterSlot> requesters_;
  std::vector<uint32_t> free_requesters_;
  std::vector<Waiter> waiters_;
  std::vector<uint32_t> free_waiters_;
  std::vector<Survey> surveys_;
  std::deque<HubMessage> loopback_;  // from this shard to itself, in order
  bool published_ = false;  // the broker was given something past loopback_, since it last ran
  std::vector<std::deque<std::unique_ptr<Request>>> parked_;  // by shard, waiting for a credit
  RequestBoxes boxes_;
  PageLine pages_;
  PublishBrake brake_{{}};
  ControlSink* sink_ = nullptr;
  std::deque<PendingControl> controls_;
  std::vector<RequesterId> many_;  // those that ask for many clients
  std::vector<Withdrawal> withdrawals_;
  BlockedUsers blocked_;                          // users, since withdrawals were carried out
  std::unordered_map<uint64_t, uint32_t> users_;  // whose home this is: on how many shards
  UserStatuses statuses_;                         // ... and what is known of them
  Now now_;
  Time next_sweep_{};
  bool sweeping_ = false;  // the last sweep goes on in the next turn
  Time next_tops_{};
};

}  // namespace parley::hub
