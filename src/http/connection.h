// One HTTP/1.1 connection of a client.
#pragma once

#include <memory>

#include "codec/http1/request_decoder.h"
#include "http/server.h"

namespace parley::http {

struct Response {
  int status = 200;
  std::string_view content_type;
  ByteView body;
  std::span<const HeaderView> headers = {};
};

// What: decodes requests, has them answered one at a time and in order, keeps the connection alive
// between them (RFC 9112). Owner: its io::Socket. Shard: the socket's. Failure: a request that
// cannot be understood is answered with the status that says so and ends the connection; so does
// one that is late. Between requests it holds no memory beyond itself.
class Connection final : public io::SocketHandler, private TimerNode, private Resumable {
 public:
  explicit Connection(Server& server);
  ~Connection() override;

  // For Exchange.
  Server& server() { return server_; }
  io::Socket& socket() { return *socket_; }
  void respond(const Request& request, const Response& response);
  UpgradeSocket hand_over();

 private:
  enum class Waiting : uint8_t { kNothing, kFirstRequest, kHeaders, kBody, kWrite, kNextRequest };

  void on_opened(io::Socket& socket) override;
  void on_input(std::span<char> bytes) override;
  io::AfterPeerEnd on_peer_end() override;
  void gather(io::OutSlices& out) override;
  void consumed(size_t n) override;
  void on_closed(io::CloseReason reason) override;
  void on_timer(const Now& now) override;
  void resume() override;

  bool answering() const { return exchange_ && !exchange_->answered(); }
  bool may_serve() const;
  bool may_read() const;
  void limit_reads();
  size_t process(ByteView in);
  bool is_stranger(const Request& request) const;
  void start_body(ByteView behind);
  void serve(ByteView behind);
  // The request that is being decoded.
  void refuse(int status, std::string_view reason, std::string_view allow = {});
  void write(const Response& response, bool head_only, bool close, bool say_keep_alive);
  void close_when_sent();

  size_t unsent() const { return output_.size() - sent_; }
  Waiting waits_for() const;
  Duration patience(Waiting what) const;
  void watch();
  void stop_watch();

  Server& server_;
  io::Socket* socket_ = nullptr;
  codec::http1::RequestDecoder decoder_;
  Buffer output_;
  size_t sent_ = 0;    // of output_
  Buffer unserved_;    // came behind a request that is still being answered
  size_t served_ = 0;  // of unserved_
  ByteView behind_;    // the request that is being handled, in the same input
  std::unique_ptr<Exchange> exchange_;
  Waiting waiting_ = Waiting::kNothing;
  bool used_ = false;  // had a request
  bool in_body_ = false;
  bool continue_due_ = false;  // the client waits for a 100 before it sends the body
  bool serving_ = false;       // inside Handler::handle()
  bool closing_ = false;       // nothing more is decoded
  bool handed_over_ = false;
  bool peer_ended_ = false;
};

}  // namespace parley::http
