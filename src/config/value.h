// The value of one option, and its text forms.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"

namespace parley::config {

using Strings = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;
using Value = std::variant<bool, int64_t, std::string, Duration, Strings, StringMap>;

enum class Type : uint8_t {
  kBool,
  kInt,
  kString,
  kDuration,  // "25s", "1m30s", "300ms"
  kStrings,   // a list of strings
  kMap,       // a map of strings
  kObjects,   // a list of maps with options of their own
};

std::string_view type_name(Type type);  // "a duration such as 25s"

// A duration as Go writes it: numbers with units (ns, us, ms, s, m, h), "1m30s", "1.5h"; "0" alone
// needs none. Not negative. The error says what to write.
std::expected<Duration, std::string> parse_duration(std::string_view text);
std::string duration_text(Duration duration);

// Decimal, without leading zeros.
std::expected<int64_t, std::string> parse_int(std::string_view text);

// A value as the environment and the command line hold it: lists are separated by spaces. Not for
// kMap and kObjects, which are JSON there.
std::expected<Value, std::string> parse_value(Type type, std::string_view text);

// The inverse of parse_value(); a map is written as {}.
std::string value_text(const Value& value);

}  // namespace parley::config
