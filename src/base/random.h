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

// A random UUID, version 4 (RFC 9562 5.4), in its 36 character form.
std::string uuid4(IdSource& ids);

}  // namespace parley
