// What a subscribe may ask of its stream: deltas, a filter, a short name, and what it recovers.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "adapter/centrifuge/codec.h"
#include "adapter/centrifuge/wish.h"
#include "hub/channel_options.h"
#include "hub/subscription.h"
#include "session/tags_filter.h"
#include "session/variant.h"

namespace parley::adapter::centrifuge {

using Filter = std::unique_ptr<const session::TagsFilter>;  // null: none

// The request's filter. An error: it may not be, or makes no sense.
std::expected<Filter, wire::ErrorCode> filter_of(const wire::SubscribeRequest& request,
                                                 const hub::ChannelOptions& options);
// What of the wish the namespace allows. Deltas and short names that may not be are merely not
// given.
Shape shape_of(const Wish& wish, const hub::ChannelOptions& options);
session::Variant to_variant(Shape shape, Filter filter, const Codec& codec);

// The condition, or nothing where the protocol's rules or the filter's limits forbid it.
std::optional<session::TagsFilter> compile_filter(const wire::FilterNode& node);

// From where a subscribe goes on.
struct Recovery {
  // kStream: all that was missed, or nothing. kCache: the newest publication.
  enum class Mode : uint8_t { kNone, kStream, kCache };
  Mode mode = Mode::kNone;
  uint64_t offset = 0;              // where the client says that it stands
  std::optional<hub::Epoch> epoch;  // nothing: in a stream that never was
};

Recovery recovery_of(const Wish& wish, const hub::ChannelOptions& options, bool recoverable);
hub::Start start_of(const Recovery& recovery, bool filtered, uint32_t limit);

// What the reply says of it.
struct Missed {
  bool recovered = false;
  uint64_t offset = 0;                            // where the client then stands
  uint64_t before = 0;                            // ... and what comes first lies behind this
  std::vector<hub::PublicationPtr> publications;  // for the client
};
Missed missed_of(const Recovery& recovery, const hub::Subscribed& result,
                 const session::TagsFilter* filter);

}  // namespace parley::adapter::centrifuge
