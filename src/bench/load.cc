#include "bench/load.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace parley::bench {
namespace {

constexpr double kConnectSeconds = 60;
// So long nothing may come before what is missing is taken for lost (a short load is not waited for
// longer than it took), and so long it takes at most.
constexpr double kQuietSeconds = 2;
constexpr double kDrainSeconds = 30;
// So long the end is watched for what comes once too often.
constexpr double kAfterSeconds = 0.05;
// A reader that never reads soon has nowhere to put more.
constexpr int kSlowReceiveBytes = 4096;

uint32_t streams_per_channel(const Plan& plan) {
  return plan.echo ? 1 : (plan.publishers + plan.channels - 1) / plan.channels;
}

}  // namespace

uint64_t Load::connections(const Plan& plan) {
  return uint64_t{plan.channels} * plan.subscribers + plan.slow + (plan.echo ? 0 : plan.publishers);
}

Load::Load(const Plan& plan, const Target& target, uint64_t run)
    : plan_(plan),
      run_(run),
      publishers_(plan.echo ? plan.channels * plan.subscribers : plan.publishers),
      first_publisher_(plan.echo ? 0 : plan.channels * plan.subscribers),
      ledger_({.run = run,
               .channels = plan.channels,
               .subscribers = plan.subscribers,
               .streams_per_channel = streams_per_channel(plan)}),
      members_(connections(plan)),
      sockets_(static_cast<uint32_t>(connections(plan)), target, *this, plan.spin) {
  const Door door{.host = target.host, .token = plan.token, .api_key = plan.api_key};
  dialects_.push_back(make_subscriber(plan.protocol, door));
  dialects_.push_back(plan.api ? make_api_publisher(door, plan.batch)
                               : make_publisher(plan.protocol, door));
  for (uint32_t channel = 0; channel < plan.channels; ++channel)
    names_.push_back(channel_name(channel));
  const uint32_t all = plan.channels * plan.subscribers;
  const uint32_t first_slow = std::max(all, first_publisher_ + publishers_);
  for (uint32_t i = 0; i < members_.size(); ++i) {
    Member& member = members_[i];
    const bool publishes = i >= first_publisher_ && i < first_publisher_ + publishers_;
    if (publishes) member.publisher = i - first_publisher_;
    member.slow = i >= first_slow;
    member.dialect = dialects_[publishes && !plan.echo ? 1 : 0].get();
    if (publishes && !plan.echo) continue;
    member.peer.subscriber = i;
    member.peer.channel =
        names_[member.slow ? (i - first_slow) % plan.channels : i / plan.subscribers];
  }
}

std::string Load::channel_name(uint32_t channel) const {
  return fmt::format("{}-{:08x}-{:06}", plan_.prefix, run_, channel);
}

// --- connecting

Arrivals Load::connect(uint32_t count) {
  const uint32_t before = settled_;
  uint32_t started = before;
  arrivals_ = {};
  const double start = monotonic();
  const double deadline = start + kConnectSeconds;
  double now = start;
  while (settled_ < count && now < deadline) {
    for (; started < count && started - settled_ < plan_.at_once; ++started) {
      members_[started].started_ns = monotonic_ns();
      const auto opened = sockets_.open(started, members_[started].slow ? kSlowReceiveBytes : 0);
      if (!opened) give_up(started, opened.error().message);
    }
    if (settled_ < count) sockets_.poll(std::min(1.0, deadline - now));
    now = monotonic();
  }
  arrivals_.seconds = now - start;
  if (settled_ < count) {
    arrivals_.failed += count - settled_;
    if (arrivals_.why.empty())
      arrivals_.why = fmt::format("no answer within {} s", kConnectSeconds);
  }
  return arrivals_;
}

void Load::on_open(uint32_t index, Buffer& out) {
  Member& member = members_[index];
  member.dialect->open(member.peer, out);
  if (member.peer.ready) arrived(index);
}

void Load::arrived(uint32_t index) {
  ++settled_;
  ++arrivals_.ready;
  arrivals_.latencies.add(monotonic_ns() - members_[index].started_ns);
  if (members_[index].slow) sockets_.stop_reading(index);
}

void Load::give_up(uint32_t index, const std::string& why) {
  if (members_[index].over) return;
  members_[index].over = true;
  ++settled_;
  ++arrivals_.failed;
  if (arrivals_.why.empty()) arrivals_.why = why;
}

// --- events

size_t Load::on_bytes(uint32_t index, ByteView bytes, Buffer& answer) {
  Member& member = members_[index];
  const bool was_ready = member.peer.ready;
  Inbox inbox{.ledger = ledger_, .now_ns = sockets_.now_ns(), .answer = answer};
  const size_t taken = member.dialect->read(member.peer, bytes, inbox);
  outcome_.replies += inbox.replies;
  if (!inbox.refusal.empty()) {
    if (!was_ready) {
      give_up(index, inbox.refusal);
    } else {
      ++outcome_.refused;
      if (outcome_.why.empty()) outcome_.why = inbox.refusal;
    }
  }
  if (!was_ready) {
    if (member.peer.ready && !member.over) arrived(index);
    return taken;
  }
  if (!publishing_) return taken;
  if (plan_.pace == Pace::kOwnWindow) top_up(member.publisher);
  if (plan_.pace == Pace::kOneRequest) {
    if (inbox.replies > 0) free_.push_back(member.publisher);
    send_requests();
  }
  return taken;
}

void Load::on_close(uint32_t index, const std::string& why) {
  Member& member = members_[index];
  if (!member.peer.ready)
    return give_up(index,
                   why.empty() ? "the server closed the connection before it was ready" : why);
  if (member.over) return;
  member.over = true;
  ++(member.slow ? outcome_.slow_cut : outcome_.closed);
  // What it would publish from now on would only pile up here.
  if (member.publisher != UINT32_MAX) publishing_ = false;
}

// --- publishing

void Load::append_message(uint32_t stream, uint64_t now_ns) {
  const Payload payload{
      .run = run_, .stream = stream, .sequence = ledger_.publish(stream), .sent_ns = now_ns};
  data_.clear();
  payload.append_to(data_, plan_.payload_bytes);
  const uint32_t index = member_of(stream);
  members_[index].dialect->publish(names_[ledger_.channel_of(stream)], data_, sockets_.out(index));
}

// Deliveries that fall further and further behind would leave the channel's history.
void Load::send_requests() {
  while (publishing_ && !free_.empty() && ledger_.in_flight() + plan_.batch <= plan_.window) {
    const uint32_t publisher = free_.back();
    free_.pop_back();
    send_request(publisher);
  }
}

void Load::send_request(uint32_t publisher) {
  const uint64_t now_ns = monotonic_ns();
  uint32_t batch = plan_.batch;
  if (limit_ > 0)
    batch = static_cast<uint32_t>(
        std::min<uint64_t>(batch, limit_ - std::min(limit_, ledger_.published())));
  for (; batch > 0; --batch) append_message(publisher, now_ns);
  const uint32_t index = first_publisher_ + publisher;
  members_[index].dialect->finish(sockets_.out(index));
  sockets_.flush(index);
}

// In echo a stream is its publisher's own.
void Load::top_up(uint32_t publisher) {
  const uint64_t now_ns = monotonic_ns();
  while (ledger_.in_flight(publisher) < plan_.window &&
         (limit_ == 0 || ledger_.published() < limit_))
    append_message(publisher, now_ns);
  sockets_.flush(first_publisher_ + publisher);
}

void Load::publish_due(double start, double now) {
  uint64_t due = 0;
  if (plan_.pace == Pace::kWindow) {
    due = plan_.window - std::min<uint64_t>(plan_.window, ledger_.in_flight());
  } else {
    const auto until_now = static_cast<uint64_t>((now - start) * plan_.rate) + 1;
    due = until_now - std::min(until_now, ledger_.published());
  }
  if (limit_ > 0) due = std::min(due, limit_ - std::min(limit_, ledger_.published()));
  if (due == 0) return;
  const uint64_t now_ns = monotonic_ns();
  for (; due > 0; --due) {
    const uint32_t index = member_of(next_stream_);
    if (sockets_.out(index).empty()) touched_.push_back(index);
    append_message(next_stream_, now_ns);
    next_stream_ = (next_stream_ + 1) % ledger_.streams();
  }
  for (const uint32_t index : touched_) sockets_.flush(index);
  touched_.clear();
}

Outcome Load::publish(double seconds, uint64_t count) {
  ledger_.start();
  // A connection that was lost while the server warmed up is lost to what follows, too.
  const Outcome before = std::exchange(outcome_, {});
  outcome_.closed = before.closed;
  outcome_.refused = before.refused;
  outcome_.why = before.why;
  outcome_.slow_cut = before.slow_cut;
  limit_ = count;
  const uint64_t reads_before = sockets_.reads();
  const double start = monotonic();
  publishing_ = true;
  if (plan_.pace == Pace::kOwnWindow)
    for (uint32_t i = 0; i < publishers_; ++i) top_up(i);
  if (plan_.pace == Pace::kOneRequest) {
    free_.clear();
    for (uint32_t i = 0; i < publishers_; ++i) free_.push_back(i);
    send_requests();
  }
  const bool paced = plan_.pace == Pace::kRate || plan_.pace == Pace::kWindow;
  for (double now = start;
       publishing_ && now < start + seconds && (count == 0 || ledger_.published() < count);
       now = monotonic()) {
    double wait = std::min(0.01, start + seconds - now);
    if (paced) publish_due(start, now);
    if (plan_.pace == Pace::kRate)
      wait =
          std::min(start + static_cast<double>(ledger_.published()) / plan_.rate, start + seconds) -
          monotonic();
    sockets_.poll(wait);
  }
  publishing_ = false;
  drain(start, seconds);
  outcome_.counts = ledger_.counts();
  outcome_.latencies = ledger_.latencies();
  outcome_.reads = sockets_.reads() - reads_before;
  return outcome_;
}

// The time ends with the last delivery: waiting for what never comes is not load.
void Load::drain(double start, double seconds) {
  const double begin = monotonic();
  double last = begin;
  uint64_t seen = sockets_.reads();
  while (ledger_.in_flight() > 0) {
    sockets_.poll(0.1);
    const double now = monotonic();
    if (sockets_.reads() > seen) last = now;
    seen = sockets_.reads();
    if (now - last > std::clamp(seconds, 0.5, kQuietSeconds) || now - begin > kDrainSeconds) break;
  }
  outcome_.seconds = std::max(last - start, ledger_.in_flight() > 0 ? seconds : 0);
  serve(kAfterSeconds);
}

void Load::serve(double seconds) {
  const double end = monotonic() + seconds;
  for (double now = monotonic(); now < end; now = monotonic())
    sockets_.poll(std::min(0.1, end - now));
}

}  // namespace parley::bench
