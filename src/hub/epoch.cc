#include "hub/epoch.h"

#include <charconv>

#include "base/bytes.h"

namespace parley::hub {
namespace {

void append_base36(std::string& out, uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 36).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

// Takes one canonical base-36 number (no sign, no leading zero, lower case) off the front of
// `text`.
template <class Int>
bool take_base36(std::string_view& text, Int& value) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
  if (text.empty() || !is_digit(text[0]) ||
      (text[0] == '0' && text.size() > 1 && is_digit(text[1])))
    return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 36);
  if (error != std::errc{}) return false;
  const size_t used = static_cast<size_t>(end - text.data());
  for (const char c : text.substr(0, used))
    if (!is_digit(c)) return false;
  text.remove_prefix(used);
  return true;
}

}  // namespace

std::string to_string(const Epoch& epoch) {
  std::string out;
  if (!epoch.known()) return out;
  append_base36(out, epoch.boot);
  if (epoch.counter == 0 && epoch.generation == 0) return out;
  out += '-';
  append_base36(out, epoch.counter);
  if (epoch.generation == 0) return out;
  out += '-';
  append_base36(out, epoch.generation);
  return out;
}

std::optional<Epoch> parse_epoch(std::string_view text) {
  Epoch epoch;
  if (text.empty()) return epoch;
  const std::string_view whole = text;
  if (!take_base36(text, epoch.boot) || epoch.boot == 0) return std::nullopt;
  for (uint32_t* part : {&epoch.counter, &epoch.generation}) {
    if (text.empty()) break;
    if (text[0] != '-') return std::nullopt;
    text.remove_prefix(1);
    if (!take_base36(text, *part)) return std::nullopt;
  }
  // Only the canonical text is accepted, so that equal epochs have equal texts.
  if (!text.empty() || to_string(epoch) != whole) return std::nullopt;
  return epoch;
}

std::string_view to_string(GapReason reason) {
  static constexpr std::string_view kNames[kGapReasons] = {
      "retention", "epoch_changed", "rolled_back", "overflow", "conflated", "unsupported"};
  return kNames[static_cast<int>(reason)];
}

}  // namespace parley::hub
