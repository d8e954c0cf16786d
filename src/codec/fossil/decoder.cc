#include "codec/fossil/decoder.h"

#include "codec/fossil/digits.h"

namespace parley::codec::fossil {
namespace {

bool take_mark(ByteView& text, char mark) {
  if (text.empty() || text.front() != mark) return false;
  text.remove_prefix(1);
  return true;
}

// Nothing: the delta has ended well.
std::expected<bool, DecodeError> take_segment(ByteView base, ByteView& delta, size_t size,
                                              size_t start, Buffer& out) {
  uint32_t count = 0;
  if (!take_number(delta, count) || delta.empty()) return std::unexpected(DecodeError::kSyntax);
  const char kind = delta.front();
  delta.remove_prefix(1);
  const size_t made = out.size() - start;
  if (kind == ';') {
    if (!delta.empty()) return std::unexpected(DecodeError::kSyntax);
    if (made != size) return std::unexpected(DecodeError::kWrongSize);
    if (checksum(ByteView(out).substr(start)) != count)
      return std::unexpected(DecodeError::kWrongBytes);
    return false;
  }
  if (count > size - made) return std::unexpected(DecodeError::kTooLarge);
  if (kind == ':') {
    if (count > delta.size()) return std::unexpected(DecodeError::kSyntax);
    out.append(delta.substr(0, count));
    delta.remove_prefix(count);
    return true;
  }
  uint32_t from = 0;
  if (kind != '@' || !take_number(delta, from) || !take_mark(delta, ','))
    return std::unexpected(DecodeError::kSyntax);
  if (from > base.size() || count > base.size() - from)
    return std::unexpected(DecodeError::kNotOfBase);
  out.append(base.substr(from, count));
  return true;
}

}  // namespace

std::expected<void, DecodeError> decode(ByteView base, ByteView delta, size_t max_bytes,
                                        Buffer& out) {
  const size_t start = out.size();
  uint32_t size = 0;
  if (!take_number(delta, size) || !take_mark(delta, '\n'))
    return std::unexpected(DecodeError::kSyntax);
  if (size > max_bytes) return std::unexpected(DecodeError::kTooLarge);
  for (;;) {
    const auto more = take_segment(base, delta, size, start, out);
    if (more && *more) continue;
    if (more) return {};
    out.resize(start);
    return std::unexpected(more.error());
  }
}

}  // namespace parley::codec::fossil
