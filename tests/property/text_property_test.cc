// Small texts: base64, numbers, escapes, queries, patterns, channel names and event ids, each
// against the plainest code that does the same.
#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "adapter/eventsource/event_id.h"
#include "auth/bearer.h"
#include "auth/permissions.h"
#include "base/base64.h"
#include "base/glob.h"
#include "codec/http1/syntax.h"
#include "codec/http1/uri.h"
#include "session/decimal.h"
#include "tests/property/generators.h"

namespace parley::testing {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Bit by bit (RFC 4648 4).
Bytes plain_base64(ByteView bytes) {
  std::vector<bool> bits;
  for (const char c : bytes)
    for (int bit = 7; bit >= 0; --bit) bits.push_back(static_cast<uint8_t>(c) >> bit & 1);
  while (bits.size() % 6 != 0) bits.push_back(false);
  Bytes out;
  for (size_t at = 0; at < bits.size(); at += 6) {
    size_t value = 0;
    for (size_t i = 0; i < 6; ++i) value = value * 2 + bits[at + i];
    out += kBase64[value];
  }
  while (out.size() % 4 != 0) out += '=';
  return out;
}

Bytes for_urls(Bytes text) {
  std::erase(text, '=');
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

RC_GTEST_PROP(TextProperty, Base64IsThatOfAPlainEncoderAndComesBack, ()) {
  const Bytes bytes = *any_bytes();
  Bytes padded, url;
  append_base64(padded, bytes);
  append_base64url(url, bytes);
  RC_ASSERT(padded == plain_base64(bytes));
  RC_ASSERT(url == for_urls(padded));
  RC_ASSERT(decode_base64(padded) == bytes);
  RC_ASSERT(decode_base64url(url) == bytes);
}

// What is accepted is exactly what the encoder would have written.
RC_GTEST_PROP(TextProperty, Base64HasOneSpelling, ()) {
  Bytes text = plain_base64(*rc::gen::scale(0.1, any_bytes()));
  if (*rc::gen::arbitrary<bool>()) text = *text_of("AQgw+/-_= ");
  const auto bytes = decode_base64(text);
  if (bytes) RC_ASSERT(plain_base64(*bytes) == text);
  const auto url = decode_base64url(text);
  if (url) RC_ASSERT(for_urls(plain_base64(*url)) == text);
}

template <class Int>
void check_uint(std::string_view text) {
  uint64_t plain = 0;
  bool good = !text.empty();
  for (const char c : text) {
    const auto digit = static_cast<uint64_t>(c - '0');
    good = good && c >= '0' && c <= '9';
    good = good && plain <= (std::numeric_limits<Int>::max() - digit) / 10;
    plain = plain * 10 + digit;
  }
  Int value = 0;
  RC_ASSERT(parse_uint(text, value) == good);
  if (good) RC_ASSERT(value == plain);
}

RC_GTEST_PROP(TextProperty, NumbersAreReadAsDigitByDigit, (uint64_t number)) {
  const Bytes text = *rc::gen::oneOf(text_of("0123456789"), text_of("0189-+ x"),
                                     rc::gen::just(std::to_string(number)));
  check_uint<uint8_t>(text);
  check_uint<uint32_t>(text);
  check_uint<uint64_t>(text);
  Buffer written;
  append_uint(written, number);
  RC_ASSERT(written == std::to_string(number));
}

TEST(TextDifferential, EachByteAsAHexadecimalDigit) {
  constexpr std::string_view kLower = "0123456789abcdef", kUpper = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const size_t at = std::min(kLower.find(c), kUpper.find(c));
    EXPECT_EQ(codec::http1::hex_value(c), at == kLower.npos ? -1 : static_cast<int>(at)) << byte;
  }
}

// Escapes every byte, or only those that must be.
Bytes escaped(ByteView bytes, bool all) {
  constexpr std::string_view kHex = "0123456789abcdef";
  Bytes out;
  for (const char c : bytes) {
    const bool plain = codec::http1::is_digit(c) || codec::http1::is_alpha(c);
    if (plain && !all) {
      out += c;
    } else {
      out += {'%', kHex[static_cast<uint8_t>(c) / 16], kHex[static_cast<uint8_t>(c) % 16]};
    }
  }
  return out;
}

RC_GTEST_PROP(TextProperty, EscapesComeBack, (bool all)) {
  const Bytes bytes = *any_bytes();
  RC_ASSERT(codec::http1::percent_decode(escaped(bytes, all)) == bytes);
}

RC_GTEST_PROP(TextProperty, EscapesAreRefusedWhereTheyAreCut, ()) {
  const Bytes text = *text_of("%aF0g+");
  bool good = true;
  Bytes plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const auto digit = [&](size_t at) {
      return at < text.size() && std::string_view("aF0").find(text[at]) != Bytes::npos;
    };
    good = good && digit(i + 1) && digit(i + 2);
    if (!good) break;
    plain += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  const auto decoded = codec::http1::percent_decode(text);
  RC_ASSERT(decoded.has_value() == good);
  if (good) RC_ASSERT(*decoded == plain);
}

RC_GTEST_PROP(TextProperty, QueriesComeBack, (bool all)) {
  using Params = std::vector<codec::http1::QueryParam>;
  const auto param = rc::gen::pair(rc::gen::nonEmpty(any_bytes()), any_bytes());
  const Params params = *rc::gen::scale(0.3, rc::gen::container<Params>(param));
  Bytes query;
  for (const auto& [name, value] : params)
    query += (query.empty() ? "" : "&") + escaped(name, all) + "=" + escaped(value, all);
  RC_ASSERT(codec::http1::parse_query(query) == params);
  for (const auto& [name, value] : params) {
    const auto first = std::ranges::find(params, name, &codec::http1::QueryParam::first);
    RC_ASSERT(codec::http1::find_query_param(query, name) == first->second);
  }
}

bool plain_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return plain_match(pattern.substr(1), text) ||
           (!text.empty() && plain_match(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         plain_match(pattern.substr(1), text.substr(1));
}

RC_GTEST_PROP(TextProperty, PatternsMatchAsAPlainMatcherDoes, ()) {
  const Bytes pattern = (*text_of("ab:*?*")).substr(0, 10);
  const Bytes channel = (*text_of("ab:")).substr(0, 12);
  RC_ASSERT(glob_match(pattern, channel) == (pattern.empty() || plain_match(pattern, channel)));
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts(1);
  while (!text.empty()) {
    const bool here = !separator.empty() && text.starts_with(separator);
    if (here) {
      parts.emplace_back();
    } else {
      parts.back() += text[0];
    }
    text.remove_prefix(here ? separator.size() : 1);
  }
  return parts;
}

// How Centrifugo's documents describe a name: [$][namespace:]rest[#user,user].
RC_GTEST_PROP(TextProperty, ChannelNamesAreReadAsAPlainReaderDoes, ()) {
  const Bytes channel = *text_of("a1:#,$"), user = *text_of("a1");
  const auth::ChannelSyntax syntax{.namespace_boundary = *rc::gen::element<Bytes>(":", "::", ""),
                                   .user_separator = *rc::gen::element<Bytes>(",", "")};
  const auth::ChannelName name = auth::parse_channel(syntax, channel);
  const bool is_private = channel[0] == '$';
  RC_ASSERT(name.is_private == is_private);
  const Bytes plain = channel.substr(is_private);
  const auto parts = split(plain, syntax.namespace_boundary);
  RC_ASSERT(name.name_space == (parts.size() > 1 ? parts[0] : ""));
  RC_ASSERT(name.rest == (parts.size() > 1
                              ? plain.substr(parts[0].size() + syntax.namespace_boundary.size())
                              : channel));
  const auto by_users = split(channel, "#");
  RC_ASSERT(name.user_limited == (by_users.size() > 1));
  const auto users = split(by_users.back(), syntax.user_separator);
  const bool listed =
      by_users.size() > 1 && !user.empty() && std::ranges::find(users, user) != users.end();
  RC_ASSERT(name.lists(user) == listed);
}

// docs/guarantees.md: who may subscribe, in the order of Centrifugo's channel permission model.
RC_GTEST_PROP(TextProperty, MaySubscribeAsThePlainRulesSay,
              (bool clients, bool anonymous, bool limited, bool insecure, bool token)) {
  const auth::PermissionOptions options{.allow_subscribe_for_client = clients,
                                        .allow_subscribe_for_anonymous = anonymous,
                                        .allow_user_limited_channels = limited};
  auth::PermissionRules rules{.without_namespace = options, .namespaces = {options}};
  rules.namespaces[0].name = "ab";
  rules.connect.insecure = insecure;
  const auto built = auth::Permissions::build(std::move(rules));
  RC_ASSERT(built.has_value());
  const Bytes channel = *rc::gen::element<Bytes>("", "$", "ab:", "$ab:", "b:") + *text_of("ab1#,"),
              user = *text_of("ab1");
  const auth::ChannelSyntax syntax;
  const auto name = auth::parse_channel(syntax, channel);
  auth::Verdict expected = auth::Verdict::kDeny;
  if (channel.empty()) {
    expected = auth::Verdict::kBadName;
  } else if (name.name_space != "" && name.name_space != "ab") {
    expected = auth::Verdict::kUnknownChannel;
  } else if (token) {
    expected = auth::Verdict::kAllow;
  } else if (channel[0] != '$') {
    const bool for_all = clients && (anonymous || !user.empty());
    const bool may = name.user_limited && limited ? name.lists(user) : for_all;
    if (may || insecure) expected = auth::Verdict::kAllow;
  }
  RC_ASSERT((*built)->check({.user = user}, channel, auth::Verb::kSubscribe, {.token = token}) ==
            expected);
}

// A number written out: sign, 40 digits before the point and 40 behind it.
struct Written {
  bool negative;
  Bytes digits;
  int exponent;
  size_t point;

  Bytes text() const {
    Bytes out = negative ? "-" : "";
    out += digits.substr(0, point) + "." + digits.substr(point);
    return exponent == 0 ? out : out + "e" + std::to_string(exponent);
  }
  Bytes expanded() const {
    Bytes out(80, '0');
    for (size_t i = 0; i < digits.size(); ++i)
      out[40 - point + i + static_cast<size_t>(-exponent)] = digits[i];
    return out;
  }
};

Written any_number() {
  Written made{.negative = *rc::gen::arbitrary<bool>(),
               .digits = (*rc::gen::nonEmpty(text_of("0019"))).substr(0, 15),
               .exponent = *rc::gen::inRange(-20, 20),
               .point = 0};
  made.point = *rc::gen::inRange<size_t>(0, made.digits.size() + 1);
  return made;
}

RC_GTEST_PROP(TextProperty, DecimalsCompareAsWrittenOut, ()) {
  const Written a = any_number(), b = any_number();
  const Bytes zero(80, '0'), left = a.expanded(), right = b.expanded();
  const bool a_below = a.negative && left != zero, b_below = b.negative && right != zero;
  auto expected = left <=> right;
  if (a_below && b_below) expected = right <=> left;
  if (a_below != b_below) expected = b_below <=> a_below;
  RC_LOG() << a.text() << " and " << b.text();
  RC_ASSERT(session::compare_decimals(a.text(), b.text()) == expected);
}

RC_GTEST_PROP(TextProperty, EventIdsComeBack, (uint64_t boot, uint64_t offset)) {
  using adapter::eventsource::parse_event_id;
  const hub::StreamPosition position{{.boot = boot | 1,
                                      .counter = *rc::gen::arbitrary<uint32_t>(),
                                      .generation = *rc::gen::arbitrary<uint32_t>()},
                                     offset};
  const Bytes id = adapter::eventsource::to_event_id(position);
  RC_ASSERT(parse_event_id(id) == position);
  const Bytes wrong = damaged(id, {{*rc::gen::arbitrary<uint16_t>(), 0x80}});
  RC_ASSERT(!parse_event_id(wrong));
  RC_ASSERT(!parse_event_id(id.substr(0, id.find('.'))));
}

RC_GTEST_PROP(TextProperty, BearerTokensComeBack, (uint8_t spaces)) {
  const Bytes token = *rc::gen::nonEmpty(text_of("abc.-_~+/="));
  const Bytes scheme = *rc::gen::element<Bytes>("Bearer", "bearer", "BEARER");
  RC_ASSERT(auth::bearer_token(scheme + Bytes(1 + spaces % 3, ' ') + token) == token);
  RC_ASSERT(auth::bearer_token(scheme + token).empty());
  RC_ASSERT(auth::bearer_token("Basic " + token).empty());
}

}  // namespace
}  // namespace parley::testing
