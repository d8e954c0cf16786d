// One channel's stream: its epoch, its top offset and what it still retains.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/intrusive_list.h"
#include "base/time.h"
#include "broker/memory/attachment_table.h"
#include "hub/broker.h"

namespace parley::broker::memory {

struct ByUse;      // unattached streams, least recently used first
struct ByHistory;  // streams that retain publications, least recently used first
struct BySweep;    // all streams, the next one to be swept first

// What: offsets and history of one channel. What is retained never has a hole: it is always the
// run of publications (base, top]. Owner: StreamTable, which also keeps the accounts; use its
// methods to change a stream. Shard: home. Failure: none.
class Stream : public ListNode<ByUse>, public ListNode<ByHistory>, public ListNode<BySweep> {
 public:
  Stream(hub::Epoch epoch, Time now) : epoch_(epoch), used_(now) {}

  std::string_view name() const { return *name_; }
  const hub::Epoch& epoch() const { return epoch_; }
  uint64_t top() const { return top_; }
  uint64_t base() const { return retains() ? history_->oldest().publication->prev : top_; }
  bool retains() const { return history_ != nullptr; }
  size_t retained() const { return retains() ? history_->size() : 0; }
  // What the stream counts against the memory budget.
  size_t bytes() const;

  AttachmentId attachment() const { return attachment_; }
  void set_attachment(AttachmentId id) { attachment_ = id; }
  // Borrowed from the table's key, which lives as long as the stream.
  void set_name(const std::string& name) { name_ = &name; }
  void set_options(const std::shared_ptr<const hub::ChannelOptions>& options) {
    if (options_ != options) options_ = options;
  }
  void use(Time now) { used_ = now; }

  // Gives the publication the next offset. Without `retain` everything up to it leaves the history,
  // because a hole in it could not be seen.
  hub::PublicationPtr append(std::shared_ptr<hub::Publication> publication, bool retain, Time now);
  // Whether a publication of this version may be applied; if so it is the last one seen.
  bool take_version(uint64_t version, std::string_view epoch);
  void drop_oldest();
  void drop_all();
  void drop_expired(Time now);
  bool has_expired(Time now) const;
  // Nobody is attached, nothing is retained, and nobody asked for it during the meta ttl.
  bool forgettable(Time now) const;

  void read(const hub::ReadQuery& query, std::vector<hub::PublicationPtr>& out) const;

 private:
  struct Retained {
    hub::PublicationPtr publication;
    Time since;
  };
  // A queue: items before `head` are gone. Not a std::deque, which costs 576 bytes when empty.
  struct History {
    std::vector<Retained> items;
    size_t head = 0;
    size_t bytes = 0;
    size_t size() const { return items.size() - head; }
    Retained& oldest() { return items[head]; }
  };
  struct Version {
    uint64_t last = 0;
    std::string epoch;
  };
  void read_forward(const hub::ReadQuery& query, std::vector<hub::PublicationPtr>& out) const;
  void read_reverse(const hub::ReadQuery& query, std::vector<hub::PublicationPtr>& out) const;

  const std::string* name_ = nullptr;
  hub::Epoch epoch_;
  std::shared_ptr<const hub::ChannelOptions> options_;  // the latest ones seen
  Time used_;
  AttachmentId attachment_;
  uint64_t top_ = 0;
  std::unique_ptr<History> history_;  // null: nothing is retained
  std::unique_ptr<Version> version_;  // few streams have any
};

}  // namespace parley::broker::memory
