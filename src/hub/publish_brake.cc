#include "hub/publish_brake.h"

#include <utility>

#include "base/metrics.h"

namespace parley::hub {
namespace {

enum class Braked : uint8_t { kSlowed, kRefused, kNoRoom };
constexpr std::string_view kBraked[] = {"slowed", "refused", "no_room"};
metrics::CounterFamily braked("parley_publishes_braked_total",
                              "Publishes that were slowed or refused for want of memory", "outcome",
                              kBraked);

}  // namespace

bool PublishBrake::take(Publish publish, Time now) {
  const size_t cost = publish.record.publication->cost();
  const bool room = waiting_.size() < limits_.publishes && bytes_ + cost <= limits_.bytes;
  if (step_ == Step::kRefuse || !room) {
    braked.add(step_ == Step::kRefuse ? Braked::kRefused : Braked::kNoRoom);
    return false;
  }
  braked.add(Braked::kSlowed);
  bytes_ += cost;
  waiting_.push_back({std::move(publish), now + limits_.delay, cost});
  return true;
}

std::optional<PublishBrake::Publish> PublishBrake::next(Time now) {
  if (waiting_.empty()) return std::nullopt;
  Waiting& first = waiting_.front();
  if (first.due > now && step_ != Step::kOff) return std::nullopt;
  bytes_ -= first.cost;
  Publish publish = std::move(first.publish);
  waiting_.pop_front();
  return publish;
}

}  // namespace parley::hub
