// What the flush lends to a subscription that is not plain.
#pragma once

#include <cstdint>

#include "session/encode_cache.h"
#include "session/flush_plan.h"
#include "session/variant.h"

namespace parley::session {

// What: chooses, publication by publication, between skipping it, a frame that others read too, and
// a frame of its own; and between a change and the whole. Owner: the stack, for one subscription of
// one gather().
class VariedFlush {
 public:
  VariedFlush(FlushPlan& plan, EncodeCache& cache, VariedSubscription& subscription,
              const Dialect& dialect, const Framing& framing)
      : plan_(plan),
        cache_(cache),
        subscription_(subscription),
        channel_(*subscription.channel()),
        dialect_(dialect),
        framing_(framing),
        last_(subscription.position()),
        sent_(subscription.last_sent) {}

  // Returns the offset up to which all is lent or skipped.
  uint64_t plan(const hub::Pull& pull);

 private:
  using Form = EncodeCache::Form;

  bool plan_one(const hub::Publication& publication, const hub::Publication* before);
  bool plan_shared(const hub::Publication& publication);
  bool plan_alone(const hub::Publication& publication, const hub::Publication* before);
  bool lend_frame(const EncodeCache::Run& run, size_t frame);
  const EncodeCache::Run* run_of(Form form);
  void close();

  FlushPlan& plan_;
  EncodeCache& cache_;
  VariedSubscription& subscription_;
  const hub::LocalChannel& channel_;
  const Dialect& dialect_;
  const Framing& framing_;
  uint64_t last_;      // offset up to which all is planned
  uint64_t sent_;      // the base that the client will hold then
  uint64_t lent_ = 0;  // offset of the newest publication that is lent
  size_t bytes_ = 0;
  bool shared_ = false;
  const EncodeCache::Run* runs_[2] = {};  // by Form; null: not asked for yet
  FlushPlan::Piece open_{};               // frames in a row of one run; without a run: none
};

}  // namespace parley::session
