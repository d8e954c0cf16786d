#include "cli/bench_command.h"

#include <cstdio>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/json_line.h"
#include "cli/printable.h"

namespace parley::cli {
namespace {

using bench::Report;

double per_second(uint64_t count, const Report& report) {
  return report.seconds() > 0 ? static_cast<double>(count) / report.seconds() : 0;
}

double in_ms(uint64_t ns) { return static_cast<double>(ns) * 1e-6; }

double per_unit_us(uint64_t ns, const Report& report) {
  return report.units() > 0 ? static_cast<double>(ns) * 1e-3 / static_cast<double>(report.units())
                            : 0;
}

const std::string& name_of(bench::Scenario scenario) {
  return bench::scenario_names()[static_cast<size_t>(scenario)];
}
const std::string& name_of(bench::Protocol protocol) {
  return bench::protocol_names()[static_cast<size_t>(protocol)];
}

// What a unit is, of those that CPU is told by.
const char* unit_of(const Report& report) {
  if (!report.publishes()) return "connection";
  return report.request.plan.api ? "message" : "delivery";
}

std::vector<std::pair<const char*, uint64_t>> faults_of(const Report& report) {
  const bench::Counts& counts = report.outcome.counts;
  return {{"lost", counts.lost},
          {"missing", counts.missing},
          {"doubled", counts.doubled},
          {"disordered", counts.disordered},
          {"misrouted", counts.misrouted},
          {"closed", report.outcome.closed},
          {"refused", report.outcome.refused},
          {"failed_connections", report.arrivals.failed}};
}

// The server's own words for the first thing that went wrong; "" where nobody said any.
std::string reason_of(const Report& report) {
  return printable(report.arrivals.failed > 0 ? report.arrivals.why : report.outcome.why);
}

std::string load_text(const Report& report) {
  const bench::Plan& plan = report.request.plan;
  std::string text =
      fmt::format("{} connections over {}", report.connections, name_of(plan.protocol));
  if (!report.publishes()) return text + fmt::format(", {} at once", plan.at_once);
  if (plan.pace == bench::Pace::kRate) return text + fmt::format(", {} messages/s", plan.rate);
  if (plan.pace == bench::Pace::kOneRequest)
    return text + fmt::format(", {} in a request", plan.batch);
  return text + fmt::format(", {} in flight", plan.window);
}

}  // namespace

std::string bench_text(const Report& report) {
  const bench::Outcome& outcome = report.outcome;
  const bench::Histogram& latencies = report.latencies();
  std::string text = fmt::format("{:<12}{}, {:.2f} s, {}\n", name_of(report.request.scenario),
                                 load_text(report), report.seconds(), report.request.url);
  if (report.publishes()) {
    text += fmt::format("{:<12}{}, {:.0f} a second\n", "published", outcome.counts.published,
                        per_second(outcome.counts.published, report));
    text += fmt::format("{:<12}{}, {:.0f} a second\n", "delivered", outcome.counts.deliveries,
                        per_second(outcome.counts.deliveries, report));
  } else {
    text += fmt::format("{:<12}{}, {:.0f} a second\n", "connected", report.arrivals.ready,
                        per_second(report.arrivals.ready, report));
  }
  text += fmt::format("{:<12}p50 {:.3f} ms, p99 {:.3f} ms, p99.9 {:.3f} ms, max {:.3f} ms\n",
                      "latency", in_ms(latencies.quantile(0.5)), in_ms(latencies.quantile(0.99)),
                      in_ms(latencies.quantile(0.999)), in_ms(latencies.max()));
  if (report.cpu) {
    text += fmt::format("{:<12}{:.3f} us per {} in process {}", "cpu",
                        per_unit_us(report.cpu->process_ns, report), unit_of(report),
                        report.request.pid);
    text += report.cpu->ksoftirqd_ns ? fmt::format(", {:.3f} us in ksoftirqd\n",
                                                   per_unit_us(*report.cpu->ksoftirqd_ns, report))
                                     : "; ksoftirqd cannot be seen here\n";
  }
  if (report.memory)
    text += fmt::format("{:<12}{:.0f} bytes per connection in process {}, {:.0f} in the kernel\n",
                        "memory", report.memory->process_bytes, report.request.pid,
                        report.memory->kernel_bytes);
  if (report.request.plan.slow > 0)
    text += fmt::format("{:<12}{} of {} readers that never read were cut off\n", "slow",
                        outcome.slow_cut, report.request.plan.slow);
  std::string faults;
  for (const auto& [what, count] : faults_of(report))
    if (count > 0) faults += fmt::format("{}{} {}", faults.empty() ? "" : ", ", what, count);
  return text + fmt::format("{:<12}{}\n", "faults", faults.empty() ? "none" : faults);
}

std::string bench_json(const Report& report) {
  const bench::Plan& plan = report.request.plan;
  const bench::Outcome& outcome = report.outcome;
  const bench::Histogram& latencies = report.latencies();
  nlohmann::ordered_json json = {{"scenario", name_of(report.request.scenario)},
                                 {"protocol", name_of(plan.protocol)},
                                 {"url", report.request.url},
                                 {"connections", report.connections},
                                 {"channels", plan.channels},
                                 {"seconds", report.seconds()}};
  if (report.publishes()) {
    json["published"] = outcome.counts.published;
    json["messages_per_second"] = per_second(outcome.counts.published, report);
    json["deliveries"] = outcome.counts.deliveries;
    json["deliveries_per_second"] = per_second(outcome.counts.deliveries, report);
    json["delivered_bytes"] = outcome.counts.delivered_bytes;
    json["reads"] = outcome.reads;
    json["replies"] = outcome.replies;
  } else {
    json["connected"] = report.arrivals.ready;
    json["connected_per_second"] = per_second(report.arrivals.ready, report);
  }
  json["latency_ms"] = {{"p50", in_ms(latencies.quantile(0.5))},
                        {"p99", in_ms(latencies.quantile(0.99))},
                        {"p999", in_ms(latencies.quantile(0.999))},
                        {"max", in_ms(latencies.max())}};
  if (report.cpu) {
    json["cpu"] = {{"per", unit_of(report)},
                   {"process_us", per_unit_us(report.cpu->process_ns, report)}};
    if (report.cpu->ksoftirqd_ns)
      json["cpu"]["ksoftirqd_us"] = per_unit_us(*report.cpu->ksoftirqd_ns, report);
  }
  if (report.memory)
    json["memory"] = {{"process_bytes_per_connection", report.memory->process_bytes},
                      {"kernel_bytes_per_connection", report.memory->kernel_bytes}};
  if (plan.slow > 0) json["slow"] = {{"readers", plan.slow}, {"cut", outcome.slow_cut}};
  nlohmann::ordered_json faults = nlohmann::ordered_json::object();
  for (const auto& [what, count] : faults_of(report)) faults[what] = count;
  json["faults"] = std::move(faults);
  if (!reason_of(report).empty()) json["reason"] = reason_of(report);
  json["ok"] = report.good();
  return json_line(json);
}

int run_bench(const BenchCommand& command) {
  const auto report = bench::run(command.request);
  if (!report) {
    fmt::print(stderr, "parley: {}\n", printable(report.error().message));
    return kExitFailed;
  }
  fmt::print("{}", command.json ? bench_json(*report) + "\n" : bench_text(*report));
  if (report->good()) return kExitOk;
  const std::string reason = reason_of(*report);
  fmt::print(stderr, "parley: something went wrong under this load; see faults{}{}\n",
             reason.empty() ? "" : ": ", reason);
  return kExitFailed;
}

}  // namespace parley::cli
