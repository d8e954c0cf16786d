#include "auth/permissions.h"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "auth/capabilities.h"
#include "base/utf8.h"

namespace parley::auth {
namespace {

// What a verb other than subscribe asks of a namespace.
struct VerbRule {
  bool PermissionOptions::* client;
  bool PermissionOptions::* subscriber;
  bool PermissionOptions::* anonymous;
  bool PermissionOptions::* feature;  // nullptr: every namespace has it
};

VerbRule rule_of(Verb verb) {
  using Options = PermissionOptions;
  switch (verb) {
    case Verb::kPresence:
      return {&Options::allow_presence_for_client, &Options::allow_presence_for_subscriber,
              &Options::allow_presence_for_anonymous, &Options::presence};
    case Verb::kJoinLeave:
      return {&Options::allow_presence_for_client, &Options::allow_presence_for_subscriber,
              &Options::allow_presence_for_anonymous, &Options::join_leave};
    case Verb::kHistory:
      return {&Options::allow_history_for_client, &Options::allow_history_for_subscriber,
              &Options::allow_history_for_anonymous, &Options::history};
    default:
      return {&Options::allow_publish_for_client, &Options::allow_publish_for_subscriber,
              &Options::allow_publish_for_anonymous, nullptr};
  }
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_printable_utf8(std::string_view text) {
  return is_valid_utf8(text) && std::ranges::none_of(text, is_control);
}

bool is_namespace_name(std::string_view name) {
  return name.size() >= 2 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

// "$a:x" would be read as a private channel of "a", not as one of "$a".
bool is_reachable(const ChannelSyntax& syntax, const std::string& name_space) {
  if (syntax.namespace_boundary.empty()) return true;
  const std::string example = name_space + syntax.namespace_boundary + "x";
  const ChannelName name = parse_channel(syntax, example);
  return !name.is_private && name.name_space == name_space;
}

std::string where(const std::string& name) {
  return name.empty() ? std::string("channel.without_namespace")
                      : fmt::format("channel namespace \"{}\"", name);
}

Result<void> check_syntax(const ChannelSyntax& syntax) {
  if (syntax.max_length == 0 || syntax.max_length > kMaxChannelLength)
    return fail(fmt::format("channel.max_length must be 1 to {}", kMaxChannelLength));
  const std::pair<const char*, const std::string&> marks[] = {
      {"private_prefix", syntax.private_prefix},
      {"namespace_boundary", syntax.namespace_boundary},
      {"user_boundary", syntax.user_boundary},
      {"user_separator", syntax.user_separator}};
  for (const auto& [key, mark] : marks) {
    if (!is_printable_ascii(mark))
      return fail(fmt::format("channel.{} must be printable ASCII", key));
    for (const auto& [other_key, other] : marks)
      if (&mark != &other && !mark.empty() && mark == other)
        return fail(fmt::format("channel.{} and channel.{} are both \"{}\"", key, other_key, mark));
  }
  return {};
}

// A personal channel's name must lead back to its namespace and its user.
Result<void> check_personal(const PermissionRules& rules) {
  const std::string& wanted = rules.personal_channel_namespace;
  if (!rules.connect.personal_channel) return {};
  if (rules.syntax.user_boundary.empty())
    return fail("personal channels need channel.user_boundary, which is switched off");
  if (wanted.empty()) return {};
  if (rules.syntax.namespace_boundary.empty())
    return fail(
        fmt::format("personal channels are in namespace \"{}\", but "
                    "channel.namespace_boundary is switched off",
                    wanted));
  if (std::ranges::find(rules.namespaces, wanted, &PermissionOptions::name) ==
      rules.namespaces.end())
    return fail(fmt::format("no namespace is named \"{}\", where personal channels are", wanted));
  return {};
}

// A pattern may match more than its author thought of: it does not reach what a mark in the name
// keeps for those with a subscription token, or for other users.
bool has_capability(const Principal& who, std::string_view channel, const ChannelName& name,
                    bool minds_users, Verb verb) {
  if (who.caps == nullptr || name.is_private) return false;
  const bool limited = name.user_limited && minds_users;
  return (!limited || name.lists(who.user)) && who.caps->of(channel).covers(verb);
}

}  // namespace

Permissions::Permissions(PermissionRules& rules)
    : syntax_(std::move(rules.syntax)),
      connect_(std::move(rules.connect)),
      personal_namespace_(std::move(rules.personal_channel_namespace)) {}

Permissions::~Permissions() = default;

Result<std::unique_ptr<Permissions>> Permissions::build(PermissionRules rules) {
  TRY(check_syntax(rules.syntax));
  TRY(check_personal(rules));
  std::unique_ptr<Permissions> built(new Permissions(rules));
  rules.without_namespace.name.clear();
  TRY(built->add(std::move(rules.without_namespace)));
  built->without_namespace_ = &built->namespaces_.find("")->second;
  for (PermissionOptions& options : rules.namespaces) {
    if (!is_namespace_name(options.name))
      return fail(
          fmt::format("\"{}\" cannot be a namespace's name: two or more of a-z A-Z 0-9 - _ "
                      "and . are needed",
                      options.name));
    if (!is_reachable(built->syntax_, options.name))
      return fail(
          fmt::format("no channel can be in namespace \"{}\": its name holds a mark of "
                      "channel names",
                      options.name));
    TRY(built->add(std::move(options)));
  }
  return built;
}

Result<void> Permissions::add(PermissionOptions&& options) {
  std::unique_ptr<re2::RE2> regex;
  if (!options.channel_regex.empty()) {
    regex = std::make_unique<re2::RE2>(options.channel_regex, re2::RE2::Quiet);
    if (!regex->ok())
      return fail(fmt::format("channel_regex of {} is not a regular expression (RE2): {}",
                              where(options.name), regex->error()));
  }
  const std::string name = options.name;
  if (!namespaces_.try_emplace(name, std::move(options), std::move(regex)).second)
    return fail(fmt::format("{} is there twice", where(name)));
  return {};
}

std::string Permissions::personal_channel(const Principal& who) const {
  if (!connect_.personal_channel || who.user.empty()) return {};
  std::string channel;
  if (!personal_namespace_.empty()) channel = personal_namespace_ + syntax_.namespace_boundary;
  channel += syntax_.user_boundary + who.user;
  const ChannelName name = parse_channel(syntax_, channel);
  const Namespace* found = find(name.name_space);
  // A user id with a separator or boundary in it would open the channel to other users.
  if (name.name_space != personal_namespace_ || name.is_private || name.users != who.user ||
      !name.lists(who.user) || found == nullptr || channel.size() > syntax_.max_length ||
      !permits_name(*found, channel, name.rest))
    return {};
  return channel;
}

const Permissions::Namespace* Permissions::find(std::string_view name_space) const {
  if (name_space.empty()) return without_namespace_;
  const auto found = namespaces_.find(name_space);
  return found == namespaces_.end() ? nullptr : &found->second;
}

bool Permissions::permits_name(const Namespace& ns, std::string_view channel,
                               std::string_view rest) {
  if (!ns.regex) return is_printable_ascii(channel);
  return is_printable_utf8(channel) &&
         re2::RE2::PartialMatch(re2::StringPiece(rest.data(), rest.size()), *ns.regex);
}

Verdict Permissions::decide(const Principal& who, std::string_view channel, Verb verb,
                            Standing standing) const {
  if (channel.empty() || channel.size() > syntax_.max_length) return Verdict::kBadName;
  const ChannelName name = parse_channel(syntax_, channel);
  const Namespace* found = find(name.name_space);
  if (found == nullptr) return Verdict::kUnknownChannel;
  if (!permits_name(*found, channel, name.rest)) return Verdict::kBadName;
  const PermissionOptions& options = found->options;
  const bool has_personal = connect_.personal_channel && name.name_space == personal_namespace_;
  const bool minds_users = options.allow_user_limited_channels || has_personal;
  const auto granted = [&] { return has_capability(who, channel, name, minds_users, verb); };
  if (verb == Verb::kSubscribe) {
    const Verdict verdict = decide_subscribe(who, name, options, standing);
    return verdict == Verdict::kDeny && granted() ? Verdict::kAllow : verdict;
  }

  const VerbRule rule = rule_of(verb);
  if (rule.feature != nullptr && !(options.*rule.feature)) return Verdict::kNotAvailable;
  const bool named = !who.user.empty() || options.*rule.anonymous;
  const bool may = options.*rule.client || (standing.subscribed && options.*rule.subscriber);
  const bool allowed =
      (named && may) || connect_.insecure || standing.allow.covers(verb) || granted();
  return allowed ? Verdict::kAllow : Verdict::kDeny;
}

Verdict Permissions::decide_subscribe(const Principal& who, const ChannelName& name,
                                      const PermissionOptions& options, Standing standing) const {
  if (standing.token) return Verdict::kAllow;
  // Not even `insecure` opens a private channel.
  if (name.is_private) return Verdict::kDeny;
  if (connect_.insecure) return Verdict::kAllow;
  if (name.user_limited && options.allow_user_limited_channels)
    return name.lists(who.user) ? Verdict::kAllow : Verdict::kDeny;
  const bool named = !who.user.empty() || options.allow_subscribe_for_anonymous;
  return options.allow_subscribe_for_client && named ? Verdict::kAllow : Verdict::kDeny;
}

}  // namespace parley::auth
