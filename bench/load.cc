// One measurement's load, steered by bench/run over stdin and stdout: says "ready" when everybody
// has subscribed and the warm-up is over, waits for a line, publishes, and says what arrived, as
// JSON. See README.md.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <variant>

#include "bench/generator.h"
#include "bench/payload.h"

namespace parley::bench {
namespace {

constexpr char kUsage[] =
    "usage: bench_load --port N [--channels N] [--subscribers N] [--rate PER_SECOND | --window N]\n"
    "                  [--seconds S] [--warm-seconds S] [--count N] [--payload-bytes N] [--idle "
    "1]\n";

using Target = std::variant<uint16_t*, uint32_t*, double*, bool*>;

bool parse(std::string_view text, Target target) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return false;
  std::visit(
      [value](auto* out) { *out = static_cast<std::remove_pointer_t<decltype(out)>>(value); },
      target);
  return true;
}

LoadOptions parse_options(int argc, char** argv) {
  LoadOptions options;
  const std::map<std::string_view, Target> known = {
      {"--port", &options.port},
      {"--channels", &options.channels},
      {"--subscribers", &options.subscribers},
      {"--rate", &options.rate},
      {"--window", &options.window},
      {"--seconds", &options.seconds},
      {"--warm-seconds", &options.warm_seconds},
      {"--count", &options.count},
      {"--payload-bytes", &options.payload_bytes},
      {"--idle", &options.idle},
  };
  for (int i = 1; i < argc; i += 2) {
    const auto found = known.find(argv[i]);
    if (found == known.end() || i + 1 == argc || !parse(argv[i + 1], found->second)) {
      std::fputs(kUsage, stderr);
      std::exit(2);
    }
  }
  if (options.port == 0 || options.channels == 0 || options.subscribers == 0 || options.rate <= 0 ||
      options.payload_bytes < Payload::kMinBytes) {
    std::fputs(kUsage, stderr);
    std::exit(2);
  }
  return options;
}

void print(const LoadResult& result, const Histogram& latencies) {
  const auto ms = [&](double part) { return static_cast<double>(latencies.quantile(part)) * 1e-6; };
  const auto count = [](uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf(
      R"({"seconds":%.6f,"published":%llu,"deliveries":%llu,"delivered_bytes":%llu,"replies":%llu,)"
      R"("lost":%llu,"missing":%llu,"repeated":%llu,"misrouted":%llu,"closed":%llu,)"
      R"("read_calls":%llu,"p50_ms":%.4f,"p99_ms":%.4f})"
      "\n",
      result.seconds, count(result.published), count(result.deliveries),
      count(result.delivered_bytes), count(result.replies), count(result.lost),
      count(result.missing), count(result.repeated), count(result.misrouted), count(result.closed),
      count(result.read_calls), ms(0.5), ms(0.99));
}

void say(const char* line) {
  std::puts(line);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  const LoadOptions options = parse_options(argc, argv);
  Generator generator(options);
  generator.connect_all();
  if (options.idle) {
    say("ready");
    generator.idle();
    return 0;
  }
  if (options.count == 0) generator.publish(options.warm_seconds, 0);
  say("ready");
  if (std::getchar() == EOF) return 1;
  print(generator.publish(options.seconds, options.count), generator.latencies());
  std::fflush(stdout);
  // The connections stay until the server's figures have been read.
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) { return parley::bench::run(argc, argv); }
