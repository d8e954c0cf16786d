// Server-sent events under the transport contract.
#include <charconv>

#include <gtest/gtest.h>

#include "codec/sse/decoder.h"
#include "codec/sse/encoder.h"
#include "tests/contract/transport_rig.h"
#include "transport/sse/sse_handler.h"
#include "transport/sse/sse_transport.h"

namespace parley::testing {
namespace {

struct Messages final : codec::sse::EventSink {
  void on_event(const codec::sse::DecodedEvent& event) override { all.emplace_back(event.data); }
  void on_retry(uint32_t) override {}
  std::vector<std::string> all;
};

class SseRig final : public TransportRig {
 public:
  std::string_view name() const override { return "sse"; }
  std::unique_ptr<http::Handler> handler(const session::AdapterFactory& adapters,
                                         session::SessionTable& sessions) override {
    return std::make_unique<transport::sse::SseHandler>(adapters, sessions,
                                                        transport::sse::SseOptions{});
  }

  std::string request(const std::string& target, const std::string& headers) const override {
    return "GET " + target + " HTTP/1.1\r\nHost: server\r\n" + headers + "\r\n";
  }
  std::string_view answer() const override { return "HTTP/1.1 200 "; }

  // Whole chunks (RFC 9112 7.1), whose ends are those of events.
  Carried read(std::string_view received) const override {
    Carried carried;
    const size_t head = received.find("\r\n\r\n");
    if (head == received.npos || !received.starts_with(answer())) return carried;
    received.remove_prefix(head + 4);
    Messages messages;
    codec::sse::Decoder decoder;
    while (true) {
      size_t size = 0;
      const auto [end, error] =
          std::from_chars(received.data(), received.data() + received.size(), size, 16);
      const size_t digits = static_cast<size_t>(end - received.data());
      if (error != std::errc{} || received.size() < digits + size + 4) break;
      EXPECT_TRUE(decoder.decode(received.substr(digits + 2, size), messages));
      received.remove_prefix(digits + size + 4);
      if (size > 0) continue;
      carried.told_end = true;
      carried.after_end = !received.empty();
      break;
    }
    carried.messages = std::move(messages.all);
    return carried;
  }
  std::string message(const std::string& payload) const override {
    Buffer out;
    EXPECT_TRUE(codec::sse::encode_event({.data = payload}, out));
    return out;
  }

  std::string too_much() const override {
    return std::string(transport::sse::SseTransport::kMaxIgnoredBytes + 1, 'x');
  }
  session::EndReason too_much_is() const override { return session::EndReason::kTransportLost; }
};

const RegisterTransport sse_registered("Sse", [] { return std::make_unique<SseRig>(); });

}  // namespace
}  // namespace parley::testing
