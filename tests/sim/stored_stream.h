// A channel's stream as the model brokers keep it.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "hub/broker.h"

namespace parley::sim {

// What: the simplest thing that keeps a broker's promises about offsets and history. Expires
// nothing by age. Owner: a model's store.
struct StoredStream {
  hub::Epoch epoch;
  uint64_t base = 0;
  uint64_t top = 0;
  std::vector<uint64_t> generation_ends;
  std::deque<hub::PublicationPtr> kept;

  // `step`: how far the offset moves on; 1 for contiguous ones.
  hub::PublicationPtr append(std::shared_ptr<hub::Publication> publication,
                             const hub::ChannelOptions& options, bool skip_history, uint64_t step) {
    publication->prev = top;
    publication->offset = top += step;
    publication->epoch = epoch;
    hub::PublicationPtr shared(std::move(publication));
    if (!options.has_history() || skip_history) kept.clear();
    if (options.has_history() && !skip_history) kept.push_back(shared);
    while (kept.size() > options.history_size) kept.pop_front();
    base = kept.empty() ? top : kept.front()->prev;
    return shared;
  }

  hub::Attached attached(uint64_t visible) const {
    return {epoch, std::min(base, visible), visible, generation_ends};
  }

  // Nothing above `visible`.
  hub::ReadPage page(const hub::ReadQuery& query, uint64_t visible) const {
    hub::ReadPage page{.epoch = epoch, .base = std::min(base, visible), .top = visible};
    size_t bytes = 0;
    const auto add = [&](const hub::PublicationPtr& publication) {
      if (page.publications.size() >= query.limit) return false;
      bytes += publication->cost();
      if (bytes > query.max_bytes && !page.publications.empty()) return false;
      page.publications.push_back(publication);
      return true;
    };
    const auto in_reach = [&](const hub::PublicationPtr& p) {
      if (p->offset > visible) return false;
      return query.reverse ? !query.since || p->offset < *query.since
                           : p->offset > query.since.value_or(0);
    };
    if (query.reverse) {
      for (auto it = kept.rbegin(); it != kept.rend(); ++it)
        if (in_reach(*it) && !add(*it)) break;
    } else {
      for (const auto& publication : kept)
        if (in_reach(publication) && !add(publication)) break;
    }
    return page;
  }

  void remove_history() {
    kept.clear();
    base = top;
  }
};

// Which publish a key belongs to: channel, principal, key.
using KeyScope = std::tuple<std::string, std::string, std::string>;
struct KeyedAnswer {
  hub::PublicationPtr first;
  hub::Published answer;
  // Under the same key nothing else may come.
  bool is_of(const hub::Publication& again) const {
    return first->data == again.data && first->kind == again.kind && first->event == again.event &&
           first->tags == again.tags;
  }
};
using KnownKeys = std::map<KeyScope, KeyedAnswer>;

}  // namespace parley::sim
