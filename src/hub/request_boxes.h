// Boxes for publishes that go to another shard.
#pragma once

#include <memory>
#include <vector>

#include "hub/post.h"

namespace parley::hub {

// What: empty boxes, used again: a publish goes to its channel's home in one and its answer comes
// back in one, so that neither takes memory. A box moves with its message; here are those of this
// shard that hold none. Bounded in number and in what their strings may hold. Owner: Hub. Shard:
// its own.
class RequestBoxes {
 public:
  // Its body is an empty PublishRecord.
  std::unique_ptr<Request> take();
  // A box that is done with; only one whose body is a PublishRecord is kept.
  void keep(std::unique_ptr<Request> box);
  // One that take() gave, here or elsewhere, and whose body was not touched since.
  void put_back(std::unique_ptr<Request> box) {
    if (spare_.size() < kKept) spare_.push_back(std::move(box));
  }
  size_t size() const { return spare_.size(); }

  static constexpr size_t kKept = 256;
  static constexpr size_t kMaxRoom = 1024;

 private:
  std::vector<std::unique_ptr<Request>> spare_;
};

}  // namespace parley::hub
