// Unpredictable bytes from the operating system's generator. Deterministic code (hub, sessions,
// adapters) takes ids as arguments or through IdSource, so that the simulator can seed them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace parley {

void random_bytes(std::span<uint8_t> out);
uint64_t random_u64();

// Where ids come from: the operating system in the server, a seeded generator in tests.
class IdSource {
 public:
  virtual ~IdSource() = default;
  virtual uint64_t next_u64() = 0;
};

class SystemIdSource final : public IdSource {
 public:
  uint64_t next_u64() override { return random_u64(); }
};

// A UUID in its 16 bytes; nil where there is none yet.
struct Uuid {
  uint64_t high = 0;
  uint64_t low = 0;
  bool nil() const { return high == 0 && low == 0; }
};
// A random one, version 4 (RFC 9562 5.4).
Uuid uuid4(IdSource& ids);
// Its 36 character form.
std::string to_string(const Uuid& uuid);

}  // namespace parley
