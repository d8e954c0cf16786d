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

bool PublishBrake::has_room(const Publish& publish, size_t cost) const {
  const size_t parts = publish.role == RequesterRole::kOperator ? kParts : kParts - 1;
  if (waiting_.size() >= limits_.publishes / kParts * parts) return false;
  if (bytes_ + cost > limits_.bytes / kParts * parts) return false;
  if (publish.role != RequesterRole::kClient) return true;
  const auto found = of_client_.find(key_of(publish.who));
  return found == of_client_.end() || within_part(found->second, cost);
}

bool PublishBrake::take(Publish publish, Time now) {
  const size_t cost = publish.record.publication->cost();
  const bool room = has_room(publish, cost);
  if (step_ == Step::kRefuse || !room) {
    braked.add(step_ == Step::kRefuse ? Braked::kRefused : Braked::kNoRoom);
    return false;
  }
  braked.add(Braked::kSlowed);
  bytes_ += cost;
  if (publish.role == RequesterRole::kClient) {
    Sum& sum = of_client_[key_of(publish.who)];
    ++sum.publishes;
    sum.bytes += cost;
  }
  waiting_.push_back({std::move(publish), now + limits_.delay, cost});
  return true;
}

void PublishBrake::leave(const Waiting& waiting) {
  bytes_ -= waiting.cost;
  if (waiting.publish.role != RequesterRole::kClient) return;
  const auto found = of_client_.find(key_of(waiting.publish.who));
  found->second.bytes -= waiting.cost;
  if (--found->second.publishes == 0) of_client_.erase(found);
}

std::optional<PublishBrake::Publish> PublishBrake::next(Time now) {
  if (waiting_.empty()) return std::nullopt;
  Waiting& first = waiting_.front();
  if (first.due > now && step_ != Step::kOff) return std::nullopt;
  if (!within_part(gone_, first.cost)) return std::nullopt;
  ++gone_.publishes;
  gone_.bytes += first.cost;
  leave(first);
  Publish publish = std::move(first.publish);
  waiting_.pop_front();
  return publish;
}

}  // namespace parley::hub
