#include "server/memory_watch.h"

#include <algorithm>

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
  const size_t there = crowd_();
  most_ = std::max(most_, there);
  return most_ >= kCrowd && there < most_ / 2;
}

void MemoryWatch::look(Time now) {
  const MemoryStep before = ladder_.step();
  size_t used = meter_();
  const bool spare = most_have_gone() || before >= MemoryStep::kRefuse;
  if (spare && now >= next_trim_) {
    most_ = crowd_();
    next_trim_ = now + seconds(10);
    trim_();
    used = meter_();
  }
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
