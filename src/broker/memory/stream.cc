#include "broker/memory/stream.h"

#include <algorithm>

#include "base/check.h"

namespace parley::broker::memory {
namespace {

// Map node, hash link and allocator headers of a stream; slack of the queue and the control block
// of a publication. Estimates, so that the budget is near what the process really uses.
constexpr size_t kStreamOverhead = 96;
constexpr size_t kPublicationOverhead = 96;

size_t cost_of(const hub::Publication& publication) {
  return publication.cost() + kPublicationOverhead;
}

// Whole seconds, because a configured ttl may be longer than nanoseconds can count.
bool passed(seconds ttl, Time since, Time now) {
  return std::chrono::floor<seconds>(now - since) >= ttl;
}

// Counts what a page takes; the first publication always fits.
class PageBudget {
 public:
  explicit PageBudget(const hub::ReadQuery& query) : left_(query.max_bytes), count_(query.limit) {}
  bool take(const hub::Publication& publication) {
    const size_t cost = publication.cost();
    if (count_ == 0 || (!first_ && cost > left_)) return false;
    first_ = false;
    --count_;
    left_ -= std::min(cost, left_);
    return true;
  }

 private:
  size_t left_;
  uint32_t count_;
  bool first_ = true;
};

}  // namespace

size_t Stream::bytes() const {
  const size_t version = version_ ? sizeof(Version) + version_->epoch.size() : 0;
  return sizeof(Stream) + kStreamOverhead + name().size() + (retains() ? history_->bytes : 0) +
         version;
}

hub::PublicationPtr Stream::append(std::shared_ptr<hub::Publication> publication, bool retain,
                                   Time now) {
  publication->prev = top_;
  publication->offset = ++top_;
  publication->epoch = epoch_;
  hub::PublicationPtr shared(std::move(publication));
  if (!retain) {
    if (retains()) drop_all();
    return shared;
  }
  if (!history_) history_ = std::make_unique<History>();
  history_->bytes += cost_of(*shared);
  history_->items.push_back({shared, now});
  while (retained() > options_->history_size) drop_oldest();
  return shared;
}

bool Stream::take_version(uint64_t version, std::string_view epoch) {
  const bool comparable = version_ && (epoch.empty() || epoch == version_->epoch);
  if (comparable && version <= version_->last) return false;
  if (!version_) version_ = std::make_unique<Version>();
  version_->last = version;
  version_->epoch = epoch;
  return true;
}

void Stream::drop_oldest() {
  CHECK(retains());
  if (history_->size() == 1) return drop_all();
  auto& [items, head, bytes] = *history_;
  bytes -= cost_of(*items[head].publication);
  items[head++].publication.reset();
  // Moving the rest down is paid for by the items dropped since the last time.
  if (head * 2 >= items.size()) {
    items.erase(items.begin(), items.begin() + static_cast<ptrdiff_t>(head));
    head = 0;
  }
}

void Stream::drop_all() { history_.reset(); }

void Stream::drop_expired(Time now) {
  while (has_expired(now)) drop_oldest();
}

bool Stream::has_expired(Time now) const {
  return retains() && passed(options_->history_ttl, history_->oldest().since, now);
}

bool Stream::forgettable(Time now) const {
  return !attachment_.exists() && !retains() && passed(options_->history_meta_ttl, used_, now);
}

void Stream::read(const hub::ReadQuery& query, std::vector<hub::PublicationPtr>& out) const {
  if (!retains()) return;
  query.reverse ? read_reverse(query, out) : read_forward(query, out);
}

void Stream::read_forward(const hub::ReadQuery& query,
                          std::vector<hub::PublicationPtr>& out) const {
  const uint64_t after = std::max(query.since.value_or(0), base());
  PageBudget budget(query);
  const auto& [items, head, bytes] = *history_;
  for (size_t i = head + std::min<uint64_t>(after - base(), retained()); i < items.size(); ++i) {
    if (!budget.take(*items[i].publication)) return;
    out.push_back(items[i].publication);
  }
}

void Stream::read_reverse(const hub::ReadQuery& query,
                          std::vector<hub::PublicationPtr>& out) const {
  const uint64_t before = std::clamp(query.since.value_or(top_ + 1), base() + 1, top_ + 1);
  PageBudget budget(query);
  const auto& [items, head, bytes] = *history_;
  for (size_t i = head + (before - base() - 1); i-- > head;) {
    if (!budget.take(*items[i].publication)) return;
    out.push_back(items[i].publication);
  }
}

}  // namespace parley::broker::memory
