#include "base/log.h"

#include <atomic>
#include <memory>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace parley::log {
namespace {

std::atomic<Level> current_level{Level::kInfo};
std::atomic<Format> current_format{Format::kConsole};

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_logger_mt("parley");
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

constexpr std::string_view level_name(Level level) {
  constexpr std::string_view kNames[] = {"debug", "info", "warn", "error", "off"};
  return kNames[static_cast<int>(level)];
}

void append_json_string(fmt::memory_buffer& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Bytes outside ASCII are shown as code units: a log line must stay valid whatever a peer
      // sent.
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void append_value(fmt::memory_buffer& out, const Field& field) {
  std::visit(
      [&out](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          append_json_string(out, value);
        } else {
          fmt::format_to(std::back_inserter(out), "{}", value);
        }
      },
      field.value);
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::now();
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t secs = millis / 1000;
  std::tm utc{};
  gmtime_r(&secs, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     millis % 1000);
}

}  // namespace

void configure(Level level, Format format) {
  current_level.store(level, std::memory_order_relaxed);
  current_format.store(format, std::memory_order_relaxed);
}

bool enabled(Level level) { return level >= current_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  fmt::memory_buffer out;
  if (current_format.load(std::memory_order_relaxed) == Format::kJson) {
    fmt::format_to(std::back_inserter(out), R"({{"time":"{}","level":"{}","message":)", timestamp(),
                   level_name(level));
    append_json_string(out, message);
    for (const Field& field : fields) {
      fmt::format_to(std::back_inserter(out), ",\"{}\":", field.key);
      append_value(out, field);
    }
    out.push_back('}');
  } else {
    fmt::format_to(std::back_inserter(out), "{} {:<5} {}", timestamp(), level_name(level), message);
    for (const Field& field : fields) {
      fmt::format_to(std::back_inserter(out), " {}=", field.key);
      append_value(out, field);
    }
  }
  logger().log(spdlog::level::info, std::string_view(out.data(), out.size()));
  if (level >= Level::kError) logger().flush();
}

}  // namespace parley::log
