#include "cli/subscribe_command.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <deque>

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/random.h"
#include "cli/channel_stream.h"
#include "cli/message_printer.h"

namespace parley::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxWaitMs = 60'000;

// SIGINT and SIGTERM as something to wait for.
class EndSignals {
 public:
  EndSignals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    CHECK(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
    fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(fd_ >= 0);
  }
  ~EndSignals() { close(fd_); }
  EndSignals(const EndSignals&) = delete;

  int fd() const { return fd_; }
  bool arrived() const {
    signalfd_siginfo info;
    return read(fd_, &info, sizeof info) == sizeof info;
  }

 private:
  int fd_;
};

MessageFormat format_of(const SubscribeCommand& command) {
  if (command.json) return MessageFormat::kJson;
  return command.verbose ? MessageFormat::kVerbose : MessageFormat::kData;
}

// What: the transfers of all channels in one libcurl multi handle. Owner: run_subscribe.
class Subscriptions {
 public:
  explicit Subscriptions(const SubscribeCommand& command)
      : printer_(command.count, format_of(command)), multi_(curl_multi_init()) {
    CHECK(multi_ != nullptr);
    for (const std::string& channel : command.channels)
      streams_.emplace_back(command, channel, printer_);
  }
  ~Subscriptions() {
    for (Waiting& waiting : streams_) detach(waiting.stream);
    curl_multi_cleanup(multi_);
  }
  Subscriptions(const Subscriptions&) = delete;

  int run() {
    while (!printer_.finished()) {
      begin_due();
      int running = 0;
      CHECK(curl_multi_perform(multi_, &running) == CURLM_OK);
      if (printer_.finished()) break;
      if (const auto taken = take_ended(); !taken) {
        fmt::print(stderr, "parley: {}\n", taken.error().message);
        return kExitFailed;
      }
      curl_waitfd signals{.fd = signals_.fd(), .events = CURL_WAIT_POLLIN, .revents = 0};
      CHECK(curl_multi_poll(multi_, &signals, 1, wait_ms(), nullptr) == CURLM_OK);
      if (signals_.arrived()) break;
    }
    return kExitOk;
  }

 private:
  struct Waiting {
    Waiting(const SubscribeCommand& command, const std::string& channel, MessagePrinter& printer)
        : stream(command, channel, printer) {}
    ChannelStream stream;
    std::optional<Clock::time_point> begin_at = Clock::time_point();  // nothing: it runs
  };

  void detach(const ChannelStream& stream) {
    if (stream.transfer() != nullptr) curl_multi_remove_handle(multi_, stream.transfer());
  }

  void begin_due() {
    const auto now = Clock::now();
    for (Waiting& waiting : streams_) {
      if (!waiting.begin_at || *waiting.begin_at > now) continue;
      waiting.begin_at.reset();
      CHECK(curl_multi_add_handle(multi_, waiting.stream.begin()) == CURLM_OK);
    }
  }

  Result<void> take_ended() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      const auto ended = std::ranges::find(
          streams_, message->easy_handle, [](const Waiting& one) { return one.stream.transfer(); });
      CHECK(ended != streams_.end());
      detach(ended->stream);
      ended->begin_at = Clock::now() + TRY(ended->stream.on_done(code, random_u64()));
    }
    return {};
  }

  int wait_ms() const {
    auto wait = milliseconds(kMaxWaitMs);
    for (const Waiting& waiting : streams_) {
      if (!waiting.begin_at) continue;
      const auto left = std::chrono::ceil<milliseconds>(*waiting.begin_at - Clock::now());
      wait = std::clamp(left, milliseconds(0), wait);
    }
    return static_cast<int>(wait.count());
  }

  MessagePrinter printer_;
  EndSignals signals_;
  CURLM* multi_;
  std::deque<Waiting> streams_;  // does not move what it holds
};

}  // namespace

int run_subscribe(const SubscribeCommand& command) { return Subscriptions(command).run(); }

}  // namespace parley::cli
