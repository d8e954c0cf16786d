#include "server/memory_watch.h"

#include <algorithm>
#include <utility>

#include "base/metrics.h"

namespace parley::server {
namespace {

constexpr std::string_view kSteps[] = {"none", "save", "refuse", "end"};
static_assert(std::size(kSteps) == kMemorySteps);
metrics::CounterFamily entered("parley_memory_steps_total",
                               "Times the process came to a step of shedding for want of memory",
                               "step", kSteps);
metrics::Gauge resident("parley_memory_resident_bytes",
                        "Memory of the process, where memory.limit is set");

std::string_view words(MemoryStep step) {
  switch (step) {
    case MemoryStep::kNone:
      return "memory is no longer scarce";
    case MemoryStep::kSave:
      return "memory is scarce: publishers are slowed, idle connections close sooner, nothing is "
             "compressed";
    case MemoryStep::kRefuse:
      return "memory is scarce: publishes and new connections are refused";
    case MemoryStep::kEnd:
      break;
  }
  return "memory is scarce: clients that do not read are disconnected";
}

}  // namespace

void MemoryWatch::start(TimerWheel& timers, Time now) {
  timers_ = &timers;
  timers.schedule(timer_, now + seconds(1));
}

bool MemoryWatch::most_have_gone() {
  constexpr size_t kCrowd = 50;
  const Crowd now = crowd_();
  const Crowd before = std::exchange(before_, now);
  most_ = std::max(most_, before.there + (now.came - before.came));
  // While they are still going it would be too soon for the last of them.
  const bool going = now.there + now.there / 8 < before.there;
  return most_ >= kCrowd && now.there < most_ / 2 && !going;
}

// Returns what is in use then.
size_t MemoryWatch::trim(Time now) {
  most_ = before_.there;
  trimmed_ = now;
  trim_();
  return kept_ = meter_();
}

void MemoryWatch::look(Time now) {
  const MemoryStep before = ladder_.step();
  size_t used = meter_();
  // It is given back by shards that had no turn yet, too.
  kept_ = std::min(kept_, used);
  // Where connections are short, most of them have always gone.
  const bool grown = used > kept_ + kept_ / 64 || now - trimmed_ >= seconds(60);
  const bool spare = (most_have_gone() && grown) || before >= MemoryStep::kRefuse;
  if (spare && now - trimmed_ >= seconds(10)) used = trim(now);
  if (limit_ > 0) {
    resident.add(static_cast<int64_t>(used) - static_cast<int64_t>(shown_));
    shown_ = used;
  }
  const MemoryStep step = ladder_.update(used);
  const auto ms = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  const bool remind = step == MemoryStep::kEnd && reminders_.pass(ms);
  if (step != before) entered.add(step);
  if (step != before || remind) log::warn(words(step), {{"bytes", used}, {"limit", limit_}});
  if (step != before || step == MemoryStep::kEnd) act_(step);
  if (timers_ != nullptr) timers_->schedule(timer_, now + seconds(1));
}

}  // namespace parley::server
