// The session logic of one client protocol, without socket, clock or thread: inputs in, effects
// out.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/access.h"
#include "auth/authenticator.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/time.h"
#include "hub/broker.h"
#include "hub/control.h"
#include "hub/local_channels.h"
#include "hub/requester.h"
#include "hub/subscription.h"
#include "session/end_reason.h"
#include "session/transport_link.h"
#include "session/uplinks.h"

namespace parley::session {

class Effects;

// How a protocol writes publications. Stateless and shared by all sessions of the protocol: a
// publication is encoded once per dialect and framing, not once per subscriber. A protocol whose
// subscribers may choose has further dialects (session/variant.h).
class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual MessageType type() const = 0;
  // Appends one message for the publication: a message, a presence change, or, where the dialect
  // cannot carry the content kind, what the protocol says instead. Appending nothing skips it.
  virtual void encode(const hub::LocalChannel& channel, const hub::Publication& publication,
                      Buffer& out) const = 0;
  // ... as the change that makes it of `base`, the publication before it. False, and nothing
  // appended: the whole is as good.
  virtual bool encode_delta(const hub::LocalChannel&, const hub::Publication&,
                            const hub::Publication& /*base*/, Buffer& /*out*/) const {
    return false;
  }
};

// The adapter's own name of a subscription; 0 is none. Never reused by a session while something of
// it may still arrive.
using SubscriptionHandle = uint32_t;

// What an adapter's timers are for; each adapter has one of each.
enum class TimerId : uint8_t { kHandshake, kPing, kPong, kOther };
inline constexpr size_t kTimers = 4;

// Whom a session belongs to, so that an application's backend can address it. The user is "" for
// an anonymous one; what a protocol does not have is "".
struct Identity {
  std::string_view user;
  std::string client;        // the public id of the session, under which it is present
  std::string_view session;  // the secret one, where a protocol has it
};

// What the client's software says of itself. Borrows the adapter.
struct Description {
  std::string_view app_name;  // "": it does not say
  std::string_view app_version;
  std::string_view encoding;  // of its messages, or the protocol, where that has only one
};

// What: one client's protocol logic. Owner: its Session. Shard: the session's. Calls nothing but
// its Effects; whatever it asks for is answered by a later input. Failure: effects.end(reason).
class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual std::string_view protocol() const = 0;  // for people and metrics: "centrifuge"
  virtual const Dialect& dialect() const = 0;

  virtual void on_open(const Handshake& handshake, Effects& effects) = 0;
  virtual void on_message(MessageType type, ByteView message, Effects& effects) = 0;
  virtual void on_subscribed(SubscriptionHandle handle,
                             std::expected<hub::Subscribed, hub::HubError> result,
                             Effects& effects) = 0;
  virtual void on_answer(hub::StepId step, hub::Answer answer, Effects& effects) = 0;
  // The answer to a publish that was done: nearly all of them are this one.
  virtual void on_published(hub::StepId step, const hub::Published& published, Effects& effects) {
    on_answer(step, hub::Answer(published), effects);
  }
  // What Effects::verify() asked for. Protocols without tokens never ask.
  virtual void on_verified(hub::StepId, auth::TokenResult, Effects&) {}
  // Publications of the subscription are missing; what follows comes after the gap, unless the
  // adapter unsubscribes.
  virtual void on_gap(SubscriptionHandle handle, const hub::Gap& gap, Effects& effects) = 0;
  virtual void on_timer(TimerId timer, Effects& effects) = 0;
  // Asked for from Effects::identify() on, after which it does not change.
  virtual Identity identity() const { return {}; }
  virtual Description describe() const {
    return {.app_name = {}, .app_version = {}, .encoding = protocol()};
  }
  // The backend wants this of the session; anything but a disconnect.
  virtual void on_control(const hub::Control&, Effects&) {}
  // The session ends; last words may be sent. Gives the protocol's code for it.
  virtual EndCode on_end(EndReason reason, Effects& effects) = 0;
  // The same for kDisconnected, where the backend chose code and words. Protocols that can carry
  // them override this.
  virtual EndCode on_disconnect(const EndCode& asked, Effects& effects);
};

inline EndCode Adapter::on_disconnect(const EndCode&, Effects& effects) {
  return on_end(EndReason::kDisconnected, effects);
}

// Makes the adapter of a new session. One per protocol and server; any shard.
class AdapterFactory {
 public:
  virtual ~AdapterFactory() = default;
  virtual std::unique_ptr<Adapter> make() const = 0;
  // What a request with a message for one of its sessions says (session/uplinks.h). Nothing: it
  // cannot be read. Protocols whose clients send beside a stream override this.
  virtual std::optional<UplinkMessage> read_uplink(MessageType, ByteView /*request*/) const {
    return std::nullopt;
  }
};

}  // namespace parley::session
