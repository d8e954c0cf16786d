#include "auth/token_claims.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "auth/capability_claims.h"
#include "base/base64.h"
#include "codec/json/reader.h"
#include "codec/json/write.h"

namespace parley::auth {
namespace {

using codec::json::Kind;
using codec::json::Reader;

// Beyond this (285,000 years) a date is no date, and its milliseconds would not be exact.
constexpr double kMaxSeconds = 9'007'199'254'740.0;

// The claims that say something about one subscription or connection.
struct Described {
  Buffer info, data;
  std::optional<Buffer> decoded_info, decoded_data;  // win

  Buffer final_info() { return std::move(decoded_info ? *decoded_info : info); }
  Buffer final_data() { return std::move(decoded_data ? *decoded_data : data); }
};

bool read_text(Reader& reader, std::string& out) {
  std::string_view text;
  if (reader.null() || !reader.string(text)) return false;
  out = text;
  return true;
}

// On one line, since some wire formats end a message at a line break.
void read_json(Reader& reader, Buffer& out) {
  out.clear();
  if (!reader.null()) codec::json::append_compact(out, reader.raw());
}

void read_base64(Reader& reader, std::optional<Buffer>& out) {
  std::string text;
  if (!read_text(reader, text) || text.empty()) return;
  out = decode_base64(text);
  if (!out) reader.fail();
}

// A NumericDate (RFC 7519 2): it may have a fraction.
void read_date(Reader& reader, std::optional<WallMillis>& out) {
  if (reader.null()) return;
  const bool is_number = reader.kind() == Kind::kNumber;
  const ByteView digits = reader.raw();
  double seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (!is_number || error != std::errc{} || end != digits.data() + digits.size() ||
      std::abs(seconds) > kMaxSeconds) {
    reader.fail();
    return;
  }
  out = static_cast<WallMillis>(std::floor(seconds * 1000));
}

void read_switch(Reader& reader, std::optional<bool>& out) {
  if (reader.null() || !reader.object()) return;
  bool value = false;
  for (std::string_view key; reader.key(key);)
    if (key == "value") reader.boolean(value);
  out = value;
}

void read_overrides(Reader& reader, SubscribeOverride& out) {
  static constexpr std::pair<std::string_view, std::optional<bool> SubscribeOverride::*> kNames[] =
      {{"presence", &SubscribeOverride::presence},
       {"join_leave", &SubscribeOverride::join_leave},
       {"force_push_join_leave", &SubscribeOverride::force_push_join_leave},
       {"force_positioning", &SubscribeOverride::force_positioning},
       {"force_recovery", &SubscribeOverride::force_recovery}};
  if (reader.null() || !reader.object()) return;
  for (std::string_view key; reader.key(key);)
    for (const auto& [name, member] : kNames)
      if (key == name) read_switch(reader, out.*member);
}

// The members that a claim of `subs` and a subscription token share; false for any other.
bool read_described(Reader& reader, std::string_view key, Described& out,
                    SubscribeOverride& overrides) {
  if (key == "info") {
    read_json(reader, out.info);
  } else if (key == "b64info") {
    read_base64(reader, out.decoded_info);
  } else if (key == "data") {
    read_json(reader, out.data);
  } else if (key == "b64data") {
    read_base64(reader, out.decoded_data);
  } else if (key == "override") {
    read_overrides(reader, overrides);
  } else {
    return false;
  }
  return true;
}

void read_audience(Reader& reader, std::vector<std::string>& out) {
  std::string one;
  if (reader.kind() != Kind::kArray) {
    if (read_text(reader, one)) out.push_back(std::move(one));
    return;
  }
  reader.array();
  for (std::string_view text; reader.element();)
    if (reader.string(text)) out.emplace_back(text);
}

void read_subscription(Reader& reader, Grant& out) {
  if (reader.null() || !reader.object()) return;
  Described described;
  for (std::string_view key; reader.key(key);)
    read_described(reader, key, described, out.overrides);
  out.info = described.final_info();
  out.data = described.final_data();
}

void read_subscriptions(Reader& reader, std::vector<Grant>& out) {
  if (reader.null() || !reader.object()) return;
  for (std::string_view channel; reader.key(channel);) {
    out.push_back({.channel = std::string(channel)});
    read_subscription(reader, out.back());
  }
}

// Each name counts once, in the order of the token.
void read_channels(Reader& reader, std::vector<Grant>& out) {
  if (reader.null() || !reader.array()) return;
  std::set<std::string, std::less<>> seen;
  for (std::string_view channel; reader.element();)
    if (reader.string(channel) && seen.emplace(channel).second)
      out.push_back({.channel = std::string(channel)});
}

void read_object(Reader& reader, Buffer& out) {
  if (reader.null()) return;
  if (reader.kind() != Kind::kObject) {
    reader.fail();
    return;
  }
  read_json(reader, out);
}

class ClaimReader {
 public:
  ClaimReader(TokenUse use, const ClaimOptions& options) : use_(use), options_(options) {}

  void member(Reader& reader, std::string_view key) {
    if (key == options_.user_claim) {
      read_text(reader, out_.claims.user);
    } else if (read_registered(reader, key)) {
      return;
    } else if (use_ != TokenUse::kSubscribe) {
      read_for_connection(reader, key);
    } else {
      read_for_subscription(reader, key);
    }
  }

  std::optional<TokenClaims> finish() {
    if ((use_ == TokenUse::kSubscribe) == channel_.empty()) return std::nullopt;
    Claims& claims = out_.claims;
    if (use_ != TokenUse::kSubscribe) {
      claims.info = described_.final_info();
      claims.subscriptions = std::move(subs_.empty() ? channels_ : subs_);
    } else {
      claims.grant.channel = std::move(channel_);
      claims.grant.info = described_.final_info();
      claims.grant.data = described_.final_data();
    }
    const auto expires = expire_at_ ? expire_at_ : out_.expires;
    const bool never = !expires || (expire_at_ && *expire_at_ <= 0);
    if (!never) claims.expires_at = to_seconds(*expires);
    if (issued_at_) claims.id.issued_at = to_seconds(*issued_at_);
    return std::move(out_);
  }

 private:
  static int64_t to_seconds(WallMillis millis) {
    return millis / 1000 - (millis % 1000 < 0 ? 1 : 0);
  }

  bool read_registered(Reader& reader, std::string_view key) {
    if (key == "exp") {
      read_date(reader, out_.expires);
    } else if (key == "nbf") {
      read_date(reader, out_.not_before);
    } else if (key == "expire_at") {
      read_date(reader, expire_at_);
    } else if (key == "iss") {
      read_text(reader, out_.issuer);
    } else if (key == "aud") {
      read_audience(reader, out_.audience);
    } else if (key == "channel") {
      read_text(reader, channel_);
    } else if (key == "jti") {
      read_text(reader, out_.claims.id.uid);
    } else if (key == "iat") {
      read_date(reader, issued_at_);
    } else {
      return false;
    }
    return true;
  }

  void read_for_connection(Reader& reader, std::string_view key) {
    if (key == "info") {
      read_json(reader, described_.info);
    } else if (key == "b64info") {
      read_base64(reader, described_.decoded_info);
    } else if (key == "channels") {
      read_channels(reader, channels_);
    } else if (key == "subs") {
      read_subscriptions(reader, subs_);
    } else if (key == "meta") {
      read_object(reader, out_.claims.meta);
    } else if (key == "caps") {
      read_capabilities(reader, options_.caps, out_.caps);
    }
  }

  void read_for_subscription(Reader& reader, std::string_view key) {
    if (key == "client") {
      read_text(reader, out_.claims.client);
    } else if (key == "allow") {
      read_allowed(reader, out_.claims.grant.allow);
    } else {
      read_described(reader, key, described_, out_.claims.grant.overrides);
    }
  }

  TokenUse use_;
  const ClaimOptions& options_;
  TokenClaims out_;
  Described described_;
  std::string channel_;
  std::optional<WallMillis> expire_at_;
  std::optional<WallMillis> issued_at_;
  std::vector<Grant> channels_;
  std::vector<Grant> subs_;
};

}  // namespace

bool is_reserved_claim(std::string_view name) {
  static constexpr std::string_view kReserved[] = {
      "exp",     "nbf",  "expire_at", "iss",      "aud",      "channel", "info",
      "b64info", "data", "b64data",   "override", "channels", "subs",    "meta",
      "client",  "caps", "allow",     "jti",      "iat",
  };
  return std::ranges::find(kReserved, name) != std::end(kReserved);
}

std::optional<TokenClaims> read_claims(TokenUse use, ByteView json, const ClaimOptions& options) {
  codec::json::Scratch scratch;
  Reader reader(json, scratch, {.max_depth = options.max_depth});
  ClaimReader claims(use, options);
  if (reader.object())
    for (std::string_view key; reader.key(key);) claims.member(reader, key);
  if (!reader.finish()) return std::nullopt;
  return claims.finish();
}

}  // namespace parley::auth
