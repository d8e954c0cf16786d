#include "adapter/centrifuge/wish.h"

namespace parley::adapter::centrifuge {

using codec::centrifuge::SubscribeRequest;

Wish to_recovery(const SubscribeRequest& request) {
  return {.offset = request.offset,
          .epoch = hub::parse_epoch(request.epoch),
          .recover = request.recover,
          .delta = !request.delta.empty()};
}

Wish to_wish(const SubscribeRequest& request) {
  Wish wish = to_recovery(request);
  wish.reject_unrecovered = (request.flag & SubscribeRequest::kFlagRejectUnrecovered) != 0;
  wish.positioned = request.positioned;
  wish.recoverable = request.recoverable;
  wish.join_leave = request.join_leave;
  wish.compact = (request.flag & SubscribeRequest::kFlagCompaction) != 0;
  return wish;
}

}  // namespace parley::adapter::centrifuge
