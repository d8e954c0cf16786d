// The fields of one Protobuf message, one after the other.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <protozero/pbf_reader.hpp>

#include "base/bytes.h"
#include "base/utf8.h"

namespace parley::http_api {

// Usage: while (fields.next()) switch (fields.number()) { case 1: fields.text(name); ... }, then
// good(). A field that nobody reads is skipped; one of another wire type than asked for is an
// error, and so is what is no Protobuf at all: from then on next() says false. A temporary; borrows
// the message, and what it returns points into it.
class ProtobufFields {
 public:
  explicit ProtobufFields(ByteView message) : in_(message.data(), message.size()) {}

  bool next() {
    return guard([&] {
      if (unread_) skip();
      unread_ = good_ && in_.next();
      return unread_;
    });
  }
  uint32_t number() const { return in_.tag(); }
  bool good() const { return good_; }
  void fail() { good_ = false; }

  void bytes(ByteView& out) {
    guard([&] { return take(protozero::pbf_wire_type::length_delimited) && view(out); });
  }
  void text(std::string_view& out) {
    ByteView view;
    bytes(view);
    if (!is_valid_utf8(view)) return fail();
    out = view;
  }
  void text(std::string& out) {
    std::string_view view;
    text(view);
    out = view;
  }
  // As everywhere in Protobuf, a varint that is too large for its field loses its upper bits.
  template <std::integral T>
  void number(T& out) {
    guard([&] {
      if (!take(protozero::pbf_wire_type::varint)) return false;
      const uint64_t value = in_.get_uint64();
      out = std::same_as<T, bool> ? value != 0 : static_cast<T>(value);
      return true;
    });
  }

 private:
  // protozero throws; nothing else here does.
  template <class Step>
  bool guard(Step step) {
    if (!good_) return false;
    try {
      return step();
    } catch (const protozero::exception&) {
      good_ = false;
      return false;
    }
  }
  bool take(protozero::pbf_wire_type type) {
    unread_ = false;
    if (in_.wire_type() != type) good_ = false;
    return good_;
  }
  // protozero cuts lengths to 32 bits, so that a huge one would pass for a small one.
  bool view(ByteView& out) {
    const protozero::data_view rest = in_.data();
    const char* at = rest.data();
    if (protozero::decode_varint(&at, rest.data() + rest.size()) > rest.size()) {
      good_ = false;
      return false;
    }
    const protozero::data_view taken = in_.get_view();
    out = {taken.data(), taken.size()};
    return true;
  }
  void skip() {
    ByteView unused;
    if (in_.wire_type() == protozero::pbf_wire_type::length_delimited) {
      view(unused);
    } else {
      in_.skip();
    }
  }

  protozero::pbf_reader in_;
  bool unread_ = false;
  bool good_ = true;
};

}  // namespace parley::http_api
