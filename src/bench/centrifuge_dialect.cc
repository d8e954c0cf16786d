// The Centrifuge protocol, JSON over WebSocket.
#include "bench/dialects.h"
#include "bench/websocket_reading.h"
#include "bench/wire.h"

namespace parley::bench {
namespace {

enum CentrifugeStep : uint8_t { kUpgrading, kGreeting, kSubscribing, kSubscribed };

class CentrifugeDialect final : public Dialect {
 public:
  explicit CentrifugeDialect(const Door& door) : door_(door) {}

  void open(Peer& peer, Buffer& out) override {
    peer.step = kUpgrading;
    append_upgrade(out, door_.host, "/connection/websocket");
  }

  size_t read(Peer& peer, ByteView bytes, Inbox& inbox) override {
    size_t taken = 0;
    if (peer.step == kUpgrading) {
      const auto end = read_upgrade(bytes, inbox);
      if (!end || *end == 0) return 0;
      taken = *end;
      peer.step = kGreeting;
      const std::string token = door_.token.empty() ? "" : R"("token":")" + door_.token + '"';
      append_client_frame(inbox.answer, R"({"id":1,"connect":{)" + token + "}}");
    }
    return taken + read_frames(bytes.substr(taken), inbox, [&](ByteView text, size_t frame_bytes) {
             // Replies may share a frame, a line each.
             for (size_t end = text.find('\n'); end != ByteView::npos; end = text.find('\n')) {
               on_message(peer, text.substr(0, end), end + 1, inbox);
               text.remove_prefix(end + 1);
               frame_bytes -= end + 1;
             }
             if (!text.empty()) on_message(peer, text, frame_bytes, inbox);
           });
  }

  void publish(ByteView channel, ByteView data, Buffer& out) override {
    message_.assign(R"({"id":)");
    append_uint(message_, ++id_);
    message_.append(R"(,"publish":{"channel":")").append(channel);
    message_.append(R"(","data":)").append(data).append("}}");
    append_client_frame(out, message_);
  }

 private:
  static void on_message(Peer& peer, ByteView message, size_t frame_bytes, Inbox& inbox) {
    if (message.starts_with(R"({"push")")) {
      if (message.find(R"("pub":)") != ByteView::npos)
        return inbox.deliver(peer, message, frame_bytes);
      if (message.find(R"("disconnect":)") != ByteView::npos ||
          message.find(R"("unsubscribe":)") != ByteView::npos)
        inbox.refuse(message);
      return;
    }
    if (message == "{}") return append_client_frame(inbox.answer, "{}");
    if (message.find(R"("error":)") != ByteView::npos) return inbox.refuse(message);
    if (peer.ready) {
      ++inbox.replies;
    } else if (peer.step == kGreeting && !peer.channel.empty()) {
      peer.step = kSubscribing;
      append_client_frame(inbox.answer,
                          R"({"id":2,"subscribe":{"channel":")" + peer.channel + R"("}})");
    } else {
      peer.step = kSubscribed;
      peer.ready = true;
    }
  }

  Door door_;
  uint64_t id_ = 2;
  Buffer message_;
};

}  // namespace

std::unique_ptr<Dialect> make_centrifuge(const Door& door) {
  return std::make_unique<CentrifugeDialect>(door);
}

}  // namespace parley::bench
