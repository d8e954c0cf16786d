#include "server/server.h"

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdio>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "base/random.h"
#include "io/fd.h"
#include "io/listener.h"
#include "io/meters.h"
#include "io/shard.h"
#include "server/listen_options.h"
#include "server/memory_watch.h"
#include "server/policy.h"
#include "server/shard_world.h"

namespace parley::server {
namespace {

constexpr size_t kMinDescriptors = 256;
constexpr size_t kGoodDescriptors = 10'000;
// Never given to clients, so that configuration, keys and stores can be read when all others are
// taken. The internal port may have half of them: health and metrics are asked for just then.
constexpr size_t kOwnDescriptors = 32;
constexpr uint32_t kMaxShards = 64;
// The time that a turn has for them bounds them before. Whoever waits outside for longer than the
// backlog has room is asked by nobody to come in: its own system tries again after 1, 3, 7 s.
constexpr size_t kAcceptsPerTurn = 512;

Result<io::Address> to_address(const std::string& name, uint16_t port) {
  const std::string host_name = name.empty() ? "0.0.0.0" : name;
  const bool v6 = host_name.find(':') != std::string::npos;
  const std::string text = fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), host_name, port);
  return io::Address::parse(text);
}

Result<io::Address> listen_address(const ServerOptions& options) {
  const config::HttpServer& at = options.config.http_server;
  io::Address address = TRY(to_address(at.address, at.port));
  const std::string host = address.host();
  if (options.dev && host != "::1" && !host.starts_with("127."))
    return fail(
        fmt::format("parley dev allows everything, so it listens on loopback only, not on {}: use "
                    "--listen 127.0.0.1:{}, "
                    "or parley serve",
                    host, at.port));
  return address;
}

// None without an internal port.
Result<std::vector<io::Listener>> bind_internal(const config::HttpServer& at, unsigned shards) {
  if (at.internal_port == 0) return {};
  const std::string& name = at.internal_address.empty() ? at.address : at.internal_address;
  const io::Address address = TRY(to_address(name, at.internal_port));
  return io::bind_listeners(address, shards);
}

// How many there are.
Result<size_t> check_descriptors() {
  const size_t limit = io::raise_fd_limit();
  if (limit < kMinDescriptors)
    return fail(fmt::format(
        "only {} open files are allowed and at least {} are needed: raise the limit with ulimit -n",
        limit, kMinDescriptors));
  if (limit < kGoodDescriptors)
    log::warn("few open files are allowed: each client needs one",
              {{"limit", limit}, {"advice", "raise it with ulimit -n 100000"}});
  return limit;
}

unsigned shard_count(const ServerOptions& options) {
  if (options.config.shards > 0) return std::min(options.config.shards, kMaxShards);
  return std::clamp(std::thread::hardware_concurrency(), 1u, kMaxShards);
}

// The signals that the server minds are blocked in every thread and waited for here.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

void announce(const ServerOptions& options, const io::Address& address, unsigned shards) {
  if (options.dev && options.config.log.format == log::Format::kConsole) {
    fmt::print(stderr,
               "\n  parley dev: http://{0}\n"
               "  Not for production: everybody may do everything.\n\n"
               "  demo page   http://{0}/\n"
               "  publish     curl -d '{{\"text\":\"hello\"}}' http://{0}/pub/news\n"
               "  subscribe   curl -N http://{0}/sse/news\n\n",
               address.to_string());
  }
  if (options.config.http_server.internal_port != 0)
    log::info("listening for the server API, metrics and health",
              {{"port", options.config.http_server.internal_port}});
  log::info("listening", {{"address", address.to_string()},
                          {"shards", shards},
                          {"mode", options.dev ? "dev" : "serve"}});
}

std::string node_name(const ServerOptions& options) {
  if (!options.config.node.name.empty()) return options.config.node.name;
  char name[256] = "parley";
  gethostname(name, sizeof name - 1);
  return name;
}

io::QuotaOptions quota_options(const config::Config& config) {
  const config::Client& client = config.client;
  return {.connections = client.connection_limit,
          .address_connections = client.address_connection_limit,
          .user_connections = client.user_connection_limit,
          .opened = {.per_second = client.connection_rate_limit},
          .address_opened = {.per_second = client.address_connection_rate_limit},
          .address_commands = {.per_second = client.address_command_rate_limit},
          .address_publishes = {.per_second = client.address_publish_rate_limit},
          .user_commands = {.per_second = client.user_command_rate_limit},
          .user_publishes = {.per_second = client.user_publish_rate_limit}};
}

Crowd connections() {
  // Read in this order, who comes meanwhile is not there before having come.
  const int64_t there = io::meters::open_sockets.value();
  return {.there = static_cast<size_t>(std::max<int64_t>(0, there)),
          .came = static_cast<size_t>(io::meters::accepted.value())};
}

// The worlds of all shards, from building to the last goodbye.
class Process {
 public:
  Process(const ServerOptions& options, std::shared_ptr<const Policy> policy,
          http::TrustedProxies proxies, unsigned shards)
      : options_(options),
        quotas_(quota_options(options.config)),
        tickets_(options.config.client.ticket_limit),
        proxies_(std::move(proxies)),
        status_(to_string(uuid4(ids_)), node_name(options), options.config.warnings),
        slots_(static_cast<ShardId>(shards)),
        group_(shards),
        mail_(group_.wakers(), {}),
        uplink_mail_(group_.wakers(), kUplinkBoxes),
        ticket_mail_(group_.wakers(), kTicketBoxes),
        keys_(group_),
        shared_{.config = options_.config,
                .dev = options_.dev,
                .echo = options_.echo,
                .slots = slots_,
                .policy = std::move(policy),
                .node = status_,
                .keys = keys_,
                .quotas = quotas_,
                .tickets = tickets_,
                .proxies = proxies_} {
    for (unsigned i = 0; i < shards; ++i)
      worlds_.push_back(std::make_unique<ShardWorld>(group_.shard(static_cast<ShardId>(i)), mail_,
                                                     uplink_mail_, ticket_mail_, shared_));
  }

  // `internal` may be empty.
  void start(std::vector<io::Listener> listeners, std::vector<io::Listener> internal,
             size_t descriptors) {
    for (size_t i = 0; i < worlds_.size(); ++i) {
      // One of each shard for who waits for another to be free (io::AcceptOptions::looks).
      listen(i, std::move(listeners[i]), worlds_[i]->http(),
             descriptors - kOwnDescriptors - worlds_.size());
      if (!internal.empty())
        listen(i, std::move(internal[i]), worlds_[i]->internal_http(),
               descriptors - kOwnDescriptors / 2);
    }
    memory_.start(group_.shard(0).timers(), group_.shard(0).now().mono);
    status_.set_phase(NodeStatus::Phase::kReady);
    group_.start();
  }

  // From their next turn on, the shards go by `policy`.
  void adopt(const std::shared_ptr<const Policy>& policy) {
    for (size_t i = 0; i < worlds_.size(); ++i)
      group_.post_reserved(static_cast<ShardId>(i),
                           [world = worlds_[i].get(), policy] { world->adopt(policy); });
  }

  // Tells every client, waits until they have gone or the time is up, and stops.
  void stop() {
    status_.set_phase(NodeStatus::Phase::kStopping);
    const auto deadline = std::chrono::steady_clock::now() + options_.config.shutdown.timeout;
    const config::Shutdown& shutdown = options_.config.shutdown;
    const Duration window = std::min(shutdown.spread, shutdown.timeout / 2);
    for (size_t i = 0; i < worlds_.size(); ++i)
      group_.post_reserved(static_cast<ShardId>(i),
                           [world = worlds_[i].get(), window] { world->drain(window); });
    while (sessions_left() > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(milliseconds(10));
    group_.stop();
  }

 private:
  void listen(size_t shard, io::Listener listener, http::Server& server, size_t descriptors) {
    io::AcceptOptions options;
    options.per_turn = kAcceptsPerTurn;
    options.client_descriptors = static_cast<int>(std::min<size_t>(descriptors, INT_MAX));
    options.refusal = http::Server::no_room();
    group_.shard(static_cast<ShardId>(shard))
        .listen(
            std::move(listener),
            [&server](const io::PeerAddress&) { return server.make_connection(); }, options);
  }

  void climb(MemoryStep step) {
    for (size_t i = 0; i < worlds_.size(); ++i)
      group_.post_reserved(static_cast<ShardId>(i),
                           [world = worlds_[i].get(), step] { world->climb(step); });
  }

  // What clients that have gone made this process hold.
  void give_back() {
    return_free_memory();
    for (size_t i = 0; i < worlds_.size(); ++i)
      group_.post_reserved(static_cast<ShardId>(i), return_end_of_heap);
  }

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

  const ServerOptions& options_;
  io::NodeQuotas quotas_;
  TicketCount tickets_;
  const http::TrustedProxies proxies_;
  SystemIdSource ids_;
  NodeStatus status_;
  hub::SlotTable slots_;
  io::ShardGroup group_;
  HubMail mail_;
  UplinkBoxes uplink_mail_;
  TicketBoxes ticket_mail_;
  KeySource keys_;
  Shared shared_;
  std::vector<std::unique_ptr<ShardWorld>> worlds_;
  MemoryWatch memory_{options_.config.memory.limit, resident_bytes,
                      [this](MemoryStep step) { climb(step); }, [this] { give_back(); },
                      connections};
};

Result<std::shared_ptr<const Policy>> make_policy(bool dev, const config::Config& config) {
  if (dev) return Policy::for_development();
  return Policy::build(config);
}

void warn_of(const config::Config& config) {
  for (const std::string& warning : config.warnings) log::warn(warning);
}

// What cannot be used changes nothing.
void reload(const ServerOptions& options, Process& process) {
  if (!options.reload) return log::warn("SIGHUP: there is no configuration file to read again");
  const Result<config::Config> config = options.reload();
  if (!config) return log::error("not reloaded: " + config.error().message);
  auto policy = make_policy(options.dev, *config);
  if (!policy) return log::error("not reloaded: " + policy.error().message);
  warn_of(*config);
  process.adopt(*policy);
  log::info("reloaded: channels, permissions and token keys; other options need a restart");
}

// Minds the signals until one of them ends the server; returns that.
int wait_for_end(const sigset_t& signals, const ServerOptions& options, Process& process) {
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) return signal;
    reload(options, process);
  }
}

Result<int> serve(const ServerOptions& options) {
  return_large_blocks_at_once();
  const sigset_t signals = block_signals();
  auto policy = TRY(make_policy(options.dev, options.config));
  auto proxies = TRY(http::TrustedProxies::parse(options.config.http_server.trusted_proxies));
  const io::Address address = TRY(listen_address(options));
  const size_t descriptors = TRY(check_descriptors());
  const unsigned shards = shard_count(options);
  std::vector<io::Listener> listeners =
      TRY(io::bind_listeners(address, shards, listen_options(options.config.client)));
  const io::Address bound = listeners.front().address;
  std::vector<io::Listener> internal = TRY(bind_internal(options.config.http_server, shards));
  Process process(options, std::move(policy), std::move(proxies), shards);
  process.start(std::move(listeners), std::move(internal), descriptors);
  announce(options, bound, shards);
  warn_of(options.config);
  const int signal = wait_for_end(signals, options, process);
  log::info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  process.stop();
  log::info("stopped");
  return 0;
}

}  // namespace

int run(const ServerOptions& options) {
  log::configure(options.config.log.level, options.config.log.format);
  const Result<int> result = serve(options);
  if (result) return *result;
  fmt::print(stderr, "parley: {}\n", result.error().message);
  return 1;
}

}  // namespace parley::server
