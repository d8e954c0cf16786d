#include "server/server.h"

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "base/random.h"
#include "io/fd.h"
#include "io/listener.h"
#include "io/shard.h"
#include "server/channel_rules.h"
#include "server/shard_world.h"

namespace parley::server {
namespace {

constexpr size_t kMinDescriptors = 256;
constexpr size_t kGoodDescriptors = 10'000;
// How long clients get to read their last words before the sockets are cut.
constexpr seconds kDrainLimit{5};

Result<io::Address> listen_address(const ServerOptions& options) {
  const bool v6 = options.listen_host.find(':') != std::string::npos;
  const std::string text =
      fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), options.listen_host, options.listen_port);
  io::Address address = TRY(io::Address::parse(text));
  const std::string host = address.host();
  if (options.dev && host != "::1" && !host.starts_with("127."))
    return fail(
        fmt::format("parley dev allows everything, so it listens on loopback only, not on {}: use "
                    "--listen 127.0.0.1:{}, "
                    "or parley serve",
                    host, options.listen_port));
  return address;
}

Result<void> check_descriptors() {
  const size_t limit = io::raise_fd_limit();
  if (limit < kMinDescriptors)
    return fail(fmt::format(
        "only {} open files are allowed and at least {} are needed: raise the limit with ulimit -n",
        limit, kMinDescriptors));
  if (limit < kGoodDescriptors)
    log::warn("few open files are allowed: each client needs one",
              {{"limit", limit}, {"advice", "raise it with ulimit -n 100000"}});
  return {};
}

unsigned shard_count(const ServerOptions& options) {
  if (options.shards > 0) return std::min(options.shards, 64u);
  return std::clamp(std::thread::hardware_concurrency(), 1u, 64u);
}

// The signals that end the server are blocked in every thread and waited for here.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

void announce(const ServerOptions& options, const io::Address& address, unsigned shards) {
  if (options.dev && options.log_format == log::Format::kConsole) {
    fmt::print(stderr,
               "\n  parley dev: http://{0}\n"
               "  Not for production: everybody may do everything.\n\n"
               "  demo page   http://{0}/\n"
               "  publish     curl -d '{{\"text\":\"hello\"}}' http://{0}/pub/news\n"
               "  subscribe   curl -N http://{0}/sse/news\n\n",
               address.to_string());
  }
  log::info("listening", {{"address", address.to_string()},
                          {"shards", shards},
                          {"mode", options.dev ? "dev" : "serve"}});
}

std::string node_name() {
  char name[256] = "parley";
  gethostname(name, sizeof name - 1);
  return name;
}

// The worlds of all shards, from building to the last goodbye.
class Process {
 public:
  Process(const ServerOptions& options, unsigned shards)
      : slots_(static_cast<ShardId>(shards)),
        rules_(options.dev ? dev_channel_options() : hub::ChannelOptions{}),
        group_(shards),
        mail_(group_.wakers(), {}),
        shared_{.slots = slots_,
                .rules = rules_,
                .access = options.dev ? static_cast<const auth::Access&>(open_) : closed_,
                .origins = options.dev ? http::OriginPolicy({"*"}) : http::OriginPolicy(),
                .api_key = options.api_key,
                .open_api = options.dev,
                .dev = options.dev,
                .node = status_} {
    for (unsigned i = 0; i < shards; ++i)
      worlds_.push_back(
          std::make_unique<ShardWorld>(group_.shard(static_cast<ShardId>(i)), mail_, shared_));
  }

  void start(std::vector<io::Listener> listeners) {
    for (size_t i = 0; i < worlds_.size(); ++i)
      group_.shard(static_cast<ShardId>(i))
          .listen(std::move(listeners[i]), [world = worlds_[i].get()](const io::PeerAddress&) {
            return world->http().make_connection();
          });
    status_.set_phase(NodeStatus::Phase::kReady);
    group_.start();
  }

  // Tells every client, waits until they have gone or the time is up, and stops.
  void stop() {
    status_.set_phase(NodeStatus::Phase::kStopping);
    const auto deadline = std::chrono::steady_clock::now() + kDrainLimit;
    for (size_t i = 0; i < worlds_.size(); ++i)
      group_.post(static_cast<ShardId>(i), [world = worlds_[i].get()] { world->drain(); });
    while (sessions_left() > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(milliseconds(10));
    group_.stop();
  }

 private:
  size_t sessions_left() {
    std::atomic<size_t> left{0};
    std::atomic<size_t> answers{0};
    size_t asked = 0;
    for (size_t i = 0; i < worlds_.size(); ++i)
      asked += group_.post(static_cast<ShardId>(i), [&, world = worlds_[i].get()] {
        left += world->sessions().size();
        ++answers;
        answers.notify_one();
      });
    for (size_t seen = answers; seen < asked; seen = answers) answers.wait(seen);
    return left;
  }

  SystemIdSource ids_;
  NodeStatus status_{to_string(uuid4(ids_)), node_name()};
  hub::SlotTable slots_;
  UniformRules rules_;
  auth::OpenAccess open_;
  auth::ClosedAccess closed_;
  io::ShardGroup group_;
  HubMail mail_;
  Shared shared_;
  std::vector<std::unique_ptr<ShardWorld>> worlds_;
};

Result<int> serve(const ServerOptions& options) {
  const sigset_t signals = block_signals();
  const io::Address address = TRY(listen_address(options));
  if (auto enough = check_descriptors(); !enough) return std::unexpected(enough.error());
  const unsigned shards = shard_count(options);
  std::vector<io::Listener> listeners = TRY(io::bind_listeners(address, shards));
  const io::Address bound = listeners.front().address;
  Process process(options, shards);
  process.start(std::move(listeners));
  announce(options, bound, shards);
  int signal = 0;
  sigwait(&signals, &signal);
  log::info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  process.stop();
  log::info("stopped");
  return 0;
}

}  // namespace

int run(const ServerOptions& options) {
  log::configure(options.log_level, options.log_format);
  const Result<int> result = serve(options);
  if (result) return *result;
  fmt::print(stderr, "parley: {}\n", result.error().message);
  return 1;
}

}  // namespace parley::server
