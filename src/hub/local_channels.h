// The interested side of a shard: its channels, their tails and the subscriptions that read them.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/glob.h"
#include "base/time.h"
#include "hub/channel_key.h"
#include "hub/channel_options.h"
#include "hub/lag_limit.h"
#include "hub/post.h"
#include "hub/round_line.h"
#include "hub/subscription.h"
#include "hub/tail.h"

namespace parley::hub {

// Something that a layer above keeps with a local channel (the session layer: encoded frames). Dies
// with the channel.
class ChannelAddon {
 public:
  virtual ~ChannelAddon() = default;
};

struct IdleTag;
struct WarmTag;

// What: a channel as one interested shard sees it. Owner: LocalChannels. Shard: its hub's.
class LocalChannel : public ListNode<IdleTag>, public ListNode<WarmTag> {
 public:
  LocalChannel(ChannelKey key, std::shared_ptr<const ChannelOptions> options, InterestId interest)
      : key_(std::move(key)), options_(std::move(options)), interest_(interest) {}

  const ChannelKey& key() const { return key_; }
  const ChannelOptions& options() const { return *options_; }
  const Epoch& epoch() const { return epoch_; }
  const Tail& tail() const { return tail_; }
  size_t subscribers() const { return live_.size(); }
  // Its own among the channels of this shard for as long as it is followed; 1 to 2^53.
  uint64_t number() const {
    return (uint64_t{interest_.sequence - 1} & 0x1fffff) << 32 | (interest_.index + 1);
  }
  mutable std::unique_ptr<ChannelAddon> addon;

 private:
  friend class LocalChannels;
  // In the idle list: nobody wanted it when it was last looked at.
  bool idle() const { return ListNode<IdleTag>::linked(); }
  // What it counts against the budget of all tails. A publication that the tail and the newest per
  // key share counts twice.
  size_t held_bytes() const {
    return tail_.bytes() + (lag_ && lag_->keys() ? lag_->keys()->bytes() : 0);
  }
  // What the tail was made to forget is not to be had from the newest per key either.
  void forget_with_tail() {
    if (lag_ && lag_->keys()) lag_->keys()->forget(tail_.base());
  }
  // In one of the lines of tails: its own may hold publications.
  bool warm() const { return ListNode<WarmTag>::linked(); }

  ChannelKey key_;
  std::shared_ptr<const ChannelOptions> options_;
  InterestId interest_;
  Epoch epoch_;
  std::vector<uint64_t> generation_ends_;  // see Attached
  Tail tail_;
  std::unique_ptr<LagLimit> lag_;  // null: readers that lag read on from history
  std::vector<Subscription*> live_;
  IntrusiveList<Subscription, WaitTag> waiting_;  // for the attachment, or for a page of history
  Time idle_since_{};
  uint64_t read_from_ = 0;
  uint32_t reads_ = 0;  // pages asked for
  bool attached_ = false;
  bool reading_ = false;    // one page is on its way (single-flight)
  bool settled_ = false;    // its tail has given all but what its readers are owed
  uint8_t round_ = 0;       // of sweeps, in which it was last looked at or came
  uint64_t quiet_top_ = 0;  // the top that the last sweep saw, and since when
  Time quiet_since_{};
};

inline bool Subscription::ends_at(uint64_t offset) const {
  return live() && !linked() && !catchup_ && offset >= channel_->tail().top();
}

// What: follows channels for this shard's subscribers. Owner: Hub. Shard: its hub's.
// Failure: a channel that cannot be followed answers its pending subscribes with the error and
// disappears.
class LocalChannels {
 public:
  // How this side talks to channels' homes. Implemented by the hub.
  class Home {
   public:
    virtual ~Home() = default;
    virtual void follow(const ChannelKey& channel, InterestId interest) = 0;
    virtual void read_page(const ChannelKey& channel, InterestId interest,
                           const ReadQuery& query) = 0;
    // False when there is no room now; asked again at the next release().
    virtual bool drop_interest(const ChannelKey& channel, InterestId interest) = 0;
    // False when there is no room now; told again soon.
    virtual bool tell_backlog(const ChannelKey& channel, InterestId interest,
                              const Backlog& backlog) = 0;
  };

  // Channels that may linger without a subscriber; above it the oldest go at once.
  static constexpr size_t kMaxIdle = 4096;
  // Channels with a tail, and their readers, that a sweep looks at in one turn; a channel at least.
  static constexpr size_t kSweepPortion = 2048;
  // Channels, with readers for whom publishers wait, that are looked at in one turn. Every one of a
  // million still is within PublishGate::kBelieved.
  static constexpr size_t kBacklogPortion = 16'384;
  // Tails that a feed may look at in vain, because readers are owed all that they hold.
  static constexpr size_t kMaxVainSteps = 64;

  // `max_tail_bytes`: of all tails together; above it those fed longest ago are given back, and
  // who still reads them goes on from history. Half of it may be what readers are owed by the
  // policy of their channel: beyond that, what has been owed longest goes too.
  explicit LocalChannels(Home& home, size_t max_tail_bytes = 64 << 20)
      : home_(home), max_tail_bytes_(max_tail_bytes) {}
  ~LocalChannels();

  void subscribe(Subscription& subscription, const ChannelKey& key,
                 std::shared_ptr<const ChannelOptions> options, Start start);
  // Refuses without following: the error is delivered like any answer.
  void refuse(Subscription& subscription, HubError error);
  void unsubscribe(Subscription& subscription, Time now);
  // Moves the cursor of a live subscription back. Not across a reset that is still to be told.
  void rewind(Subscription& subscription, uint64_t offset);
  // What the cursor can be given now. A gap is returned once, and moves the cursor behind it.
  // `slow`: its client did not take what it was given before, so the channel's limits hold.
  Pull pull(Subscription& subscription, bool slow = true);

  // Whether pull() would give what the tail holds behind the cursor and do nothing else: who has
  // that encoded already need not ask for it.
  bool reads_tail(const Subscription& subscription, bool slow) const {
    if (!subscription.live() || subscription.catchup_ || subscription.linked()) return false;
    const LocalChannel& channel = *subscription.channel_;
    return !(slow && channel.lag_) && subscription.position_ < channel.tail_.top() &&
           channel.tail_.covers(subscription.position_);
  }

  void on_followed(InterestId interest, std::expected<Attached, HubError> result);
  void on_page(InterestId interest, std::expected<ReadPage, HubError> result);
  void on_feed(InterestId interest, PublicationPtr publication);
  void on_top(InterestId interest, uint64_t top, bool removed);
  void on_reset(InterestId interest, const Attached& now, GapReason reason);

  // Delivers up to `budget` answers to subscribes; returns how many.
  size_t deliver_ready(size_t budget);
  bool has_ready() const { return !ready_.empty(); }
  // About once a second: trims what is idle, retries failed reads. Looks at `kSweepPortion`
  // channels and readers; true: in the next turn it is to go on.
  bool sweep(Time now);
  // In each turn: lets go of some channels that nobody has wanted for a while. Returns whether more
  // are due.
  bool release(Time now);
  // In each turn: tells homes who holds up their publishers; goes on where it stopped. Returns
  // whether somebody does.
  bool tell_backlogs(Time now);

  size_t size() const { return channels_.size(); }
  size_t subscriptions() const { return subscriptions_; }
  ChannelCounts count(std::string_view pattern) const;

 private:
  LocalChannel* find(InterestId interest);
  LocalChannel& open(const ChannelKey& key, std::shared_ptr<const ChannelOptions> options);
  void close(LocalChannel& channel);
  void note_if_idle(LocalChannel& channel, Time since);
  void begin_round(Time now);
  void judge(LocalChannel& channel, Time now);
  void judge_if_due(LocalChannel& channel);
  bool cool(LocalChannel& channel, Time now);
  size_t& bytes_with(const LocalChannel& channel) {
    return channel.settled_ ? owed_bytes_ : tail_bytes_;
  }
  template <class Change>
  void change_tail(LocalChannel& channel, Change change) {
    size_t& bytes = bytes_with(channel);
    bytes -= channel.held_bytes();
    change(channel.tail_);
    bytes += channel.held_bytes();
  }
  void count_as(LocalChannel& channel, bool settled);
  void spare_tails(LocalChannel& newest);
  void let_one_give(LocalChannel& newest);
  void let_longest_owed_give();
  bool settle_oldest();
  static bool keeps_its_last(const LocalChannel& channel);
  bool give_half(LocalChannel& channel);
  void give_all(LocalChannel& channel);
  bool is_owed_all(const LocalChannel& channel);
  void give_what_is_not_owed(LocalChannel& channel);
  void stand_empty(LocalChannel& channel);
  static bool anybody_behind(const LocalChannel& channel);
  static uint64_t owed_from(const LocalChannel& channel);
  static uint64_t awaited_from(const LocalChannel& channel);
  void warm_up(LocalChannel& channel);
  void keep_base(LocalChannel& channel, const PublicationPtr& newest);
  // `ended`: a life of the channel that is known to be over.
  void admit(LocalChannel& channel, Subscription& subscription, const Epoch& ended = {});
  void admit_from(LocalChannel& channel, Subscription& subscription);
  void admit_newest(LocalChannel& channel, Subscription& subscription);
  void go_live(LocalChannel& channel, Subscription& subscription, uint64_t cursor,
               Subscribed result);
  void answer(Subscription& subscription, std::expected<Subscribed, HubError> result);
  void wait_for_page(LocalChannel& channel, Subscription& subscription);
  void request_page(LocalChannel& channel);
  void serve_page(LocalChannel& channel, Subscription& subscription,
                  const std::shared_ptr<const ReadPage>& page);
  void admit_other_life(LocalChannel& channel, Subscription& subscription, uint64_t top);
  void admit_ahead(LocalChannel& channel, Subscription& subscription, const ReadPage& page);
  void collect_page(LocalChannel& channel, Subscription& subscription, const ReadPage& page);
  void refuse_waiting(LocalChannel& channel, HubError error);
  std::optional<Pull> pull_catchup(LocalChannel& channel, Subscription& subscription);
  static std::optional<Pull> take_gap(Subscription& subscription);
  static bool holds_up(const LocalChannel& channel, const Subscription& subscription);
  void recount(LocalChannel& channel);
  void lose_patience(LocalChannel& channel);
  bool tell_backlog(InterestId interest, Time now);
  static Backlog backlog_of(const LocalChannel& channel);
  static bool too_far_behind(const LocalChannel& channel, const Subscription& subscription);
  static std::optional<Pull> skip(const LocalChannel& channel, Subscription& subscription);
  static std::optional<Pull> conflate(const LocalChannel& channel, Subscription& subscription);
  void reset_reader(Subscription& subscription, const Attached& now, GapReason reason);
  void mark_dirty(Subscription& subscription);
  void mark_all_dirty(const LocalChannel& channel);
  static uint64_t needed_from(const Subscription& subscription);

  Home& home_;
  // By the channel's own key: a second copy of each name would be paid for a million times.
  struct ByKey {
    using is_transparent = void;
    using Ptr = std::unique_ptr<LocalChannel>;
    size_t operator()(ChannelKeyView key) const { return ChannelKeyHash{}(key); }
    size_t operator()(const Ptr& channel) const { return ChannelKeyHash{}(channel->key()); }
    bool operator()(const Ptr& a, const Ptr& b) const { return a->key() == b->key(); }
    bool operator()(ChannelKeyView a, const Ptr& b) const { return a == b->key(); }
    bool operator()(const Ptr& a, ChannelKeyView b) const { return a->key() == b; }
  };
  std::unordered_set<std::unique_ptr<LocalChannel>, ByKey, ByKey> channels_;
  struct InterestSlot {
    LocalChannel* channel = nullptr;
    uint32_t sequence = 0;
  };
  std::vector<InterestSlot> interests_;
  std::vector<uint32_t> free_interests_;
  IntrusiveList<Subscription, WaitTag> ready_;
  IntrusiveList<LocalChannel, IdleTag> idle_;
  // Channels with a tail; what only a sweep looks at has lines of its own.
  RoundLine<LocalChannel, WarmTag> warm_;   // in the order in which they were fed
  RoundLine<LocalChannel, WarmTag> owed_;   // settled ones
  RoundLine<LocalChannel, WarmTag> empty_;  // those whose tail was taken by something else
  uint8_t round_ = 0;                       // of sweeps; no channel in a line is two behind
  Time swept_at_{};
  bool round_open_ = false;  // a sweep is under way
  InterestId giver_;         // the oldest in warm_, if it is known to have something to give
  std::vector<InterestId> backlogs_;  // channels in which somebody may be too far behind
  size_t next_backlog_ = 0;           // of them, to be looked at
  std::vector<InterestId> stalled_;   // channels whose last page read failed
  size_t subscriptions_ = 0;
  size_t idle_count_ = 0;  // in idle_
  size_t tail_bytes_ = 0;  // of channels that are not settled
  size_t owed_bytes_ = 0;  // of those that are
  const size_t max_tail_bytes_;
};

}  // namespace parley::hub
