#include "base/metrics.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/bytes.h"

namespace parley::metrics {
namespace {

constexpr size_t kCellsPerLine = 64 / sizeof(std::atomic<int64_t>);

struct Registry {
  std::mutex mutex;
  std::vector<const Metric*> metrics;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

std::string label_text(Labels labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    text += text.empty() ? "{" : ",";
    text.append(key).append("=\"");
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c == '\n' ? ' ' : c;
    }
    text += '"';
  }
  if (!text.empty()) text += '}';
  return text;
}

}  // namespace

Metric::Metric(Kind kind, std::string_view name, std::string_view help, Labels labels)
    : kind_(kind), name_(name), help_(help), labels_(label_text(labels)) {
  const std::lock_guard lock(registry().mutex);
  registry().metrics.push_back(this);
}

class CounterFamily::Member final : public Metric {
 public:
  Member(const CounterFamily& family, size_t place, std::string_view name, std::string_view help,
         Labels labels)
      : Metric(Kind::kCounter, name, help, labels), family_(family), place_(place) {}
  int64_t value() const override { return family_.sum(place_); }

 private:
  const CounterFamily& family_;
  size_t place_;
};

CounterFamily::CounterFamily(std::string_view name, std::string_view help, std::string_view label,
                             std::span<const std::string_view> values)
    // One line more than the table needs, since the first need not begin where a cache line does.
    : stride_((values.size() + 2 * kCellsPerLine - 1) / kCellsPerLine * kCellsPerLine),
      cells_((kMaxShards + 1) * stride_) {
  for (size_t i = 0; i < values.size(); ++i)
    members_.push_back(std::make_unique<Member>(*this, i, name, help, Labels{{label, values[i]}}));
}

CounterFamily::~CounterFamily() = default;

int64_t CounterFamily::sum(size_t value) const {
  int64_t total = 0;
  for (size_t i = value; i < cells_.size(); i += stride_)
    total += cells_[i].load(std::memory_order_relaxed);
  return total;
}

int64_t total(std::string_view name) {
  const std::lock_guard lock(registry().mutex);
  int64_t sum = 0;
  for (const Metric* metric : registry().metrics)
    if (metric->name() == name) sum += metric->value();
  return sum;
}

std::string render() {
  std::vector<const Metric*> metrics;
  {
    const std::lock_guard lock(registry().mutex);
    metrics = registry().metrics;
  }
  std::ranges::sort(metrics, [](const Metric* a, const Metric* b) {
    return std::pair(a->name(), a->labels()) < std::pair(b->name(), b->labels());
  });
  std::string out;
  std::string_view previous;
  for (const Metric* metric : metrics) {
    if (metric->name() != previous) {
      out.append("# HELP ")
          .append(metric->name())
          .append(" ")
          .append(metric->help())
          .append("\n# TYPE ");
      out.append(metric->name())
          .append(metric->kind() == Kind::kCounter ? " counter\n" : " gauge\n");
      previous = metric->name();
    }
    out.append(metric->name()).append(metric->labels()).append(" ");
    const int64_t value = metric->value();
    if (value < 0) out += '-';
    append_uint(out, static_cast<uint64_t>(value < 0 ? -value : value));
    out += '\n';
  }
  return out;
}

}  // namespace parley::metrics
