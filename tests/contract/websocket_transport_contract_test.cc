// WebSocket under the transport contract.
#include "codec/websocket/encoder.h"
#include "codec/websocket/trace_sink.h"
#include "tests/contract/transport_rig.h"
#include "transport/websocket/websocket_handler.h"

namespace parley::testing {
namespace {

using codec::websocket::Opcode;

class WebSocketRig final : public TransportRig {
 public:
  std::string_view name() const override { return "websocket"; }
  std::unique_ptr<http::Handler> handler(const session::AdapterFactory& adapters,
                                         session::SessionTable& sessions) override {
    return std::make_unique<transport::websocket::WebSocketHandler>(
        adapters, sessions, transport::websocket::WebSocketOptions{.message_bytes = kMostBytes});
  }

  std::string request(const std::string& target, const std::string& headers) const override {
    return "GET " + target +
           " HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           headers + "\r\n";
  }
  std::string_view answer() const override { return "HTTP/1.1 101 "; }

  Carried read(std::string_view received) const override {
    Carried carried;
    const size_t head = received.find("\r\n\r\n");
    if (head == received.npos) return carried;
    codec::websocket::TraceSink sink;
    codec::websocket::Decoder decoder({.message_bytes = 1 << 24}, codec::websocket::Role::kClient);
    feed(decoder, received.substr(head + 4), sink);
    for (const std::string& event : sink.events()) {
      carried.after_end = carried.after_end || carried.told_end;
      if (event.starts_with("close(")) carried.told_end = true;
      if (event.starts_with("text(")) carried.messages.push_back(event.substr(5, event.size() - 6));
    }
    return carried;
  }
  std::string goodbye() const override { return frame(Opcode::kClose, "\x03\xe8"); }

  std::string too_much() const override { return input(std::string(kMostBytes + 1, 'x')); }
  session::EndReason too_much_is() const override { return session::EndReason::kMessageTooLarge; }
  std::string input(const std::string& payload) const override {
    return frame(Opcode::kText, payload);
  }

 private:
  static constexpr size_t kMostBytes = 1000;
  static std::string frame(Opcode opcode, std::string_view payload) {
    Buffer out;
    codec::websocket::append_masked_frame(out, opcode, payload, 0x12345678, true);
    return out;
  }
};

const RegisterTransport websocket_registered("WebSocket",
                                             [] { return std::make_unique<WebSocketRig>(); });

}  // namespace
}  // namespace parley::testing
