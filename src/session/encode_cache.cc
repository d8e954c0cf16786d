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
struct EncodeCache::ChannelRuns final : hub::ChannelAddon, ListNode<UseTag> {
  explicit ChannelRuns(EncodeCache& c) : cache(&c) {}
  ~ChannelRuns() override {
    if (cache != nullptr) cache->release(*this);
  }
  EncodeCache* cache;  // null: the cache is gone
  std::vector<std::unique_ptr<Run>> runs;
};

EncodeCache::EncodeCache() = default;

EncodeCache::~EncodeCache() {
  for (auto* list : {&used_, &unused_}) {
    while (!list->empty()) {
      ChannelRuns& channel = list->pop_front();
      channel.runs.clear();
      channel.cache = nullptr;
    }
  }
}

size_t EncodeCache::Run::first_behind(uint64_t position) const {
  if (position >= last) return frames.size();
  if (frames.empty() || position < frames.front().offset) return 0;
  // Offsets are usually contiguous, so the place can be computed; otherwise search.
  const uint64_t guess = position - frames.front().offset + 1;
  if (guess < frames.size() && frames[guess].offset == position + 1)
    return static_cast<size_t>(guess);
  return static_cast<size_t>(std::ranges::upper_bound(frames, position, {}, &Frame::offset) -
                             frames.begin());
}

void EncodeCache::begin_gather() {
  ++gather_;
  ++version_;
  arena_blocks_used_ = 0;
}

EncodeCache::Run* EncodeCache::run(const hub::LocalChannel& channel, const Dialect& dialect,
                                   const Framing& framing, uint64_t position, Form form) {
  ++version_;
  // A channel can outlive the cache of a session table before us.
  if (!channel.addon || static_cast<ChannelRuns&>(*channel.addon).cache != this)
    channel.addon = std::make_unique<ChannelRuns>(*this);
  auto& runs = static_cast<ChannelRuns&>(*channel.addon);
  Run* found = nullptr;
  for (const auto& run : runs.runs)
    if (run->dialect == &dialect && run->framing == &framing && run->form == form)
      found = run.get();
  if (found == nullptr) {
    found = &start_run(runs, channel, dialect, framing, position, form);
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
  if (found->gather != gather_ && found->last < channel.tail().top())
    extend(*found, channel, position);
  found->gather = gather_;
  return found;
}

EncodeCache::Run& EncodeCache::start_run(ChannelRuns& runs, const hub::LocalChannel& channel,
                                         const Dialect& dialect, const Framing& framing,
                                         uint64_t base, Form form) {
  if (runs.runs.empty()) {
    runs.unlink();
    used_.push_back(runs);
  }
  std::unique_ptr<Run> run;
  if (pool_.empty()) {
    run = std::make_unique<Run>();
  } else {
    run = std::move(pool_.back());
    pool_.pop_back();
    pool_bytes_ -= run->bytes.capacity();
  }
  run->dialect = &dialect;
  run->framing = &framing;
  run->form = form;
  run->epoch = channel.epoch();
  run->base = run->last = base;
  run->gather = 0;
  return *runs.runs.emplace_back(std::move(run));
}

void EncodeCache::extend(Run& run, const hub::LocalChannel& channel, uint64_t position) {
  size_t begin = run.begin_of(run.first_behind(position));
  const hub::Publication* before =
      run.form == Form::kDelta ? channel.tail().find(run.last) : nullptr;
  for (const hub::PublicationPtr& publication : channel.tail().after(run.last)) {
    const size_t start = run.bytes.size();
    // A reader ahead of the run is given something too: the window starts where it stands.
    if (publication->offset <= position || run.last <= position) begin = start;
    if (start >= begin + kWindow) return;
    const bool delta = before != nullptr && publication->delta &&
                       before->offset == publication->prev &&
                       run.dialect->encode_delta(channel, *publication, *before, run.bytes);
    if (!delta) run.dialect->encode(channel, *publication, run.bytes);
    if (run.bytes.size() > start) run.framing->frame(run.dialect->type(), run.bytes, start);
    run.frames.push_back({publication->offset, static_cast<uint32_t>(run.bytes.size()), delta});
    if (run.form == Form::kDelta) before = publication.get();
    run.last = publication->offset;
    bytes_ += run.bytes.size() - start;
    encoded.add(1);
  }
}

EncodeCache::Single EncodeCache::single(const hub::LocalChannel& channel, const Dialect& dialect,
                                        const Framing& framing, const hub::Publication& publication,
                                        const hub::Publication* base) {
  scratch_.clear();
  const bool delta = base != nullptr && dialect.encode_delta(channel, publication, *base, scratch_);
  if (!delta) dialect.encode(channel, publication, scratch_);
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
  begin_gather();
  std::erase_if(arena_, [](const Buffer& block) { return block.capacity() > 2 * kArenaBlock; });
  if (arena_.size() > 4) arena_.resize(4);
  if (scratch_.capacity() > 2 * kArenaBlock) Buffer().swap(scratch_);
  if (!flushed && bytes_ <= kMaxBytes) return;
  while (!used_.empty()) {
    ChannelRuns& channel = used_.pop_front();
    release(channel);
    unused_.push_back(channel);
  }
}

void EncodeCache::release(ChannelRuns& channel) {
  ++version_;
  for (auto& run : channel.runs) {
    bytes_ -= run->bytes.size();
    const size_t capacity = run->bytes.capacity();
    if (pool_.size() >= kKeptRuns || pool_bytes_ + capacity > kKeptBytes || capacity > 4 * kWindow)
      continue;
    run->bytes.clear();
    run->frames.clear();
    pool_bytes_ += capacity;
    pool_.push_back(std::move(run));
  }
  channel.runs.clear();
}

}  // namespace parley::session
