#include "cli/bench_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace parley::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

bench::Report report() {
  bench::Report report;
  report.request.url = "http://h";
  report.request.pid = 7;
  report.connections = 1001;
  report.outcome.seconds = 2;
  report.outcome.counts = {.published = 10, .deliveries = 10'000};
  report.outcome.latencies.add(2'000'000);
  report.cpu = bench::CpuUse{.process_ns = 50'000'000, .ksoftirqd_ns = {}};
  return report;
}

TEST(BenchCommand, PrintsFigures) {
  const std::string text = bench_text(report());
  for (const char* part :
       {"1001 connections over centrifuge, 20 messages/s", "10000, 5000 a second", "max 2.000 ms",
        "5.000 us per delivery in process 7", "ksoftirqd cannot be seen", "faults      none"})
    EXPECT_THAT(text, HasSubstr(part));
  const auto json = nlohmann::json::parse(bench_json(report()));
  EXPECT_EQ(json["scenario"], "fanout");
  EXPECT_EQ(json["deliveries_per_second"], 5000);
  EXPECT_EQ(json["latency_ms"]["max"], 2);
  EXPECT_EQ(json["cpu"]["process_us"], 5);
  EXPECT_EQ(json["cpu"].contains("ksoftirqd_us"), false);
  EXPECT_EQ(json["faults"]["lost"], 0);
  EXPECT_EQ(json["ok"], true);
}

TEST(BenchCommand, AnyFaultIsTold) {
  const auto is_told = [](auto plant, const char* what) {
    bench::Report planted = report();
    plant(planted);
    EXPECT_FALSE(planted.good()) << what;
    EXPECT_THAT(bench_text(planted), HasSubstr(std::string(what) + " 3"));
    const auto json = nlohmann::json::parse(bench_json(planted));
    EXPECT_EQ(json["faults"][what], 3);
    EXPECT_EQ(json["ok"], false);
  };
  is_told([](bench::Report& r) { r.outcome.counts.lost = 3; }, "lost");
  is_told([](bench::Report& r) { r.outcome.counts.missing = 3; }, "missing");
  is_told([](bench::Report& r) { r.outcome.counts.doubled = 3; }, "doubled");
  is_told([](bench::Report& r) { r.outcome.counts.disordered = 3; }, "disordered");
  is_told([](bench::Report& r) { r.outcome.counts.misrouted = 3; }, "misrouted");
  is_told([](bench::Report& r) { r.outcome.closed = 3; }, "closed");
  is_told([](bench::Report& r) { r.outcome.refused = 3; }, "refused");
  is_told([](bench::Report& r) { r.arrivals.failed = 3; }, "failed_connections");
}

TEST(BenchCommand, TheServersWordsCannotSteerTheTerminal) {
  bench::Report planted = report();
  planted.outcome.refused = 1;
  planted.outcome.why = "\x1b[2J";
  EXPECT_THAT(bench_json(planted), Not(HasSubstr("\x1b")));
  EXPECT_THAT(bench_json(planted), HasSubstr("x1b"));
}

TEST(BenchCommand, ReadersThatNeverReadMayBeCutOff) {
  bench::Report slow = report();
  slow.request.scenario = bench::Scenario::kSlow;
  slow.request.plan.slow = 4;
  slow.outcome.slow_cut = 3;
  EXPECT_TRUE(slow.good());
  EXPECT_THAT(bench_text(slow), HasSubstr("3 of 4"));
}

}  // namespace
}  // namespace parley::cli
