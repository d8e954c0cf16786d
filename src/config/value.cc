#include "config/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/bytes.h"

namespace parley::config {
namespace {

struct Unit {
  std::string_view name;
  int64_t nanoseconds;
};

// Longer names first where one begins with another.
constexpr std::array kUnits = {
    Unit{"ns", 1},
    Unit{"us", 1'000},
    Unit{"µs", 1'000},
    Unit{"ms", 1'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"h", 3'600'000'000'000},
};

// 100 years: a third of what a Duration holds, so that adding one to a Time is always safe.
constexpr double kMaxNanoseconds = 100.0 * 365 * 24 * 3600 * 1e9;

std::unexpected<std::string> not_a_duration(std::string_view text) {
  const bool bare = !text.empty() && text.find_first_not_of("0123456789.") == text.npos;
  if (bare)
    return std::unexpected(
        fmt::format("{} has no unit; write {}s, {}ms or {}m", text, text, text, text));
  return std::unexpected(
      fmt::format("\"{}\" is not a duration; write such as \"25s\", \"1m30s\" or \"300ms\"", text));
}

// Takes "25" or "1.5" from the front.
bool take_number(std::string_view& text, double& fraction, int64_t& whole) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  whole = 0;
  fraction = 0;
  if (digits > 0 && !parse_uint(text.substr(0, digits), whole)) return false;
  text.remove_prefix(digits);
  if (!text.starts_with('.')) return digits > 0;
  text.remove_prefix(1);
  const size_t decimals = std::min(text.find_first_not_of("0123456789"), text.size());
  double scale = 0.1;
  for (size_t n = 0; n < decimals; ++n, scale /= 10) fraction += (text[n] - '0') * scale;
  text.remove_prefix(decimals);
  return digits + decimals > 0;
}

std::expected<bool, std::string> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::unexpected(fmt::format("\"{}\" is neither true nor false", text));
}

Strings split_at_spaces(std::string_view text) {
  Strings out;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kBool:
      return "true or false";
    case Type::kInt:
      return "a whole number";
    case Type::kString:
      return "a string";
    case Type::kDuration:
      return "a duration such as \"25s\"";
    case Type::kStrings:
      return "a list of strings";
    case Type::kMap:
      return "a map of strings";
    case Type::kObjects:
      return "a list of maps";
  }
  return {};
}

std::expected<Duration, std::string> parse_duration(std::string_view text) {
  if (text == "0") return Duration(0);
  std::string_view rest = text;
  double total = 0;
  int64_t exact = 0;
  while (!rest.empty()) {
    int64_t whole = 0;
    double fraction = 0;
    if (!take_number(rest, fraction, whole)) return not_a_duration(text);
    const auto* unit =
        std::ranges::find_if(kUnits, [&](const Unit& one) { return rest.starts_with(one.name); });
    if (unit == kUnits.end()) return not_a_duration(text);
    rest.remove_prefix(unit->name.size());
    total += (static_cast<double>(whole) + fraction) * static_cast<double>(unit->nanoseconds);
    if (total > kMaxNanoseconds)
      return std::unexpected(fmt::format("{} is too long; at most 100 years", text));
    exact +=
        whole * unit->nanoseconds + std::llround(fraction * static_cast<double>(unit->nanoseconds));
  }
  if (text.empty()) return not_a_duration(text);
  return Duration(exact);
}

std::string duration_text(Duration duration) {
  int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string out;
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    if (unit->name == "µs" || rest < unit->nanoseconds) continue;
    out += fmt::format("{}{}", rest / unit->nanoseconds, unit->name);
    rest %= unit->nanoseconds;
  }
  return out;
}

std::expected<int64_t, std::string> parse_int(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (error == std::errc::result_out_of_range)
    return std::unexpected(fmt::format("{} is too large", text));
  if (error != std::errc{} || end != text.data() + text.size())
    return std::unexpected(fmt::format("\"{}\" is not a whole decimal number", text));
  if (digits.size() > 1 && digits.starts_with('0'))
    return std::unexpected(fmt::format("{} begins with a zero; write {}", text, number));
  return number;
}

std::expected<Value, std::string> parse_value(Type type, std::string_view text) {
  switch (type) {
    case Type::kBool:
      return parse_bool(text);
    case Type::kInt:
      return parse_int(text);
    case Type::kDuration:
      return parse_duration(text);
    case Type::kStrings:
      return split_at_spaces(text);
    case Type::kString:
    case Type::kMap:
    case Type::kObjects:
      break;
  }
  return std::string(text);
}

std::string value_text(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  if (const auto* duration = std::get_if<Duration>(&value)) return duration_text(*duration);
  if (const auto* list = std::get_if<Strings>(&value))
    return fmt::format("{}", fmt::join(*list, " "));
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return "{}";
}

}  // namespace parley::config
