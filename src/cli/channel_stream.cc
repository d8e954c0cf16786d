#include "cli/channel_stream.h"

#include <fmt/format.h>

#include "cli/printable.h"

namespace parley::cli {
namespace {

constexpr long kOk = 200;
constexpr size_t kMaxRefusal = 4096;
// The server sends a comment every 15 seconds; a connection silent for this long is dead.
constexpr long kSilenceSeconds = 60;

long status_of(CURL* transfer) {
  long status = 0;
  curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// Worth another attempt: not for ever refused.
bool may_pass(long status) { return status >= 500 || status == 408 || status == 429; }

}  // namespace

ChannelStream::ChannelStream(const SubscribeCommand& command, std::string channel,
                             MessagePrinter& printer)
    : command_(command), channel_(std::move(channel)), printer_(printer), last_id_(command.since) {}

CURL* ChannelStream::begin() {
  std::vector<std::string> headers{"Accept: text/event-stream"};
  if (!last_id_.empty()) headers.push_back("Last-Event-ID: " + last_id_);
  transfer_.reset();
  headers_ = to_header_list(headers);
  transfer_ = make_request(command_.url + "/sse/" + percent_encode(channel_), headers_.get());
  decoder_ = codec::sse::Decoder();
  refusal_.clear();
  malformed_ = nullptr;
  CURL* curl = transfer_.get();
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_PRIVATE, this);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSilenceSeconds);
  return curl;
}

// A number other than the one offered ends the transfer with an error.
size_t ChannelStream::on_bytes(char* data, size_t, size_t size, void* self) {
  return static_cast<ChannelStream*>(self)->take({data, size}) ? size : 0;
}

bool ChannelStream::take(ByteView bytes) {
  if (status_of(transfer_.get()) != kOk) {
    refusal_.append(bytes.substr(0, kMaxRefusal - std::min(kMaxRefusal, refusal_.size())));
    return true;
  }
  reached_ = true;
  backoff_.on_success();
  const auto judged = decoder_.decode(bytes, *this);
  if (!judged) {
    malformed_ = judged.error().reason;
    return false;
  }
  if (!decoder_.last_event_id().empty()) last_id_ = decoder_.last_event_id();
  printer_.flush();
  return !printer_.finished();
}

Result<Duration> ChannelStream::on_done(CURLcode code, uint64_t random) {
  const long status = status_of(transfer_.get());
  const std::string name = printable(channel_);
  if (malformed_ != nullptr)
    return fail(fmt::format("{} sends no event stream for {}: {}", command_.url, name, malformed_));
  if (status != 0 && status != kOk && !may_pass(status))
    return fail(fmt::format("cannot follow {}: {}", name, error_sentence(status, refusal_)));
  // A first attempt that reaches nobody is a mistake to be told, not an outage to be waited out.
  if (status == 0 && !reached_) return fail(explain(code, command_.url));
  const std::string why = status == kOk ? "the connection was lost"
                          : status == 0 ? explain(code, command_.url)
                                        : error_sentence(status, refusal_);
  if (!command_.reconnect) return fail(fmt::format("{}: {}", name, why));
  const Duration wait = backoff_.next(random);
  fmt::print(stderr, "parley: {}: {}; next attempt in {:.1f} s\n", name, why,
             std::chrono::duration<double>(wait).count());
  return wait;
}

}  // namespace parley::cli
