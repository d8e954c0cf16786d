// The truth of one simulated world: what was published, and where brokers put it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hub/broker.h"
#include "tests/sim/simulation.h"

namespace parley::sim {

// A publication that a broker sequenced. Its data are unique in the world.
struct Entry {
  std::string data;
  hub::Epoch epoch;
  uint64_t offset = 0;
  uint64_t prev = 0;
  std::string tag;
};

// How a publish ended, as its publisher knows.
enum class Outcome : uint8_t { kAccepted, kRefused, kUnknown };

// What: writes down each publish and each position, and fails the simulation where the two cannot
// be true together. Owner: the world.
class Ledger {
 public:
  explicit Ledger(Simulation& sim) : sim_(sim) {}

  // A new publication's data: JSON of about that size, never made before.
  std::string compose(const std::string& channel, size_t size);
  // A repeated publish with the same key has the same data.
  void set_key(const std::string& data, const std::string& key) { publishes_[data].key = key; }
  // It is sent, maybe once more; then it ends in one of these ways, or in none. `position`: if the
  // publisher is told.
  void sent(const std::string& data, const std::string& publisher, const std::string& tag = "");
  void ended(const std::string& data, const std::string& publisher, Outcome outcome,
             const hub::StreamPosition& position = {});
  void delivered(const std::string& data);

  // From brokers: the channel lives in this epoch now.
  void lives_in(const std::string& channel, const hub::Epoch& epoch);
  // This stands there. Told again and again, always the same.
  void sequenced(const std::string& channel, const hub::Publication& publication);
  // The channel's generation before `now` ended at `end`. `lost`: it had gone further.
  void rolled_back(const std::string& channel, const hub::Epoch& now, uint64_t end, bool lost);
  // What a publish with a key was answered: the same for each repetition, while `sure`.
  void answered(const std::string& channel, const std::string& key,
                const hub::StreamPosition& position, bool sure);

  // The publication with these data in that life of the channel, at that offset if it is known;
  // null: there is none.
  const Entry* find(const std::string& channel, const std::string& data, const hub::Epoch& epoch,
                    std::optional<uint64_t> offset) const;
  // Where it was sequenced last, in whatever life; null: nowhere.
  const Entry* latest(const std::string& data) const;
  bool is_newest(const std::string& channel, const hub::Epoch& epoch) const {
    const auto found = newest_.find(channel);
    return found != newest_.end() && found->second == name(channel, epoch);
  }
  // Whether no rollback took it away.
  bool stands(const std::string& channel, const Entry& entry) const;
  // The publication before it that the same life has.
  const Entry* before(const std::string& channel, const Entry& entry) const;
  // One of those at `from` to `to` that none behind them replaces, by its tag or by being later at
  // all; null: there is none.
  const Entry* not_replaced(const std::string& channel, const hub::Epoch& epoch, uint64_t from,
                            uint64_t to, bool by_tag) const;
  // Whether what stood at the position when its generation was the newest still stands in `later`.
  bool survives(const std::string& channel, const hub::StreamPosition& position,
                const hub::Epoch& later) const;
  // Whether what stands there is above its channel's level of safety yet, if anybody minds.
  using Watermark = std::function<bool(const std::string& channel, uint64_t offset)>;
  void set_watermark(Watermark watermark) { watermark_ = std::move(watermark); }
  bool may_be_seen(const std::string& channel, uint64_t offset) const {
    return !watermark_ || watermark_(channel, offset);
  }

  uint64_t published() const { return published_; }

 private:
  struct Publish {
    std::string channel, key;
    uint32_t tries = 0, refusals = 0;
    bool delivered = false;
    const Entry* latest = nullptr;
    // Every try of it was.
    bool refused() const { return refusals > 0 && refusals == tries; }
  };
  struct Life {
    std::multimap<uint64_t, Entry> entries;  // by offset; one for each generation at most
    std::map<uint32_t, uint64_t> ends;       // of generations
  };
  using LifeName = std::tuple<std::string, uint64_t, uint32_t>;
  static LifeName name(const std::string& channel, const hub::Epoch& epoch) {
    return {channel, epoch.boot, epoch.counter};
  }
  const Life* life(const std::string& channel, const hub::Epoch& epoch) const;

  Simulation& sim_;
  std::unordered_map<std::string, Publish> publishes_;  // by data
  std::map<LifeName, Life> lives_;
  std::set<LifeName> known_lives_;
  std::map<std::string, LifeName> newest_;  // by channel
  std::map<std::pair<std::string, std::string>, hub::StreamPosition> keys_;
  Watermark watermark_;
  uint64_t composed_ = 0;
  uint64_t published_ = 0;
};

}  // namespace parley::sim
