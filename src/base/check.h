// CHECK is for our own bugs: it prints and aborts, in release builds too. Never use it on a peer's
// input or on an operating error.
#pragma once

namespace parley {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace parley

#define CHECK(condition)                               \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::parley::check_failed(#condition, __FILE__, __LINE__))
