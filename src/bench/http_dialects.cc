// Publishing with POST, and subscribing to responses that do not end.
#include "base/base64.h"
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

// A response that does not end. Chunks need not be taken apart: a line that counts is known by its
// beginning, and a chunk begins with a line.
class StreamDialect : public Dialect {
 public:
  size_t read(Peer& peer, ByteView bytes, Inbox& inbox) final {
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
      on_answered(peer);
    }
    for (size_t end = bytes.find('\n'); end != ByteView::npos; end = bytes.find('\n')) {
      on_line(peer, bytes.substr(0, end), end + 1, inbox);
      bytes.remove_prefix(end + 1);
      taken += end + 1;
    }
    return taken;
  }

  void publish(ByteView, ByteView, Buffer&) final {}

 protected:
  virtual void on_answered(Peer& /*peer*/) {}
  virtual void on_line(Peer& peer, ByteView line, size_t line_bytes, Inbox& inbox) = 0;
};

class EventSourceDialect final : public StreamDialect {
 public:
  // Ours tells the position of the subscription first, which others do not.
  EventSourceDialect(const Door& door, ByteView path, bool position)
      : door_(door), path_(path), position_(position) {}

  void open(Peer& peer, Buffer& out) override {
    peer.step = 0;
    out.append("GET ").append(path_).append(peer.channel);
    out.append(" HTTP/1.1\r\nHost: ").append(door_.host);
    if (!door_.token.empty()) out.append("\r\nAuthorization: Bearer ").append(door_.token);
    out.append("\r\nAccept: text/event-stream\r\n\r\n");
  }

 private:
  void on_answered(Peer& peer) override { peer.ready = !position_; }

  void on_line(Peer& peer, ByteView line, size_t line_bytes, Inbox& inbox) override {
    if (line.starts_with("data:")) {
      inbox.deliver(peer, line, line_bytes);
    } else if (line.starts_with("id:")) {
      peer.ready = true;
    } else if (line.starts_with("event: gap") || line.starts_with("event: error")) {
      inbox.refuse(line);
    }
  }

  Door door_;
  ByteView path_;
  bool position_;
};

// What the client says goes with its first request, and the channel into a token that nobody but
// `parley dev` believes, unless it was given one.
class PushDialect final : public StreamDialect {
 public:
  PushDialect(const Door& door, bool events) : door_(door), events_(events) {}

  void open(Peer& peer, Buffer& out) override {
    peer.step = 0;
    const std::string body = R"({"id":1,"connect":{"token":")" + token_for(peer.channel) + R"("}})";
    out.append("POST /connection/").append(events_ ? "sse" : "http_stream");
    out.append(" HTTP/1.1\r\nHost: ").append(door_.host);
    out.append("\r\nContent-Type: application/json\r\nContent-Length: ");
    append_uint(out, body.size());
    out.append("\r\n\r\n").append(body);
  }

 private:
  std::string token_for(const std::string& channel) const {
    if (!door_.token.empty()) return door_.token;
    std::string token;
    append_base64url(token, R"({"alg":"HS256"})");
    token += '.';
    append_base64url(token, channel.empty() ? "{}" : R"({"channels":[")" + channel + R"("]})");
    return token + ".bm9uZQ";
  }

  void on_line(Peer& peer, ByteView line, size_t line_bytes, Inbox& inbox) override {
    if (events_) {
      if (!line.starts_with("data: ")) return;
      line.remove_prefix(6);
    }
    if (!line.starts_with('{') || line == "{}") return;
    if (line.find(R"("pub":)") != ByteView::npos) return inbox.deliver(peer, line, line_bytes);
    for (const ByteView bad : {R"("error":)", R"("disconnect":)", R"("unsubscribe":)"})
      if (line.find(bad) != ByteView::npos) return inbox.refuse(line);
    if (line.find(R"("connect":)") != ByteView::npos) peer.ready = true;
  }

  Door door_;
  bool events_;
};

}  // namespace

std::unique_ptr<Dialect> make_event_source(const Door& door) {
  return std::make_unique<EventSourceDialect>(door, "/sse/", true);
}

std::unique_ptr<Dialect> make_nchan_event_source(const Door& door) {
  return std::make_unique<EventSourceDialect>(door, "/sub/", false);
}

std::unique_ptr<Dialect> make_push(const Door& door, bool events) {
  return std::make_unique<PushDialect>(door, events);
}

std::unique_ptr<Dialect> make_nchan_publisher(const Door& door) {
  return std::make_unique<NchanPublisher>(door);
}

std::unique_ptr<Dialect> make_api_publisher(const Door& door, uint32_t batch) {
  return std::make_unique<ApiDialect>(door, batch);
}

}  // namespace parley::bench
