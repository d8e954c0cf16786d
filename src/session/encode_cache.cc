#include "session/encode_cache.h"

#include <algorithm>

#include "base/metrics.h"

namespace parley::session {
namespace {
metrics::Counter encoded("parley_encodings_total",
                         "Publications encoded for all readers of one encoding on a shard");
metrics::Counter encoded_alone("parley_encodings_single_total",
                               "Publications encoded for one lagging reader");
}  // namespace

// What a channel keeps of its encodings while they are in use. Usually one.
struct EncodeCache::ChannelRuns final : hub::ChannelAddon, ListNode<ChannelRuns> {
  explicit ChannelRuns(EncodeCache& c) : cache(&c) { c.channels_.push_back(*this); }
  ~ChannelRuns() override {
    if (cache == nullptr) return;
    std::erase(cache->used_, this);
    for (auto& run : runs) cache->release(std::move(run));
  }
  EncodeCache* cache;  // null when it has gone before the channel
  std::vector<std::unique_ptr<Run>> runs;
};

EncodeCache::EncodeCache() = default;

EncodeCache::~EncodeCache() {
  while (!channels_.empty()) channels_.pop_front().cache = nullptr;
}

size_t EncodeCache::Run::begin_of(uint64_t position) const {
  if (frames.empty() || position < frames.front().offset) return 0;
  const auto it = position >= last ? frames.end()
                                   : std::ranges::upper_bound(frames, position, {}, &Frame::offset);
  return std::prev(it)->end;
}

EncodeCache::Run* EncodeCache::run(const hub::LocalChannel& channel, const Dialect& dialect,
                                   const Framing& framing, uint64_t position) {
  if (!channel.addon) channel.addon = std::make_unique<ChannelRuns>(*this);
  auto& runs = static_cast<ChannelRuns&>(*channel.addon);
  Run* found = nullptr;
  for (const auto& run : runs.runs)
    if (run->dialect == &dialect && run->framing == &framing) found = run.get();
  if (found == nullptr) {
    found = &start_run(runs, channel, dialect, framing, position);
  } else if (found->epoch != channel.epoch() || !channel.tail().covers(found->last)) {
    // The channel was reset or jumped over a hole.
    bytes_ -= found->bytes.size();
    found->bytes.clear();
    found->frames.clear();
    found->epoch = channel.epoch();
    found->base = found->last = position;
  } else if (position < found->base) {
    return nullptr;
  }
  extend(*found, channel, position);
  return found;
}

EncodeCache::Run& EncodeCache::start_run(ChannelRuns& runs, const hub::LocalChannel& channel,
                                         const Dialect& dialect, const Framing& framing,
                                         uint64_t base) {
  if (runs.runs.empty()) used_.push_back(&runs);
  std::unique_ptr<Run> run;
  if (pool_.empty()) {
    run = std::make_unique<Run>();
  } else {
    run = std::move(pool_.back());
    pool_.pop_back();
  }
  run->dialect = &dialect;
  run->framing = &framing;
  run->epoch = channel.epoch();
  run->base = run->last = base;
  return *runs.runs.emplace_back(std::move(run));
}

void EncodeCache::extend(Run& run, const hub::LocalChannel& channel, uint64_t position) {
  if (run.last >= channel.tail().top()) return;
  const size_t enough = run.begin_of(position) + kWindow;
  for (const hub::PublicationPtr& publication : channel.tail().after(run.last)) {
    if (run.bytes.size() >= enough) return;
    const size_t start = run.bytes.size();
    run.dialect->encode(channel, *publication, run.bytes);
    if (run.bytes.size() > start) run.framing->frame(run.dialect->type(), run.bytes, start);
    run.frames.push_back({publication->offset, run.bytes.size()});
    run.last = publication->offset;
    bytes_ += run.bytes.size() - start;
    encoded.add(1);
  }
}

EncodeCache::Single EncodeCache::single(const hub::LocalChannel& channel, const Dialect& dialect,
                                        const Framing& framing,
                                        const hub::Publication& publication) {
  scratch_.clear();
  dialect.encode(channel, publication, scratch_);
  if (!scratch_.empty()) framing.frame(dialect.type(), scratch_, 0);
  encoded_alone.add(1);
  const bool fits = arena_blocks_used_ > 0 && arena_[arena_blocks_used_ - 1].capacity() -
                                                      arena_[arena_blocks_used_ - 1].size() >=
                                                  scratch_.size();
  if (!fits) {
    if (arena_blocks_used_ == arena_.size()) arena_.emplace_back();
    Buffer& block = arena_[arena_blocks_used_++];
    block.clear();
    block.reserve(std::max(kArenaBlock, scratch_.size()));
  }
  Buffer& block = arena_[arena_blocks_used_ - 1];
  const size_t start = block.size();
  block.append(scratch_);
  return {publication.offset, ByteView(block).substr(start)};
}

void EncodeCache::begin_turn(bool flushed) {
  // Lent arena slices are never kept over a turn: a broken-off frame was copied.
  arena_blocks_used_ = 0;
  std::erase_if(arena_, [](const Buffer& block) { return block.capacity() > 2 * kArenaBlock; });
  if (arena_.size() > 4) arena_.resize(4);
  if (!flushed && bytes_ <= kMaxBytes) return;
  for (ChannelRuns* channel : std::exchange(used_, {})) {
    for (auto& run : channel->runs) release(std::move(run));
    channel->runs.clear();
  }
}

void EncodeCache::release(std::unique_ptr<Run> run) {
  bytes_ -= run->bytes.size();
  if (pool_.size() >= kKeptRuns || run->bytes.capacity() > 4 * kWindow) return;
  run->bytes.clear();
  run->frames.clear();
  pool_.push_back(std::move(run));
}

}  // namespace parley::session
