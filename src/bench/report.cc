#include "bench/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "bench/process_meter.h"
#include "io/fd.h"

namespace parley::bench {
namespace {

// Besides connections: standard streams, the epoll, and what /proc takes.
constexpr uint64_t kOtherDescriptors = 16;
constexpr double kSampleSeconds = 0.5;
// Memory that goes on changing is measured all the same after so many times the wished time.
constexpr int kPatience = 4;

Result<void> check_descriptors(uint64_t connections) {
  const uint64_t limit = io::raise_fd_limit();
  if (connections + kOtherDescriptors <= limit) return {};
  return fail(fmt::format(
      "{} connections need {} open files, but the limit is {}: raise it "
      "(ulimit -n {}), ask for fewer, or run several at once",
      connections, connections + kOtherDescriptors, limit, connections + kOtherDescriptors));
}

CpuUse used(const ProcessMeter& meter) {
  return {.process_ns = meter.cpu_ns(), .ksoftirqd_ns = meter.ksoftirqd_ns()};
}

CpuUse since(const CpuUse& before, const CpuUse& now) {
  CpuUse use{.process_ns = now.process_ns - std::min(now.process_ns, before.process_ns)};
  if (now.ksoftirqd_ns && before.ksoftirqd_ns)
    use.ksoftirqd_ns = *now.ksoftirqd_ns - *before.ksoftirqd_ns;
  return use;
}

// The highest value of the last `seconds`, once its halves differ by less than 1 %.
Result<uint64_t> settled_memory(Load& load, const ProcessMeter& meter, double seconds) {
  const auto half = static_cast<size_t>(std::max(1.0, seconds / kSampleSeconds / 2));
  std::vector<uint64_t> samples;
  for (size_t i = 0; i < 2 * half * kPatience; ++i) {
    samples.push_back(TRY(meter.memory_bytes()));
    if (samples.size() >= 2 * half) {
      const auto end = samples.end();
      const auto middle = end - static_cast<ptrdiff_t>(half);
      const uint64_t earlier = *std::max_element(middle - static_cast<ptrdiff_t>(half), middle);
      const uint64_t later = *std::max_element(middle, end);
      const uint64_t apart = std::max(earlier, later) - std::min(earlier, later);
      if (apart < later / 100) return std::max(earlier, later);
    }
    load.serve(kSampleSeconds);
  }
  return *std::max_element(samples.end() - static_cast<ptrdiff_t>(2 * half), samples.end());
}

Result<Report> run_idle(const Request& request, Load& load, const ProcessMeter& meter,
                        Report report) {
  // The first client brings in code and tables that are not paid again for the next.
  const Arrivals first = load.connect(1);
  if (first.failed > 0) return fail(first.why);
  const uint64_t memory = TRY(meter.memory_bytes());
  const uint64_t kernel = ProcessMeter::kernel_bytes();
  report.arrivals = load.connect_all();
  const uint64_t full = TRY(settled_memory(load, meter, request.seconds));
  const double more = static_cast<double>(std::max<uint64_t>(1, report.connections - 1));
  const uint64_t kernel_now = ProcessMeter::kernel_bytes();
  report.memory = {
      .process_bytes = (static_cast<double>(full) - static_cast<double>(memory)) / more,
      .kernel_bytes = (static_cast<double>(kernel_now) - static_cast<double>(kernel)) / more};
  report.arrivals.ready += 1;
  return report;
}

}  // namespace

uint64_t Report::units() const {
  if (!publishes()) return arrivals.ready;
  return request.plan.api ? outcome.counts.published : outcome.counts.deliveries;
}

bool Report::good() const {
  const Counts& counts = outcome.counts;
  return arrivals.failed == 0 && counts.lost == 0 && counts.missing == 0 && counts.doubled == 0 &&
         counts.disordered == 0 && counts.misrouted == 0 && outcome.closed == 0 &&
         outcome.refused == 0;
}

Result<Report> run(const Request& request) {
  Report report{.request = request, .connections = Load::connections(request.plan)};
  TRY(check_descriptors(report.connections));
  const Target target = TRY(resolve(request.url));
  std::optional<ProcessMeter> meter;
  if (request.pid > 0) meter = TRY(ProcessMeter::open(request.pid));
  Load load(request.plan, target, random_u64() & UINT32_MAX);
  if (request.scenario == Scenario::kIdle) return run_idle(request, load, *meter, report);
  CpuUse before;
  if (meter) before = used(*meter);
  report.arrivals = load.connect_all();
  if (report.arrivals.ready == 0) return fail(report.arrivals.why);
  if (report.publishes()) {
    if (report.arrivals.failed > 0)
      return fail(fmt::format("{} of {} connections failed: {}", report.arrivals.failed,
                              report.connections, report.arrivals.why));
    if (request.warm_seconds > 0) load.publish(request.warm_seconds, 0);
    if (meter) before = used(*meter);
    report.outcome = load.publish(request.seconds, request.count);
  }
  if (meter) report.cpu = since(before, used(*meter));
  return report;
}

}  // namespace parley::bench
