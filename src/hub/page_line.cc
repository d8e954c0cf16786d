#include "hub/page_line.h"

#include <utility>

#include "base/metrics.h"

namespace parley::hub {
namespace {

metrics::Counter full_turns("parley_hub_pages_postponed_total",
                            "Turns of a shard that left pages of history for the next one");

// A page without publications is an answer, too.
size_t cost_of(const ReadPage& page) {
  size_t bytes = sizeof(page);
  for (const PublicationPtr& publication : page.publications) bytes += publication->cost();
  return bytes;
}

}  // namespace

void PageLine::add(Waiting waiting) {
  const uint64_t key = key_of(waiting.who);
  auto& line = of_requester_[key];
  if (line.empty()) turns_.push_back(key);
  line.push_back(std::move(waiting));
}

std::optional<PageLine::Waiting> PageLine::next() {
  while (!turns_.empty()) {
    const auto found = of_requester_.find(turns_.front());
    if (found == of_requester_.end()) {
      turns_.pop_front();
      continue;
    }
    const size_t cost = cost_of(found->second.front().page);
    if (gone_ > 0 && gone_ + cost > bytes_a_turn_) {
      full_turns.add();
      return std::nullopt;
    }
    gone_ += cost;
    Waiting waiting = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) {
      of_requester_.erase(found);
    } else {
      turns_.push_back(turns_.front());
    }
    turns_.pop_front();
    return waiting;
  }
  return std::nullopt;
}

}  // namespace parley::hub
