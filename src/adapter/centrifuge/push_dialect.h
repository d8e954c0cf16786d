// How publications are written to clients, for both encodings and all shapes.
#pragma once

#include <array>

#include "adapter/centrifuge/wire_publication.h"

namespace parley::adapter::centrifuge {

// What: the dialect of one shape in one encoding: `Encoder` is wire::JsonEncoder or its sibling.
// Owner: its codec. Stateless.
template <class Encoder>
class PushDialect final : public session::Dialect {
 public:
  PushDialect(const Codec& codec, session::MessageType type, Shape shape)
      : codec_(codec), type_(type), shape_(shape) {}

  session::MessageType type() const override { return type_; }

  void encode(const hub::LocalChannel& channel, const hub::Publication& publication,
              Buffer& out) const override {
    const std::string_view name = channel.key().name;
    switch (publication.change) {
      case hub::Change::kEnter:
        return Encoder::push(out, name, wire::JoinPush{to_wire(*publication.publisher)});
      case hub::Change::kLeave:
        return Encoder::push(out, name, wire::LeavePush{to_wire(*publication.publisher)});
      case hub::Change::kUpdate:
        return;  // the protocol has no word for it
      case hub::Change::kMessage:
        break;
    }
    LivePublication message(codec_, channel, publication);
    push(out, channel, message);
  }

  bool encode_delta(const hub::LocalChannel& channel, const hub::Publication& publication,
                    const hub::Publication& base, Buffer& out) const override {
    LivePublication message(codec_, channel, publication);
    if (!message.become_delta(codec_, base)) return false;
    push(out, channel, message);
    return true;
  }

 private:
  void push(Buffer& out, const hub::LocalChannel& channel, LivePublication& message) const {
    message.get().data_as_string = shape_.delta;
    if (shape_.compact) return Encoder::push_numbered(out, channel.number(), message.get());
    Encoder::push(out, channel.key().name, message.get());
  }

  const Codec& codec_;
  const session::MessageType type_;
  const Shape shape_;
};

// The dialects of one encoding, by shape.
template <class Encoder>
class PushDialects {
 public:
  PushDialects(const Codec& codec, session::MessageType type)
      : dialects_{{{codec, type, {.delta = false, .compact = false}},
                   {codec, type, {.delta = false, .compact = true}},
                   {codec, type, {.delta = true, .compact = false}},
                   {codec, type, {.delta = true, .compact = true}}}} {}
  const session::Dialect& of(Shape shape) const {
    return dialects_[(shape.delta ? 2 : 0) + (shape.compact ? 1 : 0)];
  }

 private:
  std::array<PushDialect<Encoder>, 4> dialects_;
};

}  // namespace parley::adapter::centrifuge
