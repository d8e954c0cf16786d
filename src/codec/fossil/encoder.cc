#include "codec/fossil/encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "codec/fossil/digits.h"

namespace parley::codec::fossil {
namespace {

constexpr size_t kBlock = 8;
// What bounds the time for texts that repeat themselves.
constexpr int kMaxCandidates = 16;
constexpr size_t kLongEnough = 256;
// Tables above this are given back.
constexpr size_t kKeptSlots = 1 << 14;

uint64_t block_at(ByteView text, size_t at) {
  uint64_t block;
  std::memcpy(&block, text.data() + at, sizeof block);
  return block;
}

size_t common_prefix(ByteView a, ByteView b) {
  const size_t most = std::min(a.size(), b.size());
  size_t n = 0;
  while (n + kBlock <= most && block_at(a, n) == block_at(b, n)) n += kBlock;
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

size_t common_suffix(ByteView a, ByteView b) {
  const size_t most = std::min(a.size(), b.size());
  size_t n = 0;
  while (n < most && a[a.size() - 1 - n] == b[b.size() - 1 - n]) ++n;
  return n;
}

bool inside_character(ByteView text, size_t at) {
  return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80;
}

uint32_t narrow(size_t n) { return static_cast<uint32_t>(n); }

// Whether the copy is shorter than the bytes, also where it cuts a literal in two.
bool pays(size_t from, size_t length) {
  constexpr size_t kMarks = 2, kLiteralHead = 3;
  return length > digits(narrow(length)) + digits(narrow(from)) + kMarks + kLiteralHead;
}

void append_copy(Buffer& out, size_t from, size_t length) {
  if (length == 0) return;
  append_number(out, narrow(length));
  out.push_back('@');
  append_number(out, narrow(from));
  out.push_back(',');
}

void append_literal(Buffer& out, ByteView bytes) {
  if (bytes.empty()) return;
  append_number(out, narrow(bytes.size()));
  out.push_back(':');
  out.append(bytes);
}

}  // namespace

size_t Encoder::slot_of(uint64_t block) const {
  return static_cast<size_t>((block * 0x9e3779b97f4a7c15u) >> shift_);
}

void Encoder::index(ByteView base) {
  const size_t blocks = base.size() / kBlock;
  const size_t slots = std::max<size_t>(2, std::bit_ceil(blocks));
  shift_ = 64 - std::countr_zero(slots);
  slots_.assign(slots, 0);
  next_.resize(blocks);
  // Backwards, so that of equal blocks the first is found first.
  for (size_t i = blocks; i-- > 0;) {
    uint32_t& slot = slots_[slot_of(block_at(base, i * kBlock))];
    next_[i] = slot;
    slot = narrow(i + 1);
  }
}

// The longest match of those that hold target[at, at + kBlock), not reaching before `floor`.
Encoder::Match Encoder::longest(ByteView base, ByteView target, size_t at, size_t floor) const {
  Match best{0, at, 0};
  const uint64_t wanted = block_at(target, at);
  uint32_t candidate = slots_[slot_of(wanted)];
  for (int tries = 0; candidate != 0 && tries < kMaxCandidates; ++tries) {
    const size_t from = size_t{candidate - 1} * kBlock;
    candidate = next_[candidate - 1];
    if (block_at(base, from) != wanted) continue;
    const size_t ahead = common_prefix(base.substr(from), target.substr(at));
    const size_t behind = common_suffix(base.substr(0, from), target.substr(floor, at - floor));
    if (ahead + behind > best.length) best = {from - behind, at - behind, ahead + behind};
    if (best.length >= kLongEnough) break;
  }
  return best;
}

bool Encoder::encode_middle(ByteView base, ByteView target, Cuts cuts, size_t head, size_t tail,
                            size_t limit, Buffer& out) {
  const size_t end = target.size() - tail;
  const ByteView middle = target.substr(0, end);
  const bool worth_looking = base.size() >= kBlock && end - head >= 2 * kBlock;
  if (worth_looking) index(base);
  size_t literal = head;
  for (size_t at = head; worth_looking && at + kBlock <= end;) {
    Match match = longest(base, middle, at, literal);
    const size_t found = match.length;
    if (cuts == Cuts::kAtCharacters) {
      for (; match.length > 0 && inside_character(target, match.at); --match.length)
        ++match.at, ++match.from;
      while (match.length > 0 && inside_character(target, match.at + match.length)) --match.length;
    }
    if (!pays(match.from, match.length)) {
      // Only what is no text loses much of a match at its borders; it must not be looked at again.
      at += found >= kLongEnough ? found : 1;
      continue;
    }
    append_literal(out, target.substr(literal, match.at - literal));
    append_copy(out, match.from, match.length);
    literal = at = match.at + match.length;
    if (out.size() >= limit) return false;
  }
  append_literal(out, target.substr(literal, end - literal));
  return out.size() < limit;
}

bool Encoder::encode(ByteView base, ByteView target, Cuts cuts, Buffer& out) {
  if (base.size() > kMaxBytes || target.size() > kMaxBytes) return false;
  // Most messages change in one place: what is before and behind it needs no search.
  size_t head = common_prefix(base, target);
  size_t tail = common_suffix(base.substr(head), target.substr(head));
  if (cuts == Cuts::kAtCharacters) {
    while (head > 0 && inside_character(target, head)) --head;
    while (tail > 0 && inside_character(target, target.size() - tail)) --tail;
  }
  if (!pays(0, head)) head = 0;
  if (!pays(base.size() - tail, tail)) tail = 0;

  const size_t start = out.size();
  const size_t limit = start + target.size();
  append_number(out, narrow(target.size()));
  out.push_back('\n');
  append_copy(out, 0, head);
  bool smaller = encode_middle(base, target, cuts, head, tail, limit, out);
  if (smaller) {
    append_copy(out, base.size() - tail, tail);
    append_number(out, checksum(target));
    out.push_back(';');
    smaller = out.size() < limit;
  }
  if (!smaller) out.resize(start);
  if (slots_.size() > kKeptSlots) {
    std::vector<uint32_t>().swap(slots_);
    std::vector<uint32_t>().swap(next_);
  }
  return smaller;
}

}  // namespace parley::codec::fossil
