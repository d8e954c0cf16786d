// What generated input is made of. Small, so that rapidcheck shrinks a failure to few bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rapidcheck.h>

namespace parley::testing {

using Bytes = std::string;

inline rc::Gen<Bytes> any_bytes() { return rc::gen::container<Bytes>(rc::gen::arbitrary<char>()); }

inline void append_utf8(Bytes& out, uint32_t point) {
  const auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  const auto tail = [&](int shift) { put(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xc0 | point >> 6);
  } else {
    if (point < 0x10000) {
      put(0xe0 | point >> 12);
    } else {
      put(0xf0 | point >> 18);
      tail(12);
    }
    tail(6);
  }
  tail(0);
}

// Valid UTF-8 of characters of each length, control characters among them.
inline rc::Gen<Bytes> any_text() {
  const auto character = rc::gen::weightedOneOf<uint32_t>(
      {{6, rc::gen::inRange<uint32_t>(0x20, 0x7f)},
       {1, rc::gen::inRange<uint32_t>(0, 0x20)},
       {1, rc::gen::element<uint32_t>('"', '\\', 0x7f, 0x2028, 0xfeff, 0xfffd)},
       {1, rc::gen::inRange<uint32_t>(0x80, 0x800)},
       {1, rc::gen::inRange<uint32_t>(0x800, 0xd800)},
       {1, rc::gen::inRange<uint32_t>(0xe000, 0x10000)},
       {1, rc::gen::inRange<uint32_t>(0x10000, 0x110000)}});
  return rc::gen::map(rc::gen::container<std::vector<uint32_t>>(character),
                      [](const std::vector<uint32_t>& points) {
                        Bytes out;
                        for (const uint32_t point : points) append_utf8(out, point);
                        return out;
                      });
}

// Text of few characters, so that two of them often have something in common.
inline rc::Gen<Bytes> text_of(std::string_view letters) {
  return rc::gen::container<Bytes>(rc::gen::elementOf(Bytes(letters)));
}

// Sizes of pieces; the last one counts for all the rest.
using CutSizes = std::vector<uint8_t>;
inline rc::Gen<CutSizes> any_cuts() {
  return rc::gen::container<CutSizes>(rc::gen::inRange<uint8_t>(1, 40));
}

inline std::vector<std::string_view> pieces_of(std::string_view input, const CutSizes& sizes) {
  std::vector<std::string_view> pieces;
  for (size_t n = 0; !input.empty(); ++n) {
    const size_t size = sizes.empty() ? input.size() : sizes[std::min(n, sizes.size() - 1)];
    pieces.push_back(input.substr(0, size));
    input.remove_prefix(pieces.back().size());
  }
  return pieces;
}

// Where bytes go wrong on the way: each {place, difference} changes one byte.
using Damage = std::vector<std::pair<uint16_t, uint8_t>>;
inline rc::Gen<Damage> some_damage() { return rc::gen::scale(0.03, rc::gen::arbitrary<Damage>()); }

inline Bytes damaged(Bytes bytes, const Damage& damage) {
  for (const auto& [place, difference] : damage)
    if (!bytes.empty()) {
      char& byte = bytes[place % bytes.size()];
      byte = static_cast<char>(byte ^ difference);
    }
  return bytes;
}

}  // namespace parley::testing
