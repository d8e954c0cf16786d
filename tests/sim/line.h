// One client's connection: bytes on a line that is slow, breaks, or goes silent.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "session/session.h"
#include "session/transport_link.h"
#include "tests/sim/simulation.h"

namespace parley::sim {

class SimShard;
class Line;

// How the client is told that the connection has ended; 0: it merely broke.
struct Closing {
  uint16_t code = 0;
  std::string text = {};
};

// The other end of lines. Owner: the world; outlives its lines.
class LineUser {
 public:
  virtual ~LineUser() = default;
  virtual void on_bytes(std::string_view bytes) = 0;
  virtual void on_closed(const Closing& closing) = 0;
};

struct LineOptions {
  Duration delay_from = milliseconds(1);
  Duration delay_to = milliseconds(20);
  size_t socket_bytes = 64 << 10;  // that the server's side takes before the client has read
};

// What: a transport without a socket. What the client sends arrives whole and in order; what the
// session lends goes into a bounded socket buffer and arrives in order, cut anywhere. Owner: shared
// by client, shard and what is on its way. Failure: cut(), go_silent().
class Line final : public session::TransportLink, public std::enable_shared_from_this<Line> {
 public:
  Line(Simulation& sim, const LineOptions& options, const session::Framing& framing, LineUser& user)
      : sim_(sim), options_(options), framing_(framing), user_(&user) {}

  // The client's side.
  void send(std::string message);
  void hang_up();                      // in order: the server is told
  void abandon() { user_ = nullptr; }  // nothing is told to the client any more
  void read(bool reading);             // whether it takes what arrives
  // What happens to the line: it breaks and both ends notice, or neither does.
  void cut();
  void go_silent() { silent_ = true; }
  void mend() { options_ = {}; }  // as good as new, unless it is broken
  bool broken() const { return silent_ || closed_; }

  // The server's side.
  void carry(SimShard& shard, session::Session& session);
  bool carrying() const { return session_ != nullptr; }
  bool woken() const { return woken_; }
  // Lends what others share, to be written together; nothing: flush() has to be called.
  ByteView lend_shared();
  void write_shared(ByteView lent);
  // Writes what the socket takes.
  void flush();
  // The server is no more; its sessions die without a word.
  void server_gone();

  const session::Framing& framing() const override { return framing_; }
  void wake(bool reply) override;
  void end(session::EndReason reason, const session::EndCode& code) override;
  void pause_input(bool paused) override;
  // The client's kernel confirms what arrives, whether the client reads it or not.
  bool unheard(Duration time) const override {
    return unconfirmed_ > 0 && sim_.now().mono - heard_ >= time;
  }

 private:
  struct End {
    session::EndReason reason;
    Closing closing;
  };
  Duration delay() { return sim_.between(options_.delay_from, options_.delay_to); }
  // A moment on the way there or back, behind everything that left before.
  Time arrival(Time& last);
  void take_input();
  void release(session::EndReason reason);
  void ship(std::string bytes);
  void ship_closing(Closing closing);
  void confirm();
  void arrive();
  void hand_over();
  void freed(size_t bytes);

  Simulation& sim_;
  LineOptions options_;
  const session::Framing& framing_;
  LineUser* user_;
  SimShard* shard_ = nullptr;
  session::Session* session_ = nullptr;
  Time last_up_{}, last_down_{};
  std::deque<std::string> inbox_;                        // arrived, not taken
  std::deque<std::variant<std::string, Closing>> down_;  // on its way, then at the client unread
  size_t arrived_ = 0;                                   // ... of which have arrived
  size_t unread_ = 0;                                    // bytes in the socket buffer
  size_t unconfirmed_ = 0;                               // pieces that were sent
  Time heard_{};  // when one was confirmed last, or sent where none was left
  std::optional<End> end_;
  bool woken_ = false;
  bool paused_ = false;
  bool reading_ = true;
  bool silent_ = false;
  bool closed_ = false;  // no more arrives anywhere
};

}  // namespace parley::sim
