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

std::expected<Filter, wire::ErrorCode> filter_of(const wire::SubscribeRequest& request,
                                                 const hub::ChannelOptions& options) {
  if (!request.tf) return nullptr;
  if (!options.allow_tags_filter) return std::unexpected(wire::ErrorCode::kBadRequest);
  auto filter = compile_filter(*request.tf);
  if (!filter) return std::unexpected(wire::ErrorCode::kBadRequest);
  return std::make_unique<const session::TagsFilter>(std::move(*filter));
}

Shape shape_of(const Wish& wish, const hub::ChannelOptions& options) {
  return {.delta = wish.delta && options.allow_delta,
          .compact = wish.compact && options.compaction};
}

session::Variant to_variant(Shape shape, Filter filter, const Codec& codec) {
  session::Variant variant;
  if (shape != Shape{}) variant.dialect = &codec.dialect(shape);
  variant.delta = shape.delta;
  variant.filter = std::move(filter);
  return variant;
}

Recovery recovery_of(const Wish& wish, const hub::ChannelOptions& options, bool recoverable) {
  Recovery recovery{.offset = wish.offset, .epoch = wish.epoch};
  if (!recoverable) return recovery;
  if (options.cache_recovery && (wish.recover || options.auto_cache_recover)) {
    recovery.mode = Recovery::Mode::kCache;
  } else if (wish.recover) {
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
