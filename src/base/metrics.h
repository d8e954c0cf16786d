// Counters and gauges without locks: each shard writes its own cells, /metrics sums them. Names
// follow Prometheus.
//   metrics::Counter messages("parley_messages_received_total", "Messages received from clients",
//   {{"transport", "websocket"}}); messages.add(1);
// Declare metrics as namespace-scope or static objects; they register themselves once and live for
// the process.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/affinity.h"

namespace parley::metrics {

inline constexpr size_t kMaxShards = 64;  // one more cell is shared by threads that are no shard

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// One number per shard on its own cache line. Only the shard's own thread writes its cell, so no
// locked instruction is needed.
class Cells {
 public:
  void add(int64_t delta) {
    const ShardId shard = affinity::current();
    if (shard < kMaxShards) {
      auto& cell = cells_[shard].value;
      cell.store(cell.load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
    } else {
      cells_[kMaxShards].value.fetch_add(delta, std::memory_order_relaxed);
    }
  }
  int64_t sum() const {
    int64_t total = 0;
    for (const auto& cell : cells_) total += cell.value.load(std::memory_order_relaxed);
    return total;
  }

 private:
  struct alignas(64) Cell {
    std::atomic<int64_t> value{0};
  };
  std::array<Cell, kMaxShards + 1> cells_;
};

enum class Kind { kCounter, kGauge };

// Registers itself in a process-wide list that is only read by render(). Not movable.
class Metric {
 public:
  Metric(Kind kind, std::string_view name, std::string_view help, Labels labels);
  virtual ~Metric() = default;
  Metric(const Metric&) = delete;
  Metric& operator=(const Metric&) = delete;

  virtual int64_t value() const = 0;
  Kind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }
  const std::string& labels() const {
    return labels_;
  }  // already in Prometheus form: {a="b"} or empty

 private:
  Kind kind_;
  std::string name_, help_, labels_;
};

class Counter final : public Metric {
 public:
  Counter(std::string_view name, std::string_view help, Labels labels = {})
      : Metric(Kind::kCounter, name, help, labels) {}
  void add(uint64_t n = 1) { cells_.add(static_cast<int64_t>(n)); }
  int64_t value() const override { return cells_.sum(); }

 private:
  Cells cells_;
};

class Gauge final : public Metric {
 public:
  Gauge(std::string_view name, std::string_view help, Labels labels = {})
      : Metric(Kind::kGauge, name, help, labels) {}
  void add(int64_t n) { cells_.add(n); }
  int64_t value() const override { return cells_.sum(); }

 private:
  Cells cells_;
};

// Counters of one name that differ in one label, for what goes wrong in one of several ways:
//   constexpr std::string_view kReasons[] = {"too_large", "too_deep"};
//   metrics::CounterFamily refused("parley_x_refused_total", "...", "reason", kReasons);
//   refused.add(Reason::kTooDeep);
// The values are a fixed table of ours, never what a peer sent. They share their lines of cells, so
// that a long table costs little, and exist from the start, each at 0.
class CounterFamily {
 public:
  CounterFamily(std::string_view name, std::string_view help, std::string_view label,
                std::span<const std::string_view> values);
  CounterFamily(const CounterFamily&) = delete;
  CounterFamily& operator=(const CounterFamily&) = delete;
  ~CounterFamily();

  // `value`: the place in the table, or an enumerator that stands for it.
  void add(size_t value) {
    const ShardId shard = affinity::current();
    if (shard < kMaxShards) {
      auto& cell = cells_[shard * stride_ + value];
      cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      cells_[kMaxShards * stride_ + value].fetch_add(1, std::memory_order_relaxed);
    }
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void add(Enum value) {
    add(static_cast<size_t>(value));
  }

 private:
  class Member;
  int64_t sum(size_t value) const;

  size_t stride_;  // cells of one shard: whole cache lines
  std::vector<std::atomic<int64_t>> cells_;
  std::vector<std::unique_ptr<Member>> members_;
};

// The sum of all metrics of that name, whatever their labels; 0 when there is none. For cold paths.
int64_t total(std::string_view name);
// The Prometheus text format, version 0.0.4, of everything registered.
std::string render();

}  // namespace parley::metrics
