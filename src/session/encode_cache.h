// Encode once: the frames of a channel's newest publications in one encoding, contiguous, shared by
// all its subscribers on a shard.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/intrusive_list.h"
#include "hub/local_channels.h"
#include "session/adapter.h"
#include "session/transport_link.h"

namespace parley::session {

// What: per (channel, dialect, framing, form) a run of encoded frames, built when the first
// subscriber is flushed and given back when the turn's flush is done. A reader that stands before a
// run's base gets its frames encoded alone, into the arena. Owner: SessionTable; the channels that
// hold runs may outlive it. Shard: its own. Slices stay valid until the next begin_gather(),
// begin_turn() or change of the channel.
class EncodeCache {
 public:
  // Whole: each publication by itself. Delta: each as the change from the one before it, where it
  // was published for that, its base is in the channel's tail and the change is smaller.
  enum class Form : uint8_t { kWhole, kDelta };
  struct Frame {
    uint64_t offset;     // of the publication
    uint32_t end;        // where its frame ends in `bytes`
    bool delta = false;  // it is a change
  };
  struct Run {
    const Dialect* dialect = nullptr;
    const Framing* framing = nullptr;
    Form form = Form::kWhole;
    hub::Epoch epoch;
    uint64_t base = 0;    // frames follow the publication with this offset
    uint64_t last = 0;    // offset of the newest one encoded
    uint64_t gather = 0;  // the gather(), or batch of gather_shared(), that it was last asked for
    Buffer bytes;
    std::vector<Frame> frames;

    // The first frame behind `position`, and where it begins.
    size_t first_behind(uint64_t position) const;
    size_t begin_of(size_t frame) const { return frame == 0 ? 0 : frames[frame - 1].end; }
  };
  // One frame encoded for one reader.
  struct Single {
    uint64_t offset;
    ByteView bytes;
  };

  EncodeCache();
  ~EncodeCache();

  // Nothing of what the gather() before was lent is used any more. All gather_shared() between two
  // writes of the loop are one batch, and count here and below as one gather(): what the first of
  // them was lent must stand until the last is written.
  void begin_gather();
  // The run that covers `position`, encoded up to the channel's top or at least kWindow bytes
  // further. A run that the same gather() already lent from does not grow under its feet. Null: the
  // run starts behind `position`.
  Run* run(const hub::LocalChannel& channel, const Dialect& dialect, const Framing& framing,
           uint64_t position, Form form = Form::kWhole);
  // With a base as the change from that, where it is smaller.
  Single single(const hub::LocalChannel& channel, const Dialect& dialect, const Framing& framing,
                const hub::Publication& publication, const hub::Publication* base = nullptr);

  // Changes whenever a run may have changed or gone, or may grow from now on.
  uint64_t version() const { return version_; }

  // Between flushes. `flushed`: no session still has something to take, so what is cached can go.
  void begin_turn(bool flushed);

  static constexpr size_t kWindow = 64 * 1024;

 private:
  struct UseTag;
  struct ChannelRuns;
  static constexpr size_t kArenaBlock = 64 * 1024;
  // Pooled between turns, so that a warm shard does not allocate.
  static constexpr size_t kKeptRuns = 4096;
  static constexpr size_t kKeptBytes = 8 << 20;
  // Over this, cached runs go even if some readers will have to encode again.
  static constexpr size_t kMaxBytes = 16 << 20;

  Run& start_run(ChannelRuns& runs, const hub::LocalChannel& channel, const Dialect& dialect,
                 const Framing& framing, uint64_t base, Form form);
  void extend(Run& run, const hub::LocalChannel& channel, uint64_t position);
  void release(ChannelRuns& channel);

  IntrusiveList<ChannelRuns, UseTag> used_;    // channels that hold runs
  IntrusiveList<ChannelRuns, UseTag> unused_;  // channels that held runs before
  std::vector<std::unique_ptr<Run>> pool_;
  size_t pool_bytes_ = 0;      // capacity
  std::vector<Buffer> arena_;  // blocks that never grow beyond their capacity while lent
  size_t arena_blocks_used_ = 0;
  Buffer scratch_;
  size_t bytes_ = 0;  // in runs in use
  uint64_t gather_ = 0;
  uint64_t version_ = 0;
};

}  // namespace parley::session
