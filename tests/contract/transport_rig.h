// What the suite over transports knows of one: a rig, which stands in for its clients on a socket.
// A transport joins by one file, NAME_transport_contract_test.cc, that registers its rig:
//   const RegisterTransport registered("Name", [] { return std::make_unique<NameRig>(); });
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "http/router.h"
#include "session/session_table.h"

namespace parley::testing {

// What a client made of the bytes that it received so far.
struct Carried {
  std::vector<std::string> messages;  // whole ones, without what the transport put around them
  bool told_end = false;              // the transport's own word that nothing follows
  bool after_end = false;             // ... and yet something did
};

class TransportRig {
 public:
  virtual ~TransportRig() = default;
  virtual std::string_view name() const = 0;  // as in session::Handshake
  virtual std::unique_ptr<http::Handler> handler(const session::AdapterFactory& adapters,
                                                 session::SessionTable& sessions) = 0;

  // What a client sends to come; `headers` are whole lines.
  virtual std::string request(const std::string& target, const std::string& headers) const = 0;
  // What the answer to it begins with.
  virtual std::string_view answer() const = 0;
  // Takes the answer apart; what is not there yet is left out.
  virtual Carried read(std::string_view received) const = 0;
  // A message that a session may send, which read() gives back as the payload. The payload has no
  // line ends.
  virtual std::string message(const std::string& payload) const { return payload; }
  // What a client sends before it closes in order.
  virtual std::string goodbye() const { return {}; }

  // More than it takes from one client, and how that ends the session.
  virtual std::string too_much() const = 0;
  virtual session::EndReason too_much_is() const = 0;

  // What a client sends for one message; "": the transport goes one way.
  virtual std::string input(const std::string& /*payload*/) const { return {}; }
  bool two_way() const { return !input("x").empty(); }
};

struct RegisteredTransport {
  std::string name;
  std::function<std::unique_ptr<TransportRig>()> make;
};
inline void PrintTo(const RegisteredTransport& rig, std::ostream* out) { *out << rig.name; }

// Those of the files that this binary was linked from.
inline std::vector<RegisteredTransport>& registered_transports() {
  static std::vector<RegisteredTransport> rigs;
  return rigs;
}

class RegisterTransport {
 public:
  RegisterTransport(std::string name, std::function<std::unique_ptr<TransportRig>()> make) {
    registered_transports().push_back({std::move(name), std::move(make)});
  }
};

}  // namespace parley::testing
