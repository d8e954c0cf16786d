// The events of a run, sorted by whom they concern: what the rules read.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/history/event.h"

namespace parley::history {

using Id = uint32_t;  // of a name; 0 is ""
inline constexpr uint64_t kNoEnd = std::numeric_limits<uint64_t>::max();

// Strings as numbers.
class Names {
 public:
  Names() { of(""); }
  Id of(std::string_view name);
  const std::string& text(Id id) const { return *texts_[id]; }

 private:
  std::unordered_map<std::string, Id> ids_;
  std::vector<const std::string*> texts_;
};

// One event of a reader.
struct Step {
  Kind kind;
  bool recovered, positioned, again, has_asked, rolled_back;
  Id epoch, value, tag, reason;  // value: of join and leave the member
  int64_t at;
  size_t order;  // the number of the event
  uint64_t offset, from, to, asked, window;
};

struct Reader {
  Id client, channel;
  Id epoch = 0;  // while the events are added: what the next one inherits
  std::vector<Step> steps;
};

// One try to publish.
struct Attempt {
  enum class Outcome : uint8_t { kUnknown, kAcked, kRefused };
  Id publisher, key;
  size_t sent;
  Outcome outcome = Outcome::kUnknown;
  bool durable = false;
  size_t answered = 0;
  int64_t answered_at = 0;
  Id epoch = 0;
  uint64_t offset = 0;
};

struct Published {
  Id tag = 0;
  std::vector<Attempt> attempts;
};

// Where a publication stands: its epoch is the one it was written in.
struct Place {
  Id epoch;
  uint64_t offset;
  auto operator<=>(const Place&) const = default;
};

struct EpochStart {
  Id after;
  uint64_t kept;  // it holds what `after` holds, up to here
};

struct MemberChange {
  size_t order;
  Id member;
  bool here;
};

struct PresenceRead {
  size_t order;
  Id client;
  std::set<Id> members;
};

struct Channel {
  std::unordered_map<Id, Published> published;  // by value
  std::map<Id, EpochStart> epochs;              // those that were declared
  std::vector<size_t> restarts;                 // numbers of the events that allow a new epoch
  std::vector<std::pair<size_t, Id>> seen;      // epochs, by the event that first told of them
  std::set<Id> left;                            // epochs that a reader went on from to others
  std::map<Id, std::map<uint64_t, Id>> known;   // epoch -> offset -> value, as first told
  std::vector<size_t> sent;                     // numbers of the events
  std::vector<MemberChange> members;
  std::vector<PresenceRead> presence;
};

// What: the whole run. Filled event by event, then settled once, then read by the rules.
class Ledger {
 public:
  void add(const Event& event);
  // After the last event: where everything stands that somebody was told of.
  void settle();

  size_t events() const { return events_; }
  const std::vector<Reader>& readers() const { return readers_; }
  const std::unordered_map<Id, Channel>& channels() const { return channels_; }
  const Channel& channel(Id id) const { return channels_.at(id); }
  const std::string& text(Id id) const { return names_.text(id); }
  bool quiet() const { return quiet_; }
  bool healed() const { return healed_; }
  int64_t healed_at() const { return healed_at_; }

  // The place that an epoch has at an offset: it may stem from the epoch before.
  Place place(Id channel, Id epoch, uint64_t offset) const;
  // Whether all that a reader at `offset` of one epoch has is part of the other, too.
  bool same_until(Id channel, Id one, Id other, uint64_t offset) const;
  // Of what was published; nullptr: nobody did.
  const Published* published(Id channel, Id value) const;
  // The newest epoch that holds all of `epoch` up to `offset`.
  Id newest(Id channel, Id epoch, uint64_t offset) const;
  // Calls for each place above `low` up to `high` that anybody was told of.
  void each_known(Id channel, Id epoch, uint64_t low, uint64_t high,
                  const std::function<void(uint64_t offset, Id value)>& take) const;

 private:
  Reader& reader(Id client, Id channel);
  void add_attempt(const Event& event);
  void add_answer(const Event& event);
  void add_step(const Event& event, Reader& to);
  void add_to_readers(const Event& event);
  void add_presence(const Event& event);
  void add_epoch(const Event& event);
  void settle_channel(Id id, Channel& channel);
  void settle_seen();

  Names names_;
  std::vector<Reader> readers_;
  std::unordered_map<uint64_t, size_t> reader_of_;  // client and channel
  std::unordered_map<Id, std::vector<size_t>> readers_of_client_;
  std::unordered_map<Id, Channel> channels_;
  std::vector<size_t> restarts_of_all_;
  size_t events_ = 0;
  bool quiet_ = false;
  bool healed_ = false;
  int64_t healed_at_ = 0;
};

}  // namespace parley::history
