#include "hub/request_boxes.h"

#include <utility>

namespace parley::hub {

std::unique_ptr<Request> RequestBoxes::take() {
  if (spare_.empty()) {
    auto made = std::make_unique<Request>();
    made->body.emplace<PublishRecord>();
    return made;
  }
  auto box = std::move(spare_.back());
  spare_.pop_back();
  return box;
}

void RequestBoxes::keep(std::unique_ptr<Request> box) {
  auto* used = std::get_if<PublishRecord>(&box->body);
  if (used == nullptr || spare_.size() == kKept) return;
  const size_t room = used->channel.name.capacity() + used->principal.capacity() +
                      used->idempotency_key.capacity() + used->version_epoch.capacity();
  if (room > kMaxRoom) return;
  used->clear();
  put_back(std::move(box));
}

}  // namespace parley::hub
