#include "adapter/centrifuge/variants.h"

#include <algorithm>
#include <utility>

namespace parley::adapter::centrifuge {
namespace {

bool same_stream(const Recovery& recovery, const hub::StreamPosition& top) {
  return recovery.epoch && recovery.epoch->known() && recovery.epoch->same_incarnation(top.epoch);
}

Missed missed_of_cache(const Recovery& recovery, const hub::Subscribed& result,
                       const session::TagsFilter* filter) {
  Missed missed{.offset = result.top.offset, .before = result.top.offset};
  const bool same = recovery.offset > 0 && same_stream(recovery, result.top);
  missed.recovered = result.recovered || (same && recovery.offset == result.top.offset);
  if (!result.recovered) return missed;
  const auto wanted = [&](const hub::PublicationPtr& publication) {
    return filter == nullptr || filter->matches(publication->tags);
  };
  const auto newest = std::find_if(result.missed.rbegin(), result.missed.rend(), wanted);
  if (newest == result.missed.rend() || (same && recovery.offset == (*newest)->offset))
    return missed;
  missed.before = (*newest)->offset - 1;
  missed.publications.push_back(*newest);
  return missed;
}

}  // namespace

std::expected<StreamWish, wire::ErrorCode> stream_wish(const wire::SubscribeRequest& request,
                                                       const hub::ChannelOptions& options) {
  StreamWish wish;
  if (request.tf) {
    if (!options.allow_tags_filter) return std::unexpected(wire::ErrorCode::kBadRequest);
    auto filter = compile_filter(*request.tf);
    if (!filter) return std::unexpected(wire::ErrorCode::kBadRequest);
    wish.filter = std::make_unique<const session::TagsFilter>(std::move(*filter));
  }
  wish.shape.delta = !request.delta.empty() && options.allow_delta;
  wish.shape.compact =
      (request.flag & wire::SubscribeRequest::kFlagCompaction) != 0 && options.compaction;
  return wish;
}

session::Variant to_variant(StreamWish wish, const Codec& codec) {
  session::Variant variant;
  if (wish.shape != Shape{}) variant.dialect = &codec.dialect(wish.shape);
  variant.delta = wish.shape.delta;
  variant.filter = std::move(wish.filter);
  return variant;
}

Recovery recovery_of(const wire::SubscribeRequest& request, const hub::ChannelOptions& options,
                     bool recoverable) {
  Recovery recovery{.offset = request.offset, .epoch = hub::parse_epoch(request.epoch)};
  if (!recoverable) return recovery;
  if (options.cache_recovery && (request.recover || options.auto_cache_recover)) {
    recovery.mode = Recovery::Mode::kCache;
  } else if (request.recover) {
    recovery.mode = Recovery::Mode::kStream;
  }
  return recovery;
}

hub::Start start_of(const Recovery& recovery, bool filtered, uint32_t limit) {
  switch (recovery.mode) {
    case Recovery::Mode::kNone:
      break;
    case Recovery::Mode::kStream: {
      hub::Start start{.kind = hub::Start::Kind::kRecover, .position = {}, .limit = limit};
      if (recovery.epoch) start.position = {.epoch = *recovery.epoch, .offset = recovery.offset};
      return start;
    }
    case Recovery::Mode::kCache:
      // The newest that matches may be some way back.
      return {.kind = hub::Start::Kind::kNewest, .position = {}, .limit = filtered ? limit : 1};
  }
  return {};
}

Missed missed_of(const Recovery& recovery, const hub::Subscribed& result,
                 const session::TagsFilter* filter) {
  if (recovery.mode == Recovery::Mode::kCache) return missed_of_cache(recovery, result, filter);
  Missed missed{.recovered = result.recovered, .offset = result.top.offset};
  if (!result.recovered) return missed;
  // The client itself advances from its own offset through the publications.
  missed.offset = missed.before = recovery.offset;
  std::ranges::copy_if(result.missed, std::back_inserter(missed.publications), [&](const auto& p) {
    return filter == nullptr || filter->matches(p->tags);
  });
  return missed;
}

}  // namespace parley::adapter::centrifuge
