// A whole run, and what came of it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "bench/load.h"
#include "bench/plan.h"

namespace parley::bench {

// CPU in the measured time, of the server that was watched.
struct CpuUse {
  uint64_t process_ns = 0;
  std::optional<uint64_t> ksoftirqd_ns;
};

// By connection.
struct MemoryUse {
  double process_bytes = 0;  // PSS
  double kernel_bytes = 0;   // both ends, where the server is on this machine
};

struct Report {
  Request request;
  uint64_t connections = 0;
  Arrivals arrivals;
  Outcome outcome;  // of the scenarios that publish
  std::optional<CpuUse> cpu;
  std::optional<MemoryUse> memory;

  bool publishes() const {
    return request.scenario != Scenario::kConnect && request.scenario != Scenario::kIdle;
  }
  // What CPU and rates are told by: connections, requests' messages or deliveries.
  uint64_t units() const;
  double seconds() const { return publishes() ? outcome.seconds : arrivals.seconds; }
  const Histogram& latencies() const {
    return publishes() ? outcome.latencies : arrivals.latencies;
  }
  // Every connection came up and stayed, and every message came once, in order, to whom it was for.
  bool good() const;
};

// Connects, warms up, measures. Ends by itself. Fails when there is nothing to measure.
Result<Report> run(const Request& request);

}  // namespace parley::bench
