// Publishing with POST, and subscribing with EventSource.
#include "bench/dialects.h"
#include "bench/wire.h"

namespace parley::bench {
namespace {

// A keep-alive connection that posts.
class PostDialect : public Dialect {
 public:
  explicit PostDialect(const Door& door) : door_(door) {}

  void open(Peer& peer, Buffer&) override { peer.ready = true; }

  size_t read(Peer&, ByteView bytes, Inbox& inbox) override {
    size_t taken = 0;
    while (const auto response = parse_response(bytes)) {
      // The server API tells errors of commands in a good answer.
      if (!response->good() || response->body.find(R"("error")") != ByteView::npos) {
        inbox.refuse(response->good() ? response->body : response->line);
      }
      ++inbox.replies;
      bytes.remove_prefix(response->end);
      taken += response->end;
    }
    return taken;
  }

 protected:
  void append_post(ByteView path, ByteView headers, ByteView body, Buffer& out) const {
    out.append("POST ").append(path).append(" HTTP/1.1\r\nHost: ").append(door_.host);
    if (!door_.api_key.empty()) out.append("\r\nX-API-Key: ").append(door_.api_key);
    out.append(headers).append("\r\nContent-Length: ");
    append_uint(out, body.size());
    out.append("\r\n\r\n").append(body);
  }

 private:
  Door door_;
};

constexpr ByteView kJson = "\r\nContent-Type: application/json";

class ApiDialect final : public PostDialect {
 public:
  ApiDialect(const Door& door, uint32_t batch) : PostDialect(door), batch_(batch) {}

  void publish(ByteView channel, ByteView data, Buffer& out) override {
    const bool many = batch_ > 1;
    if (many) body_.append(body_.empty() ? R"({"commands":[{"publish":)" : R"(,{"publish":)");
    body_.append(R"({"channel":")").append(channel).append(R"(","data":)").append(data);
    body_.append(many ? "}}" : "}");
    if (many) return;
    append_post("/api/publish", kJson, body_, out);
    body_.clear();
  }

  void finish(Buffer& out) override {
    if (body_.empty()) return;
    body_.append("]}");
    append_post("/api/batch", kJson, body_, out);
    body_.clear();
  }

 private:
  uint32_t batch_;
  Buffer body_;
};

// nchan's publisher location.
class NchanPublisher final : public PostDialect {
 public:
  using PostDialect::PostDialect;
  void publish(ByteView channel, ByteView data, Buffer& out) override {
    append_post("/pub/" + std::string(channel), "", data, out);
  }
};

// A stream of text/event-stream. Chunks need not be taken apart: the lines that count begin with
// "data:", and a chunk begins with a line.
class EventSourceDialect final : public Dialect {
 public:
  explicit EventSourceDialect(const Door& door) : door_(door) {}

  void open(Peer& peer, Buffer& out) override {
    peer.step = 0;
    out.append("GET /sse/").append(peer.channel).append(" HTTP/1.1\r\nHost: ").append(door_.host);
    if (!door_.token.empty()) out.append("\r\nAuthorization: Bearer ").append(door_.token);
    out.append("\r\nAccept: text/event-stream\r\n\r\n");
  }

  size_t read(Peer& peer, ByteView bytes, Inbox& inbox) override {
    size_t taken = 0;
    if (peer.step == 0) {
      taken = bytes.find("\r\n\r\n");
      if (taken == ByteView::npos) return 0;
      taken += 4;
      if (!bytes.starts_with("HTTP/1.1 200")) {
        inbox.refuse(bytes.substr(0, bytes.find("\r\n")));
        return 0;
      }
      peer.step = 1;
      bytes.remove_prefix(taken);
    }
    for (size_t end = bytes.find('\n'); end != ByteView::npos; end = bytes.find('\n')) {
      const ByteView line = bytes.substr(0, end);
      if (line.starts_with("data:")) {
        inbox.deliver(peer, line, end + 1);
      } else if (line.starts_with("id:")) {
        // The position of the subscription comes first.
        peer.ready = true;
      } else if (line.starts_with("event: gap") || line.starts_with("event: error")) {
        inbox.refuse(line);
      }
      bytes.remove_prefix(end + 1);
      taken += end + 1;
    }
    return taken;
  }

  void publish(ByteView, ByteView, Buffer&) override {}

 private:
  Door door_;
};

}  // namespace

std::unique_ptr<Dialect> make_event_source(const Door& door) {
  return std::make_unique<EventSourceDialect>(door);
}

std::unique_ptr<Dialect> make_nchan_publisher(const Door& door) {
  return std::make_unique<NchanPublisher>(door);
}

std::unique_ptr<Dialect> make_api_publisher(const Door& door, uint32_t batch) {
  return std::make_unique<ApiDialect>(door, batch);
}

}  // namespace parley::bench
