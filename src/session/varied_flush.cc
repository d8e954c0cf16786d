#include "session/varied_flush.h"

namespace parley::session {

uint64_t VariedFlush::plan(const hub::Pull& pull) {
  const Form first = subscription_.variant.delta ? Form::kDelta : Form::kWhole;
  shared_ = pull.shared && run_of(first) != nullptr;
  const hub::Publication* before = nullptr;
  for (const hub::PublicationPtr& publication : pull.publications) {
    if (!plan_.room || !plan_one(*publication, before)) break;
    before = publication.get();
  }
  close();
  if (last_ > lent_ && last_ > subscription_.position())
    plan_.lend({.kind = FlushPlan::Kind::kSkip,
                .bytes = {},
                .subscription = &subscription_,
                .last = last_});
  return last_;
}

// False: this one must wait for the next gather().
bool VariedFlush::plan_one(const hub::Publication& publication, const hub::Publication* before) {
  const TagsFilter* filter = subscription_.variant.filter.get();
  const bool wanted = filter == nullptr || filter->matches(publication.tags);
  if (wanted) {
    if (bytes_ >= EncodeCache::kWindow) return plan_.room = false;
    if (!(shared_ ? plan_shared(publication) : plan_alone(publication, before))) return false;
  }
  last_ = publication.offset;
  return true;
}

bool VariedFlush::plan_shared(const hub::Publication& publication) {
  const bool delta = subscription_.variant.delta;
  for (const Form form : {Form::kDelta, Form::kWhole}) {
    if (form == Form::kDelta && !delta) continue;
    const EncodeCache::Run* run = run_of(form);
    if (run == nullptr) return plan_alone(publication, nullptr);
    // Lent from before in this gather(), so it could not grow.
    if (publication.offset > run->last) return false;
    const size_t frame = run->first_behind(publication.offset - 1);
    if (run->frames[frame].delta && publication.prev != sent_) continue;
    return lend_frame(*run, frame);
  }
  return false;
}

bool VariedFlush::lend_frame(const EncodeCache::Run& run, size_t frame) {
  const size_t begin = run.begin_of(frame);
  const size_t size = run.frames[frame].end - begin;
  if (size == 0) return true;
  if (open_.run != &run || open_.frame + open_.frames != frame) {
    close();
    if (!plan_.room) return false;
    open_ = {.kind = FlushPlan::Kind::kRun,
             .bytes = ByteView(run.bytes).substr(begin, 0),
             .subscription = &subscription_,
             .run = &run,
             .frame = frame};
  }
  open_.bytes = {open_.bytes.data(), open_.bytes.size() + size};
  ++open_.frames;
  open_.last = lent_ = sent_ = run.frames[frame].offset;
  bytes_ += size;
  return true;
}

// For readers of history, and those that stand before the run.
bool VariedFlush::plan_alone(const hub::Publication& publication, const hub::Publication* before) {
  close();
  if (!plan_.room) return false;
  const bool holds_base = subscription_.variant.delta && publication.delta &&
                          publication.prev != 0 && publication.prev == sent_;
  const hub::Publication* base = nullptr;
  if (holds_base)
    base = before != nullptr && before->offset == publication.prev
               ? before
               : channel_.tail().find(publication.prev);
  const auto single = cache_.single(channel_, dialect_, framing_, publication, base);
  if (single.bytes.empty()) return true;
  plan_.lend({.kind = FlushPlan::Kind::kSingle,
              .bytes = single.bytes,
              .subscription = &subscription_,
              .last = single.offset,
              .frames = 1});
  lent_ = sent_ = single.offset;
  bytes_ += single.bytes.size();
  return true;
}

const EncodeCache::Run* VariedFlush::run_of(Form form) {
  const EncodeCache::Run*& run = runs_[static_cast<size_t>(form)];
  if (run == nullptr) run = cache_.run(channel_, dialect_, framing_, last_, form);
  return run;
}

void VariedFlush::close() {
  if (open_.run != nullptr) plan_.lend(open_);
  open_ = {};
}

}  // namespace parley::session
