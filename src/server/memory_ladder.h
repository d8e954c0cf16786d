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
// Gives back to the system what was freed but is kept for later. Takes milliseconds, or more where
// there is much of it.
void return_free_memory();
// The part of it that only the thread which freed it can give back: malloc_trim() (glibc 2.36)
// leaves the free end of every heap but the first, megabytes behind the last block of a crowd.
void return_end_of_heap();
// From now on what is large goes back as soon as it is freed, whatever small things lie behind it:
// messages that never ended, bodies, answers that nobody read. Otherwise it stays with the process
// until return_free_memory(), which holds up every shard for half a microsecond per KiB.
void return_large_blocks_at_once();

}  // namespace parley::server
