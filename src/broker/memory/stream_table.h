// All streams of one memory broker, and the memory they may take.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "base/random.h"
#include "broker/memory/slot_epochs.h"
#include "broker/memory/stream.h"

namespace parley::broker::memory {

// What: owns the streams, gives them their epochs, expires them and keeps them within a budget of
// bytes. Over budget there go, least recently used first: publications of unattached streams, then
// those streams themselves, and last the publications of attached streams. Attached streams are
// never forgotten, so they alone may exceed the budget. Owner: MemoryBroker. Shard: home.
// Failure: none; what goes is visible as a raised base or another epoch. Source: core rules,
// section 7.
class StreamTable {
 public:
  // `ids` must outlive the table.
  StreamTable(IdSource& ids, size_t max_bytes, Time now);
  ~StreamTable();
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  // nullptr when the channel has no stored stream. What has expired by `now` is dropped before.
  Stream* find(std::string_view name, Time now);
  // The epoch of a channel for which find() gave nullptr.
  hub::Epoch epoch_without_stream(std::string_view name);
  Stream& find_or_create(std::string_view name,
                         const std::shared_ptr<const hub::ChannelOptions>& options, Time now);

  hub::PublicationPtr append(Stream& stream, std::shared_ptr<hub::Publication> publication,
                             bool retain, Time now);
  bool take_version(Stream& stream, uint64_t version, std::string_view epoch);
  void drop_history(Stream& stream);
  void attach(Stream& stream, AttachmentId id);
  // A stream without any publication disappears: it was stored only to pin its epoch.
  void detach(Stream& stream);

  // May forget any unattached stream: hold no reference to one across this call.
  void enforce_budget();
  // Visits every stream about once a minute, a bounded number of them per call.
  void sweep(Time now);

  size_t size() const { return streams_.size(); }
  size_t bytes() const { return bytes_; }
  size_t publications() const { return publications_; }

 private:
  Stream* look_up(std::string_view name);
  template <class Change>
  void change(Stream& stream, Change apply);
  void account(ptrdiff_t streams, ptrdiff_t publications, ptrdiff_t bytes);
  void mark_used(Stream& stream);
  void unlink_if_bare(Stream& stream);
  void evict_oldest_publication(Stream& stream);
  bool forget_if_idle(Stream& stream, Time now);
  void forget(Stream& stream);

  SlotEpochs epochs_;
  const size_t max_bytes_;
  size_t bytes_ = 0;
  size_t publications_ = 0;
  Time swept_at_;
  double sweep_due_ = 0;  // how many streams the sweep is behind
  std::unordered_map<std::string, Stream, SeededHash, std::equal_to<>> streams_;
  // The one found last: what comes in one turn is often for one channel. Null: none, or it went.
  Stream* recent_ = nullptr;
  IntrusiveList<Stream, ByUse> unattached_;
  IntrusiveList<Stream, ByHistory> unattached_history_;
  IntrusiveList<Stream, ByHistory> attached_history_;
  IntrusiveList<Stream, BySweep> sweep_;
};

}  // namespace parley::broker::memory
