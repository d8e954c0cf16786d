#include "session/decimal.h"

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace parley::session {
namespace {

struct Decimal {
  std::string_view digits;  // from the first that is not 0 on, perhaps with the point; empty: zero
  int64_t magnitude = 0;    // the first digit counts 10^magnitude
  bool negative = false;
};

bool take_sign(std::string_view& text) {
  if (text.empty() || (text.front() != '-' && text.front() != '+')) return false;
  const bool negative = text.front() == '-';
  text.remove_prefix(1);
  return negative;
}

bool is_mantissa(std::string_view text) {
  const auto points = std::ranges::count(text, '.');
  const auto digits = std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return points <= 1 && digits > 0 && static_cast<size_t>(points + digits) == text.size();
}

std::optional<int64_t> parse_exponent(std::string_view text) {
  constexpr size_t kMostDigits = 5;
  const bool negative = take_sign(text);
  uint32_t value = 0;
  if (text.size() > kMostDigits || !parse_uint(text, value)) return std::nullopt;
  return negative ? -int64_t{value} : int64_t{value};
}

std::optional<Decimal> parse(std::string_view text) {
  Decimal made;
  made.negative = take_sign(text);
  const size_t mark = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, mark);
  if (!is_mantissa(mantissa)) return std::nullopt;
  int64_t exponent = 0;
  if (mark != text.npos) {
    const auto parsed = parse_exponent(text.substr(mark + 1));
    if (!parsed) return std::nullopt;
    exponent = *parsed;
  }
  const size_t first = mantissa.find_first_not_of("0.");
  if (first == mantissa.npos) return Decimal{};
  const auto point = static_cast<int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const auto at = static_cast<int64_t>(first);
  made.magnitude = point - at - (at < point ? 1 : 0) + exponent;
  made.digits = mantissa.substr(first);
  return made;
}

// Of numbers of one magnitude, without their signs.
std::strong_ordering compare_digits(std::string_view a, std::string_view b) {
  const auto take = [](std::string_view& text) {
    if (!text.empty() && text.front() == '.') text.remove_prefix(1);
    if (text.empty()) return '0';
    const char digit = text.front();
    text.remove_prefix(1);
    return digit;
  };
  while (!a.empty() || !b.empty()) {
    const auto order = take(a) <=> take(b);
    if (order != 0) return order;
  }
  return std::strong_ordering::equal;
}

}  // namespace

std::optional<std::strong_ordering> compare_decimals(std::string_view a, std::string_view b) {
  const auto left = parse(a), right = parse(b);
  if (!left || !right) return std::nullopt;
  const auto sign = [](const Decimal& d) { return d.digits.empty() ? 0 : d.negative ? -1 : 1; };
  if (sign(*left) != sign(*right) || sign(*left) == 0) return sign(*left) <=> sign(*right);
  auto order = left->magnitude <=> right->magnitude;
  if (order == 0) order = compare_digits(left->digits, right->digits);
  return left->negative ? 0 <=> order : order;
}

}  // namespace parley::session
