// A broker on another machine, as a contract only: its answers and its feed travel, get lost, and
// come twice.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "hub/broker.h"
#include "tests/sim/simulation.h"
#include "tests/sim/stored_stream.h"

namespace parley::sim {

class RemoteBroker;

// What: the machine itself, which no fault of ours reaches, but it may lose a channel's history.
// Owner: the world; outlives its brokers.
class RemoteServer {
 public:
  explicit RemoteServer(Simulation& sim) : sim_(sim) {}
  // Offsets skip numbers, as sequences over several channels do.
  void set_sparse(bool sparse) { sparse_ = sparse; }
  bool sparse() const { return sparse_; }

  StoredStream& stream(const std::string& channel);
  std::expected<hub::Published, hub::BrokerError> publish(hub::PublishRecord& record);
  // The history is gone: offsets begin anew under another epoch. Keys are kept elsewhere.
  void lose(const std::string& channel);

  void add(RemoteBroker& broker) { brokers_.insert(&broker); }
  void remove(RemoteBroker& broker) { brokers_.erase(&broker); }

 private:
  struct ByShard {
    bool operator()(const RemoteBroker* a, const RemoteBroker* b) const;
  };
  Simulation& sim_;
  bool sparse_ = false;
  std::map<std::string, StoredStream> streams_;
  KnownKeys keys_;
  std::set<RemoteBroker*, ByShard> brokers_;
  uint32_t epochs_ = 0;
};

struct RemoteFaults {
  uint64_t lost_feed = 0;     // of 1,000 publications, so many never come by feed
  uint64_t doubled_feed = 0;  // ... and so many twice
  Duration delay = milliseconds(20);
};

// What: one shard's connection to the server. While it is down everything fails; what was asked
// when it broke is unknown, or asked again under the same key. Owner: RecordingBroker of the shard.
class RemoteBroker final : public hub::Broker {
 public:
  RemoteBroker(Simulation& sim, RemoteServer& server, ShardId shard, const RemoteFaults& faults,
               std::function<void()> news);
  ~RemoteBroker() override;
  ShardId shard() const { return shard_; }

  void break_line(Duration down);
  void calm() { faults_ = {.delay = std::min<Duration>(faults_.delay, milliseconds(2))}; }
  // From the server.
  void feed(const std::string& channel, const hub::PublicationPtr& publication);
  void feed_reset(const std::string& channel, const hub::Attached& now, hub::GapReason reason);

  hub::BrokerCapabilities capabilities() const override;
  void attach(const hub::ChannelKey& channel, std::shared_ptr<const hub::ChannelOptions> options,
              hub::FeedId feed) override;
  void detach(const hub::ChannelKey& channel) override;
  void publish(hub::BrokerToken token, hub::PublishRecord&& record) override;
  void read(hub::BrokerToken token, const hub::ChannelKey& channel,
            const hub::ReadQuery& query) override;
  void remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) override;
  bool run(const Now& now, hub::BrokerEvents& events, size_t max_events) override;

 private:
  using Event = std::function<void(hub::BrokerEvents&)>;
  struct Request {
    std::function<Event()> apply;  // at the server; gives the answer
    Event failed;
    bool again = false;  // may be asked again: it has a key
  };
  void ask(Request request);
  void send(uint64_t id);
  void complete(uint64_t id, Event answer);
  void line_is_back();
  void tell_broken();
  // To be told in a turn, behind what was to be told of its kind.
  void tell(std::deque<Event>& queue, Event event);
  void carry(Time& last, std::function<void()> arrive, bool up);
  static hub::PublishRecord copy(const hub::PublishRecord& record);

  Simulation& sim_;
  RemoteServer& server_;
  const ShardId shard_;
  RemoteFaults faults_;
  std::function<void()> news_;
  std::map<uint64_t, Request> asked_;
  uint64_t last_request_ = 0;
  std::map<std::string, hub::FeedId> attached_;  // with the feed's number: older ones are not told
  std::map<std::string, hub::FeedId> fed_;       // ... as the server has it
  std::deque<Event> feed_, answers_;
  Time last_up_{}, last_down_{}, last_fed_{};
  uint32_t line_ = 1;                 // counts connections
  std::map<uint32_t, Time> reached_;  // until when what left on a broken one still arrived
  bool up_ = true;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::sim
