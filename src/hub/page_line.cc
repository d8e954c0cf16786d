#include "hub/page_line.h"

#include <utility>

#include "base/metrics.h"

namespace parley::hub {
namespace {

metrics::Counter full_turns("parley_hub_pages_postponed_total",
                            "Turns of a shard that left pages of history for the next one");
metrics::Counter pages_refused(
    "parley_hub_pages_refused_total",
    "Pages of history refused to clients that had too much of it waiting");

// A page without publications is an answer, too.
size_t cost_of(const ReadPage& page) {
  size_t bytes = sizeof(page);
  for (const PublicationPtr& publication : page.publications) bytes += publication->cost();
  return bytes;
}

}  // namespace

bool PageLine::add(Waiting waiting, size_t most) {
  const uint64_t key = key_of(waiting.who);
  const size_t publications = waiting.page.publications.size();
  Line& line = of_requester_[key];
  if (line.pages.empty()) {
    turns_.push_back(key);
  } else if (line.publications + publications > most) {
    pages_refused.add();
    return false;
  }
  line.publications += publications;
  line.pages.push_back(std::move(waiting));
  return true;
}

void PageLine::resume(RequesterId who) {
  const auto found = of_requester_.find(key_of(who));
  if (found == of_requester_.end() || !std::exchange(found->second.rests, false)) return;
  turns_.push_back(found->first);
}

std::optional<PageLine::Waiting> PageLine::next(const Takes& takes) {
  while (!turns_.empty()) {
    const auto found = of_requester_.find(turns_.front());
    Line& line = found->second;
    if (!takes(line.pages.front().who)) {
      line.rests = true;
      turns_.pop_front();
      continue;
    }
    const size_t cost = cost_of(line.pages.front().page);
    if (gone_ > 0 && gone_ + cost > bytes_a_turn_) {
      full_turns.add();
      return std::nullopt;
    }
    gone_ += cost;
    Waiting waiting = std::move(line.pages.front());
    line.pages.pop_front();
    line.publications -= waiting.page.publications.size();
    if (line.pages.empty()) {
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
