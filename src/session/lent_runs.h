// What sessions lent to be written together, until they are told what the kernel took.
#pragma once

#include <vector>

#include "base/check.h"
#include "session/flush_plan.h"

namespace parley::session {

class Session;

// What: pieces of runs in the order in which they were lent. Owner: SessionTable. Shard: its own.
// Why so: docs/adr/0027-writes-together.md.
class LentRuns {
 public:
  bool empty() const { return next_ == lent_.size(); }
  void push(const Session& session, const FlushPlan::Piece& piece) {
    lent_.push_back({&session, piece});
  }
  // The session is told next: what it lent.
  FlushPlan::Piece take(const Session& session) {
    CHECK(lent_[next_].session == &session);
    const FlushPlan::Piece piece = lent_[next_++].piece;
    if (empty()) clear();
    return piece;
  }
  void clear() {
    lent_.clear();
    next_ = 0;
  }

 private:
  struct Lent {
    const Session* session;
    FlushPlan::Piece piece;
  };
  std::vector<Lent> lent_;
  size_t next_ = 0;
};

}  // namespace parley::session
