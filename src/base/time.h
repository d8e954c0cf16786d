// Time types. Nothing below io/ and server/ reads a clock: "now" is an argument.
#pragma once

#include <chrono>
#include <cstdint>

namespace parley {

using Duration = std::chrono::nanoseconds;
// Monotonic time of this process.
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// Milliseconds since 1970, for people and for wire formats; never for deciding order.
using WallMillis = int64_t;

// The two clocks, read once per turn by the shard and handed down.
struct Now {
  Time mono{};
  WallMillis wall = 0;
};

using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace parley
