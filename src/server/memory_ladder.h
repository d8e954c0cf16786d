// What is shed when memory runs out, and when. Why so: docs/adr/0016-overflow-and-overload.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace parley::server {

// How far up the ladder the process is; each step does what those before it do.
enum class MemoryStep : uint8_t {
  kNone,
  kSave,    // publishers are slowed, sockets may be idle for less long, nothing is compressed
  kRefuse,  // nobody new comes in, nothing is published
  kEnd,     // those with the most waiting output are ended
};
inline constexpr size_t kMemorySteps = 4;

// What: turns bytes in use into a step. It is left only when five parts of a hundred less are in
// use than where it begins, so that it does not flicker. Owner: the server, one per process.
class MemoryLadder {
 public:
  // `limit` 0: there is none.
  explicit MemoryLadder(size_t limit) : limit_(limit) {}
  MemoryStep update(size_t used);
  MemoryStep step() const { return step_; }

 private:
  size_t limit_;
  MemoryStep step_ = MemoryStep::kNone;
};

// What this process holds in memory; 0 where the system does not say.
size_t resident_bytes();
// Gives back to the system what was freed but is kept for later, of all threads. The allocator does
// that by itself within some seconds. Nothing where the build has none of its own (sanitizers).
void return_free_memory();

}  // namespace parley::server
