// The home side of a shard: for the channels whose home it is, the node's only follower. It merges
// feed and history once per channel and hands every publication over once per interested shard.
#pragma once

#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/bucket_table.h"
#include "base/intrusive_list.h"
#include "hub/broker.h"
#include "hub/post.h"
#include "hub/presence_book.h"
#include "hub/publish_gate.h"
#include "hub/tail.h"

namespace parley::hub {

// What: follows channels at the broker and feeds interested shards. An interested shard is a reader
// with a position: when its ring is full it falls behind and is fed on from the tail; fallen out of
// it, it sees a hole and reads history itself. Owner: Hub. Shard: home. Failure: answers requests
// with HubError; a broken feed is mended by comparing tops.
class HomeChannels final : public BrokerEvents, private PublishGate::Outcome {
 public:
  // How answers and feeds leave. Implemented by the hub.
  class Outlet {
   public:
    virtual ~Outlet() = default;
    virtual void reply(ShardId to, uint64_t waiter, std::expected<ReplyBody, HubError> body) = 0;
    // The reply to a publish that was done.
    virtual void published(ShardId to, uint64_t waiter, const Published& published) {
      reply(to, waiter, published);
    }
    virtual bool try_feed(ShardId to, HubMessage& message) = 0;
  };

  HomeChannels(Broker& broker, Outlet& outlet, const ChannelRules& rules, IdSource& ids,
               size_t max_presence, ShardId shard = 0, const PublishGate::Limits& gate = {})
      : broker_(broker),
        outlet_(outlet),
        rules_(rules),
        presence_(ids, max_presence),
        gate_(*this, shard, gate) {}

  void request(ShardId from, Request&& request, const Now& now);
  // A request to publish, without its box: of `who` on shard `from`.
  void publish(ShardId from, RequesterId who, uint64_t waiter, PublishRecord&& record,
               const Now& now);
  void drop_interest(ShardId from, const ChannelKey& key, InterestId interest);

  // What an interested shard says of its subscribers.
  void on_backlog(ShardId from, const BacklogNote& note, const Now& now);
  // See PublishGate::withdraw().
  void withdraw(ShardId from, const WithdrawnWaiters& waiters) { gate_.withdraw(from, waiters); }
  // Publishes that waited for slow readers go on. Before the broker's turn, which they need.
  void run_gate(const Now& now) { gate_.turn(now); }
  // What was published can be read from here on: the flush is next.
  void end_turn() { gate_.end_turn(); }
  bool publishes_wait() const { return gate_.waiting(); }
  // How many completions the broker has handed out.
  uint64_t completions() const { return completions_; }
  // Feeds shards that fell behind. Returns whether some still are.
  bool feed_behind();
  bool is_any_behind() const { return !behind_.empty(); }
  // How many channels one turn announces, and attaches again: a third of what a ring holds, so that
  // there is room for what is published meanwhile.
  static constexpr size_t kRoundPortion = 256;
  // Every 10 s: interested shards are to be told the tops of channels that have changed; some in
  // each turn. Returns whether more are left.
  void begin_tops();
  bool announce_tops();
  // About once a second: attaches again where the broker had failed, in the same way.
  void begin_retries();
  bool retry_lost();
  size_t size() const { return channels_.size(); }

  void on_attached(const ChannelKey& key, FeedId feed,
                   std::expected<Attached, BrokerError> result) override;
  void on_published(BrokerToken token, std::expected<Published, BrokerError> result) override;
  void on_read(BrokerToken token, std::expected<ReadPage, BrokerError> page) override;
  void on_history_removed(BrokerToken token, std::expected<void, BrokerError> result) override;
  void on_publication(const ChannelKey& key, FeedId feed, PublicationPtr publication) override;
  void on_reset(const ChannelKey& key, const Attached& now, GapReason reason) override;
  void on_feed_broken(const std::vector<Slot>& slots) override;

 private:
  // Channels with a rate whose last publishes are remembered.
  static constexpr size_t kMeteredChannels = 1 << 14;
  struct Interest {
    uint64_t next = 0;  // everything up to here has been handed over
    InterestId id;
    ShardId shard = kNoShard;
    bool behind = false;
    bool removal_owed = false;            // that history was removed, to be told behind the feed
    std::optional<GapReason> reset_owed;  // a reset to be told before anything else
  };
  struct PendingFollow {
    ShardId shard = kNoShard;
    uint64_t waiter = 0;
    InterestId interest;
  };
  // detached: not in the table. kAttaching: no feed yet. kCatchingUp: the feed broke; it goes live
  // when the broker's top is reached. kLost: catching up failed; tried again soon.
  enum class Follow : uint8_t { kAttaching, kLive, kCatchingUp, kLost };
  // Only while a channel is not live.
  struct Settling {
    BrokerToken reading = 0;  // the page of history that is on its way while catching up
    std::vector<PendingFollow> followers;  // wait for it to go live
  };
  struct BehindTag;   // some interested shard is behind; only then the tail holds anything
  struct ChangedTag;  // has not been announced since it changed
  struct LostTag;     // kLost, or was
  struct HomeChannel : ListNode<BehindTag>, ListNode<ChangedTag>, ListNode<LostTag> {
    bool behind() const { return static_cast<const ListNode<BehindTag>&>(*this).linked(); }
    ChannelKey key;
    std::shared_ptr<const ChannelOptions> options;
    Follow follow = Follow::kAttaching;
    uint32_t place = 0;    // in places_
    uint32_t attempt = 0;  // to attach, of all channels: what older ones bring is stale
    Attached at;
    Tail tail;
    std::vector<Interest> interests;
    std::unique_ptr<Settling> settling;
  };
  static constexpr size_t kTailBytes = 256 * 1024;
  // By the channel's own key: a second copy of each name would be paid for a million times.
  struct ByKey {
    using is_transparent = void;
    using Ptr = std::unique_ptr<HomeChannel>;
    size_t operator()(ChannelKeyView key) const { return ChannelKeyHash{}(key); }
    size_t operator()(const Ptr& channel) const { return ChannelKeyHash{}(channel->key); }
    bool operator()(const Ptr& a, const Ptr& b) const { return a->key == b->key; }
    bool operator()(ChannelKeyView a, const Ptr& b) const { return a == b->key; }
    bool operator()(const Ptr& a, ChannelKeyView b) const { return a->key == b; }
  };
  using Channels = std::unordered_set<std::unique_ptr<HomeChannel>, ByKey, ByKey>;

  // What a broker completion belongs to.
  struct Pending {
    ShardId from = kNoShard;
    uint64_t waiter = 0;
    std::unique_ptr<ChannelKey> channel;  // a removal; or a read of our own, after a broken feed
    bool open = true;
    uint32_t generation = 1;  // of its place: the upper half of its token
  };

  void handle(ShardId from, uint64_t waiter, FollowRequest& request, const Now& now);
  void handle(ShardId from, uint64_t waiter, PublishRecord& record, const Now& now);
  void handle(ShardId from, uint64_t waiter, ReadRequest& request, const Now& now);
  void handle(ShardId from, uint64_t waiter, RemoveHistoryRequest& request, const Now& now);
  void handle(ShardId from, uint64_t waiter, PresenceChange& change, const Now& now);
  void handle(ShardId from, uint64_t waiter, PresenceRequest& request, const Now& now);
  void handle(ShardId from, uint64_t waiter, ChannelsRequest& request, const Now& now);
  void handle(ShardId from, uint64_t waiter, ControlRequest& request, const Now& now);
  void handle(ShardId from, uint64_t waiter, StatusRequest& request, const Now& now);
  void handle(ShardId from, uint64_t waiter, UserNote& note, const Now& now);
  void handle(ShardId from, uint64_t waiter, WithdrawRequest& request, const Now& now);

  void admit(PublishGate::Publish publish, const Now& now) override;
  void refuse(const PublishGate::Asked& asked, HubError why) override;
  void sequence(ShardId from, uint64_t waiter, PublishRecord& record, const Now& now);
  HomeChannel* find(const ChannelKey& key);
  HomeChannel* find(FeedId feed);
  void give_place(HomeChannel& channel);
  void take(HomeChannel& channel, PublicationPtr publication);
  static FeedId feed_of(const HomeChannel& channel) {
    return FeedId{channel.attempt} << 32 | channel.place;
  }
  void attach(HomeChannel& channel);
  void go_live(HomeChannel& channel);
  void accept_follower(HomeChannel& channel, const PendingFollow& follower);
  void close_if_unwanted(HomeChannel& channel);
  void deliver(HomeChannel& channel, PublicationPtr publication);
  bool feed(HomeChannel& channel, Interest& interest);
  bool feed_reset(HomeChannel& channel, Interest& interest);
  void tell_removal(HomeChannel& channel);
  static bool blocks(const HomeChannel& channel);
  void tell_gate(const HomeChannel& channel, ShardId shard);
  void note_behind(HomeChannel& channel, Interest& interest);
  void note_caught_up(HomeChannel& channel);
  void forget_behind(ShardId shard);
  void note_changed(HomeChannel& channel);
  void announce_top(HomeChannel& channel);
  void reset(HomeChannel& channel, const Attached& now, GapReason reason);
  void compare_tops(HomeChannel& channel, const Epoch& before);
  void read_missing(HomeChannel& channel);
  void caught_up_page(HomeChannel& channel, std::expected<ReadPage, BrokerError> page);
  void lose(HomeChannel& channel, HubError error);
  static HubError to_hub_error(BrokerError error);
  BrokerToken add_pending(Pending pending);
  Pending take_pending(BrokerToken token);

  Broker& broker_;
  Outlet& outlet_;
  const ChannelRules& rules_;
  PresenceBook presence_;
  BucketTable publishes_{kMeteredChannels};  // by the name's hash
  PublishGate gate_;
  Channels channels_;
  // So that what a feed brings needs no look at a name. Null: free.
  std::vector<HomeChannel*> places_;
  std::vector<uint32_t> free_places_;
  IntrusiveList<HomeChannel, BehindTag> behind_;
  std::vector<size_t> behind_of_;  // interests that are behind, by shard
  size_t shards_behind_ = 0;       // that have any
  IntrusiveList<HomeChannel, ChangedTag> changed_;
  IntrusiveList<HomeChannel, ChangedTag> announced_;  // ... of a round that is under way
  IntrusiveList<HomeChannel, LostTag> lost_;
  IntrusiveList<HomeChannel, LostTag> retried_;  // likewise
  std::vector<Pending> pending_;                 // by the lower half of the token
  std::vector<uint32_t> free_pending_;
  uint64_t completions_ = 0;
  uint32_t next_attempt_ =
      1;  // over all channels: a channel that comes back must not know old ones
};

}  // namespace parley::hub
