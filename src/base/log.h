// Structured logging: a constant message plus key=value fields; console or JSON lines. Any thread
// may log.
//   log::warn("too few file descriptors", {{"limit", 1024}, {"advice", "raise ulimit -n"}});
// Never on a path that a peer can trigger without a rate limit: use log::Limited there.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace parley::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kConsole, kJson };

struct Field {
  std::string_view key;
  std::variant<std::string_view, int64_t, uint64_t, double, bool> value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, std::floating_point auto v) : key(k), value(static_cast<double>(v)) {}
  Field(std::string_view k, std::signed_integral auto v) : key(k), value(static_cast<int64_t>(v)) {}
  Field(std::string_view k, std::unsigned_integral auto v)
      : key(k), value(static_cast<uint64_t>(v)) {}
};

// Sets where and how to write; call once at start. Logs go to stderr.
void configure(Level level, Format format);
bool enabled(Level level);
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::kDebug, m, f);
}
inline void info(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::kInfo, m, f);
}
inline void warn(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::kWarn, m, f);
}
inline void error(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::kError, m, f);
}

// Lets through one call per `interval_ms` of monotonic milliseconds; for messages that a peer can
// provoke. One per shard.
class Limited {
 public:
  explicit Limited(int64_t interval_ms) : interval_ms_(interval_ms) {}
  // True when the caller may log now.
  bool pass(int64_t now_ms) {
    if (now_ms < next_ms_) return false;
    next_ms_ = now_ms + interval_ms_;
    return true;
  }

 private:
  int64_t interval_ms_;
  int64_t next_ms_ = 0;
};

}  // namespace parley::log
