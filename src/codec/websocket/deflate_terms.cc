#include "codec/websocket/deflate_terms.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "codec/websocket/header_text.h"

namespace parley::codec::websocket {
namespace {

constexpr std::string_view kName = "permessage-deflate";
constexpr uint8_t kMinWindow = 8;
constexpr uint8_t kMaxWindow = 15;

enum class Value : uint8_t { kNone, kBits, kBitsOrNone };
struct Parameter {
  std::string_view name;
  Value value;
};
enum : size_t { kServerNoContext, kClientNoContext, kServerWindow, kClientWindow, kParameters };
constexpr std::array<Parameter, kParameters> kKnown = {{
    {"server_no_context_takeover", Value::kNone},
    {"client_no_context_takeover", Value::kNone},
    {"server_max_window_bits", Value::kBits},
    {"client_max_window_bits", Value::kBitsOrNone},
}};

// "8" to "15", without leading zeros (7.1.2.1).
std::optional<uint8_t> parse_window(std::string_view text) {
  uint8_t bits = 0;
  if (text.starts_with('0') || !parse_uint(text, bits)) return {};
  if (bits < kMinWindow || bits > kMaxWindow) return {};
  return bits;
}

// What: one offer, judged parameter by parameter.
class Offer {
 public:
  explicit Offer(bool deflate) : good_(deflate) {}

  void take(std::string_view name, const std::optional<std::string>& value) {
    const auto known = std::ranges::find_if(
        kKnown, [&](const Parameter& p) { return equals_ignoring_case(name, p.name); });
    if (known == kKnown.end()) return decline();
    const auto index = static_cast<size_t>(known - kKnown.begin());
    if (std::exchange(seen_[index], true)) return decline();
    if (!value) {
      if (known->value == Value::kBits) decline();
      return;
    }
    const auto bits = known->value == Value::kNone ? std::nullopt : parse_window(*value);
    if (!bits) return decline();
    if (index == kServerWindow) asked_ = *bits;
  }

  std::optional<DeflateTerms> terms() const {
    if (!good_) return {};
    // Any window that is not larger than the asked one will do (7.1.2.1).
    const auto window = std::ranges::find_if(kServerWindows, [&](int w) { return w <= asked_; });
    if (window == kServerWindows.end()) return {};
    return DeflateTerms{*window, seen_[kServerWindow]};
  }

 private:
  void decline() { good_ = false; }

  bool good_;
  std::array<bool, kParameters> seen_{};
  uint8_t asked_ = kMaxWindow;
};

// What: reads the header's parts one after the other; white space may stand between any two.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() {
    skip_space();
    return text_.empty();
  }
  bool take(char c) {
    skip_space();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Empty: there is none.
  std::string_view token() {
    skip_space();
    const auto end = std::ranges::find_if_not(text_, is_token_character);
    const auto token = text_.substr(0, static_cast<size_t>(end - text_.begin()));
    text_.remove_prefix(token.size());
    return token;
  }
  // A token, or a quoted string that is one once it is unquoted. Empty: neither.
  std::string value() {
    if (!take('"')) return std::string(token());
    std::string out;
    while (!text_.empty()) {
      if (text_.front() == '"') {
        text_.remove_prefix(1);
        return out;
      }
      if (text_.front() == '\\') text_.remove_prefix(1);
      if (text_.empty() || !is_token_character(text_.front())) return {};
      out += text_.front();
      text_.remove_prefix(1);
    }
    return {};
  }

 private:
  void skip_space() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t"), text_.size())); }

  std::string_view text_;
};

// False: malformed.
bool read_parameters(Reader& reader, Offer& offer) {
  while (reader.take(';')) {
    const std::string_view name = reader.token();
    if (name.empty()) return false;
    std::optional<std::string> value;
    if (reader.take('=')) {
      value = reader.value();
      if (value->empty()) return false;
    }
    offer.take(name, value);
  }
  return true;
}

}  // namespace

std::string DeflateTerms::answer() const {
  std::string out(kName);
  for (const size_t always : {kServerNoContext, kClientNoContext})
    out.append("; ").append(kKnown[always].name);
  if (window_named)
    out.append("; ").append(kKnown[kServerWindow].name).append("=") +=
        std::to_string(server_window);
  return out;
}

Result<std::optional<DeflateTerms>, MalformedExtensions> negotiate_deflate(
    std::string_view extensions) {
  constexpr auto kMalformed = std::unexpected(MalformedExtensions{});
  Reader reader(extensions);
  std::optional<DeflateTerms> chosen;
  while (!reader.at_end()) {
    if (reader.take(',')) continue;
    const std::string_view name = reader.token();
    if (name.empty()) return kMalformed;
    Offer offer(equals_ignoring_case(name, kName));
    if (!read_parameters(reader, offer)) return kMalformed;
    if (!reader.at_end() && !reader.take(',')) return kMalformed;
    if (!chosen) chosen = offer.terms();
  }
  return chosen;
}

}  // namespace parley::codec::websocket
