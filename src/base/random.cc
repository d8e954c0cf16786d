#include "base/random.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/random.h>

#include "base/check.h"

namespace parley {

void random_bytes(std::span<uint8_t> out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = getrandom(out.data() + done, out.size() - done, 0);
    if (n < 0 && errno == EINTR) continue;
    CHECK(n > 0);
    done += static_cast<size_t>(n);
  }
}

uint64_t random_u64() {
  // One system call per 512 bytes: ids are drawn for each connection.
  thread_local std::array<uint64_t, 64> pool;
  thread_local size_t left = 0;
  if (left == 0) {
    random_bytes({reinterpret_cast<uint8_t*>(pool.data()), sizeof pool});
    left = pool.size();
  }
  const uint64_t value = pool[--left];
  pool[left] = 0;
  return value;
}

Uuid uuid4(IdSource& ids) {
  const uint64_t high = (ids.next_u64() & ~0xf000ull) | 0x4000ull;
  return {high, (ids.next_u64() & ~(3ull << 62)) | (2ull << 62)};
}

std::string to_string(const Uuid& uuid) {
  static constexpr char kHex[] = "0123456789abcdef";
  const uint64_t words[2] = {uuid.high, uuid.low};
  std::string text(36, '-');
  size_t at = 0;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) ++at;
    text[at++] = kHex[(words[i / 16] >> (60 - 4 * (i % 16))) & 15];
  }
  return text;
}

}  // namespace parley
