#include "broker/memory/stream_table.h"

#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"

namespace parley::broker::memory {
namespace {

constexpr seconds kSweepCycle{60};
constexpr size_t kMaxSwept = 256;  // per call

metrics::Gauge streams_gauge("parley_broker_memory_streams", "Streams held by the memory broker");
metrics::Gauge publications_gauge("parley_broker_memory_publications",
                                  "Publications retained by the memory broker");
metrics::Gauge bytes_gauge("parley_broker_memory_bytes",
                           "Bytes that streams and publications count against the budget");
metrics::Counter evicted_publications("parley_broker_memory_evictions_total",
                                      "What the memory budget cost", {{"what", "publication"}});
metrics::Counter evicted_streams("parley_broker_memory_evictions_total",
                                 "What the memory budget cost", {{"what", "stream"}});

}  // namespace

StreamTable::StreamTable(IdSource& ids, size_t max_bytes, Time now)
    : epochs_(ids), max_bytes_(max_bytes), swept_at_(now) {}

StreamTable::~StreamTable() {
  account(-static_cast<ptrdiff_t>(size()), -static_cast<ptrdiff_t>(publications_),
          -static_cast<ptrdiff_t>(bytes_));
}

Stream* StreamTable::look_up(std::string_view name) {
  if (recent_ != nullptr && recent_->name() == name) return recent_;
  const auto found = streams_.find(name);
  if (found == streams_.end()) return nullptr;
  recent_ = &found->second;
  return recent_;
}

Stream* StreamTable::find(std::string_view name, Time now) {
  Stream* found = look_up(name);
  if (found == nullptr) return nullptr;
  Stream& stream = *found;
  if (stream.has_expired(now)) change(stream, [&] { stream.drop_expired(now); });
  if (forget_if_idle(stream, now)) return nullptr;
  stream.use(now);
  mark_used(stream);
  return &stream;
}

hub::Epoch StreamTable::epoch_without_stream(std::string_view name) {
  return epochs_.current(hub::slot_of(name));
}

Stream& StreamTable::find_or_create(std::string_view name,
                                    const std::shared_ptr<const hub::ChannelOptions>& options,
                                    Time now) {
  if (Stream* stream = find(name, now)) {
    stream->set_options(options);
    return *stream;
  }
  const auto created =
      streams_.try_emplace(std::string(name), epoch_without_stream(name), now).first;
  Stream& stream = created->second;
  stream.set_name(created->first);
  stream.set_options(options);
  sweep_.push_back(stream);
  account(1, 0, static_cast<ptrdiff_t>(stream.bytes()));
  mark_used(stream);
  return stream;
}

hub::PublicationPtr StreamTable::append(Stream& stream,
                                        std::shared_ptr<hub::Publication> publication, bool retain,
                                        Time now) {
  // Nothing to book: it only passes.
  if (!retain && !stream.retains()) return stream.append(std::move(publication), false, now);
  hub::PublicationPtr shared;
  change(stream, [&] { shared = stream.append(std::move(publication), retain, now); });
  mark_used(stream);
  return shared;
}

bool StreamTable::take_version(Stream& stream, uint64_t version, std::string_view epoch) {
  bool newer = false;
  change(stream, [&] { newer = stream.take_version(version, epoch); });
  return newer;
}

void StreamTable::drop_history(Stream& stream) {
  change(stream, [&] { stream.drop_all(); });
}

void StreamTable::attach(Stream& stream, AttachmentId id) {
  stream.set_attachment(id);
  mark_used(stream);
}

void StreamTable::detach(Stream& stream) {
  stream.set_attachment({});
  if (stream.top() == 0) return forget(stream);
  mark_used(stream);
}

void StreamTable::enforce_budget() {
  while (bytes_ > max_bytes_ && !unattached_history_.empty())
    evict_oldest_publication(unattached_history_.front());
  while (bytes_ > max_bytes_ && !unattached_.empty()) {
    evicted_streams.add();
    forget(unattached_.front());
  }
  while (bytes_ > max_bytes_ && !attached_history_.empty())
    evict_oldest_publication(attached_history_.front());
}

void StreamTable::sweep(Time now) {
  const double cycles = std::chrono::duration<double>(now - swept_at_) / kSweepCycle;
  swept_at_ = now;
  const double all = static_cast<double>(size());
  sweep_due_ = std::min(sweep_due_ + cycles * all, all);
  const size_t count = std::min(static_cast<size_t>(sweep_due_), kMaxSwept);
  sweep_due_ -= static_cast<double>(count);
  for (size_t i = 0; i < count; ++i) {
    Stream& stream = sweep_.pop_front();
    sweep_.push_back(stream);
    change(stream, [&] { stream.drop_expired(now); });
    forget_if_idle(stream, now);
  }
}

// Applies a change of a stream's history and books what it took or freed.
template <class Change>
void StreamTable::change(Stream& stream, Change apply) {
  const auto publications = static_cast<ptrdiff_t>(stream.retained());
  const auto bytes = static_cast<ptrdiff_t>(stream.bytes());
  apply();
  account(0, static_cast<ptrdiff_t>(stream.retained()) - publications,
          static_cast<ptrdiff_t>(stream.bytes()) - bytes);
  unlink_if_bare(stream);
}

void StreamTable::account(ptrdiff_t streams, ptrdiff_t publications, ptrdiff_t bytes) {
  bytes_ += static_cast<size_t>(bytes);
  publications_ += static_cast<size_t>(publications);
  if (streams != 0) streams_gauge.add(streams);
  if (publications != 0) publications_gauge.add(publications);
  if (bytes != 0) bytes_gauge.add(bytes);
}

void StreamTable::mark_used(Stream& stream) {
  const bool attached = stream.attachment().exists();
  stream.ListNode<ByUse>::unlink();
  stream.ListNode<ByHistory>::unlink();
  if (!attached) unattached_.push_back(stream);
  if (stream.retains()) (attached ? attached_history_ : unattached_history_).push_back(stream);
}

void StreamTable::unlink_if_bare(Stream& stream) {
  if (!stream.retains()) stream.ListNode<ByHistory>::unlink();
}

void StreamTable::evict_oldest_publication(Stream& stream) {
  evicted_publications.add();
  change(stream, [&] { stream.drop_oldest(); });
}

bool StreamTable::forget_if_idle(Stream& stream, Time now) {
  if (!stream.forgettable(now)) return false;
  forget(stream);
  return true;
}

void StreamTable::forget(Stream& stream) {
  if (stream.top() > 0) epochs_.advance(hub::slot_of(stream.name()));
  account(-1, -static_cast<ptrdiff_t>(stream.retained()), -static_cast<ptrdiff_t>(stream.bytes()));
  if (recent_ == &stream) recent_ = nullptr;
  streams_.erase(streams_.find(stream.name()));
}

}  // namespace parley::broker::memory
