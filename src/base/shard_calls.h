// Requests from one shard to others, and who waits for their answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/affinity.h"

namespace parley {

// What: carries mail to other shards, one FIFO per ordered pair; never waits. Owner: server. A
// request holds a credit from take_credit() until its answer was drained.
template <class Mail>
class ShardPost {
 public:
  virtual ~ShardPost() = default;
  virtual bool take_credit(ShardId to) = 0;
  virtual void send_request(ShardId to, Mail mail) = 0;
  virtual void send_answer(ShardId to, Mail mail) = 0;
};

// What: the requests of one shard that are not answered yet. Mail has a `place`, which names who
// waits for it and comes back with the answer; `Done` is who waits. Requests that find no credit
// leave later, in order. Owner: who asks; borrows the post. Shard: its own. Failure: what is above
// the limits is not taken; what is, is settled once, since each request is answered once.
template <class Mail, class Done>
class ShardCalls {
 public:
  // Of what waits for credits, for all shards together.
  struct Limits {
    size_t requests;
    size_t bytes;
  };

  ShardCalls(size_t shards, ShardPost<Mail>& post, const Limits& limits)
      : post_(post), limits_(limits), parked_(shards) {}

  bool is_shard(ShardId shard) const { return shard < parked_.size(); }
  // False, and neither mail nor done is touched: too much waits for credits. `bytes` is what the
  // mail counts there.
  [[nodiscard]] bool ask(ShardId to, Mail& mail, Done& done, size_t bytes) {
    auto& parked = parked_[to];
    // Nobody overtakes those who wait.
    if (parked.empty() && post_.take_credit(to)) {
      send(to, std::move(mail), std::move(done));
      return true;
    }
    if (parked_requests_ >= limits_.requests || parked_bytes_ + bytes > limits_.bytes) return false;
    ++parked_requests_;
    parked_bytes_ += bytes;
    parked.push_back({std::move(mail), std::move(done), bytes});
    return true;
  }
  // The answer of `from` to the request at this place is here: who waits for it. Those who waited
  // for its credit leave.
  Done settle(ShardId from, uint32_t place) {
    Done done = std::exchange(waiting_[place], nullptr);
    free_.push_back(place);
    auto& parked = parked_[from];
    while (!parked.empty() && post_.take_credit(from)) {
      Parked next = std::move(parked.front());
      parked.pop_front();
      --parked_requests_;
      parked_bytes_ -= next.bytes;
      send(from, std::move(next.mail), std::move(next.done));
    }
    return done;
  }
  // Under way, or before.
  size_t unsettled() const { return waiting_.size() - free_.size() + parked_requests_; }

 private:
  struct Parked {
    Mail mail;
    Done done;
    size_t bytes;
  };

  void send(ShardId to, Mail&& mail, Done&& done) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(waiting_.size()));
      waiting_.emplace_back();
    }
    mail.place = free_.back();
    free_.pop_back();
    waiting_[mail.place] = std::move(done);
    post_.send_request(to, std::move(mail));
  }

  ShardPost<Mail>& post_;
  const Limits limits_;
  std::vector<Done> waiting_;  // by place
  std::vector<uint32_t> free_;
  std::vector<std::deque<Parked>> parked_;  // wait for credits, by shard
  size_t parked_requests_ = 0;
  size_t parked_bytes_ = 0;
};

}  // namespace parley
