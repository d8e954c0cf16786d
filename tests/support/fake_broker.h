// A model of a broker that can be told to fail: errors, broken feeds, holes, resets and rollbacks.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <tuple>

#include "hub/broker.h"

namespace parley::testing {

// What: sequences and retains like a real broker, and keeps everything ever published for the test
// to compare with. As a remote broker its feed and its answers travel apart, so that either may
// overtake the other. Owner: the test.
class FakeBroker final : public hub::Broker {
 public:
  struct Options {
    bool remote = false;  // feed and completions travel apart
    bool sparse = false;  // offsets skip numbers
    uint64_t seed = 1;
  };
  struct Stream {
    hub::Epoch epoch;
    uint64_t base = 0;
    uint64_t top = 0;
    std::vector<uint64_t> generation_ends;
    std::deque<hub::PublicationPtr> kept;
    std::vector<uint64_t> offsets;  // of all publications of this life
    bool attached = false;          // by the hub
    bool feeding = false;           // false after the feed broke, until attached again
    uint32_t feed = 0;              // events of an older feed are not delivered
    hub::FeedId attached_as = 0;
    uint32_t resets = 0;
  };

  FakeBroker() : FakeBroker(Options{}) {}
  explicit FakeBroker(Options options) : options_(options), random_(options.seed) {}

  // The next requests of that kind fail, one for each entry.
  std::deque<hub::BrokerError> fail_attach, fail_publish, fail_read;
  // Completions and feed wait while held.
  bool hold = false;

  Stream& stream(const std::string& name);
  size_t attachments() const;
  size_t reads() const { return reads_; }
  size_t attaches() const { return attaches_; }
  // What was published at that position, ever.
  const std::string* published(const std::string& name, const hub::Epoch& epoch,
                               uint64_t offset) const;

  // Of everything that was ever published.
  std::vector<std::string> all_data() const;

  void break_feed(const std::string& name);
  // The next publications reach history but not the feed.
  void lose_feed(size_t count) { lose_ = count; }
  void new_epoch(const std::string& name);
  void roll_back(const std::string& name, uint64_t top);
  // The sequencer restarts while the feed is broken: nobody is told.
  void roll_back_silently(const std::string& name, uint64_t top);
  hub::Published append(const std::string& name, const hub::ChannelOptions& options,
                        std::shared_ptr<hub::Publication> publication);

  hub::BrokerCapabilities capabilities() const override {
    return {.contiguous_offsets = !options_.sparse, .history = true, .atomic_idempotency = true};
  }
  void attach(const hub::ChannelKey& channel, std::shared_ptr<const hub::ChannelOptions> options,
              hub::FeedId feed_id) override;
  void detach(const hub::ChannelKey& channel) override;
  void publish(hub::BrokerToken token, hub::PublishRecord&& record) override;
  void read(hub::BrokerToken token, const hub::ChannelKey& channel,
            const hub::ReadQuery& query) override;
  void remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) override;
  bool run(const Now& now, hub::BrokerEvents& events, size_t max_events) override;

 private:
  using Event = std::function<void(hub::BrokerEvents&)>;
  using Position = std::tuple<std::string, hub::Epoch, uint64_t>;
  hub::Attached state(const Stream& stream) const {
    return {stream.epoch, stream.base, stream.top, stream.generation_ends};
  }
  void feed(Event event) { (options_.remote ? feed_ : done_).push_back(std::move(event)); }
  void feed_reset(const std::string& name, hub::GapReason reason);
  hub::ReadPage page(const Stream& stream, const hub::ReadQuery& query) const;
  static std::optional<hub::BrokerError> take(std::deque<hub::BrokerError>& errors);

  Options options_;
  std::mt19937_64 random_;
  std::map<std::string, Stream> streams_;
  std::map<Position, std::string> log_;
  std::map<std::tuple<std::string, std::string, std::string>, hub::Published> keys_;
  std::deque<Event> feed_, done_;
  uint32_t epochs_ = 0;
  size_t lose_ = 0;
  size_t reads_ = 0;
  size_t attaches_ = 0;
};

}  // namespace parley::testing
