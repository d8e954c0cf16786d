// Streams over HTTP under the transport contract, in each format.
#include <charconv>

#include <gtest/gtest.h>

#include "codec/sse/decoder.h"
#include "codec/sse/encoder.h"
#include "tests/contract/transport_rig.h"
#include "transport/push/push_handler.h"
#include "transport/push/push_transport.h"

namespace parley::testing {
namespace {

using transport::push::PushFormat;
using transport::push::PushTransport;

struct Messages final : codec::sse::EventSink {
  void on_event(const codec::sse::DecodedEvent& event) override { all.emplace_back(event.data); }
  void on_retry(uint32_t) override {}
  std::vector<std::string> all;
};

class PushRig : public TransportRig {
 public:
  explicit PushRig(PushFormat format) : format_(format) {}
  std::string_view name() const override { return "pushed"; }
  std::unique_ptr<http::Handler> handler(const session::AdapterFactory& adapters,
                                         session::SessionTable& sessions) override {
    return std::make_unique<transport::push::PushHandler>(
        adapters, sessions, transport::push::PushOptions{.transport = name(), .format = format_});
  }

  std::string request(const std::string& target, const std::string& headers) const override {
    return "GET " + target + " HTTP/1.1\r\nHost: server\r\n" + headers + "\r\n";
  }
  std::string_view answer() const override { return "HTTP/1.1 200 "; }

  // Whole chunks (RFC 9112 7.1), whose ends are those of messages.
  Carried read(std::string_view received) const override {
    Carried carried;
    const size_t head = received.find("\r\n\r\n");
    if (head == received.npos || !received.starts_with(answer())) return carried;
    received.remove_prefix(head + 4);
    std::string body;
    while (true) {
      size_t size = 0;
      const auto [end, error] =
          std::from_chars(received.data(), received.data() + received.size(), size, 16);
      const size_t digits = static_cast<size_t>(end - received.data());
      if (error != std::errc{} || received.size() < digits + size + 4) break;
      body += received.substr(digits + 2, size);
      received.remove_prefix(digits + size + 4);
      if (size > 0) continue;
      carried.told_end = true;
      carried.after_end = !received.empty();
      break;
    }
    carried.messages = messages_of(body);
    return carried;
  }

  std::string too_much() const override {
    return std::string(PushTransport::kMaxIgnoredBytes + 1, 'x');
  }
  session::EndReason too_much_is() const override { return session::EndReason::kTransportLost; }

 private:
  virtual std::vector<std::string> messages_of(std::string_view body) const = 0;

  const PushFormat format_;
};

class EventsRig : public PushRig {
 public:
  explicit EventsRig(PushFormat format) : PushRig(format) {}

 private:
  std::vector<std::string> messages_of(std::string_view body) const override {
    Messages messages;
    codec::sse::Decoder decoder;
    EXPECT_TRUE(decoder.decode(body, messages));
    return std::move(messages.all);
  }
};

// The adapter writes the events.
class WholeEventsRig final : public EventsRig {
 public:
  WholeEventsRig() : EventsRig(PushFormat::kEvents) {}
  std::string message(const std::string& payload) const override {
    Buffer out;
    EXPECT_TRUE(codec::sse::encode_event({.data = payload}, out));
    return out;
  }
};

class LinesRig final : public PushRig {
 public:
  LinesRig() : PushRig(PushFormat::kLines) {}

 private:
  std::vector<std::string> messages_of(std::string_view body) const override {
    std::vector<std::string> all;
    for (size_t end = 0; (end = body.find('\n')) != body.npos; body.remove_prefix(end + 1))
      all.emplace_back(body.substr(0, end));
    EXPECT_EQ(body, "");
    return all;
  }
};

// Eight hexadecimal digits of length, and the payload.
class BytesRig final : public PushRig {
 public:
  static constexpr size_t kDigits = 8;
  BytesRig() : PushRig(PushFormat::kBytes) {}
  std::string message(const std::string& payload) const override {
    char digits[kDigits + 1];
    std::snprintf(digits, sizeof digits, "%08zx", payload.size());
    return digits + payload;
  }

 private:
  std::vector<std::string> messages_of(std::string_view body) const override {
    std::vector<std::string> all;
    while (!body.empty()) {
      size_t size = 0;
      EXPECT_EQ(std::from_chars(body.data(), body.data() + kDigits, size, 16).ec, std::errc{});
      all.emplace_back(body.substr(kDigits, size));
      body.remove_prefix(kDigits + size);
    }
    return all;
  }
};

const RegisterTransport whole_events("WholeEvents",
                                     [] { return std::make_unique<WholeEventsRig>(); });
const RegisterTransport event_data("EventData", [] {
  return std::make_unique<EventsRig>(PushFormat::kEventData);
});
const RegisterTransport lines("Lines", [] { return std::make_unique<LinesRig>(); });
const RegisterTransport bytes("Bytes", [] { return std::make_unique<BytesRig>(); });

}  // namespace
}  // namespace parley::testing
