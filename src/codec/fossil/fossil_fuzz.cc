// What the encoder makes is smaller than the target, and the decoder makes the target of it; in a
// delta between texts all is text; and no delta whatever makes the decoder leave its bounds.
#include <cstdint>
#include <cstdlib>

#include "base/utf8.h"
#include "codec/fossil/decoder.h"
#include "codec/fossil/encoder.h"

namespace parley::codec::fossil {
namespace {

void round_trip(ByteView base, ByteView target, Cuts cuts) {
  static Encoder encoder;
  Buffer delta;
  if (!encoder.encode(base, target, cuts, delta)) {
    if (!delta.empty()) std::abort();
    return;
  }
  if (delta.size() >= target.size()) std::abort();
  Buffer made;
  if (!decode(base, delta, target.size(), made) || made != target) std::abort();
  if (cuts == Cuts::kAtCharacters && !is_valid_utf8(delta)) std::abort();
}

}  // namespace
}  // namespace parley::codec::fossil

// Bytes 0 and 1: where the base ends. The rest: base, then target.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::codec::fossil;
  if (size < 2) return 0;
  const parley::ByteView input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t border = (data[0] * 256u + data[1]) % (input.size() + 1);
  const parley::ByteView base = input.substr(0, border), other = input.substr(border);
  round_trip(base, other, Cuts::kAnywhere);
  if (parley::is_valid_utf8(other)) round_trip(base, other, Cuts::kAtCharacters);

  constexpr size_t kMost = 4096;
  parley::Buffer made = "before";
  const bool good = decode(base, other, kMost, made).has_value();
  if (made.size() > 6 + kMost || (!good && made != "before")) std::abort();
  return 0;
}
