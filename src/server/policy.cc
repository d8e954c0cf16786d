#include "server/policy.h"

#include <algorithm>

#include "auth/permissions.h"
#include "base/check.h"
#include "http/trusted_proxies.h"
#include "server/dev_channel_options.h"

namespace parley::server {
namespace {

seconds to_seconds(Duration duration) { return std::chrono::duration_cast<seconds>(duration); }

hub::DataFormat data_format(config::DataFormat format) {
  switch (format) {
    case config::DataFormat::kJson:
      return hub::DataFormat::kJson;
    case config::DataFormat::kJsonObject:
      return hub::DataFormat::kJsonObject;
    case config::DataFormat::kBinary:
      return hub::DataFormat::kBinary;
    case config::DataFormat::kAny:
      break;
  }
  return hub::DataFormat::kNotEmpty;
}

// What is dropped anyway where there is no history to read on from.
hub::OverflowOptions overflow_options(const config::Namespace& space) {
  hub::OverflowOptions options{.max_bytes = space.overflow_max_bytes,
                               .max_delay = space.overflow_max_delay,
                               .max_wait = space.overflow_max_wait};
  const bool history = space.history_size > 0 && space.history_ttl.count() > 0;
  if (space.overflow == config::Overflow::kLatest) {
    options.policy = hub::OverflowPolicy::kLatest;
    options.key = space.overflow_key;
    if (options.max_delay == Duration::zero()) options.max_delay = seconds(1);
  } else if (space.overflow == config::Overflow::kBlock) {
    options.policy = hub::OverflowPolicy::kBlock;
  } else if (space.overflow == config::Overflow::kDropOldest || !history) {
    options.policy = hub::OverflowPolicy::kDropOldest;
  }
  return options;
}

hub::ChannelOptions channel_options(const config::Namespace& space) {
  hub::ChannelOptions options;
  options.history_size = space.history_size;
  options.history_ttl = to_seconds(space.history_ttl);
  options.history_meta_ttl = to_seconds(space.history_meta_ttl);
  options.presence = space.presence;
  options.join_leave = space.join_leave;
  options.positioned = space.force_positioning || space.force_recovery;
  options.recoverable = space.force_recovery;
  options.allow_positioned = space.allow_positioning;
  options.allow_recoverable = space.allow_recovery;
  options.force_push_join_leave = space.force_push_join_leave;
  options.delta_publish = space.delta_publish;
  options.allow_delta = !space.allowed_delta_types.empty();
  options.allow_tags_filter = space.allow_tags_filter;
  options.compaction = space.allow_channel_compaction;
  options.cache_recovery = space.force_recovery_mode == config::RecoveryMode::kCache;
  options.auto_cache_recover = space.auto_cache_recover;
  options.data_format = data_format(space.publication_data_format);
  options.overflow = overflow_options(space);
  options.publish_rate = {.per_second = space.publish_rate_limit};
  // A reader for which publishers wait is to find in the tail all that it still has to be given:
  // the limit, what was on its way when it crossed that, and what had waited.
  if (options.overflow.policy == hub::OverflowPolicy::kBlock)
    options.tail_bytes = std::max(options.tail_bytes, 4 * options.overflow.max_bytes);
  return options;
}

auth::PermissionOptions permission_options(const config::Namespace& space) {
  return {.name = space.name,
          .allow_subscribe_for_client = space.allow_subscribe_for_client,
          .allow_subscribe_for_anonymous = space.allow_subscribe_for_anonymous,
          .allow_publish_for_client = space.allow_publish_for_client,
          .allow_publish_for_subscriber = space.allow_publish_for_subscriber,
          .allow_publish_for_anonymous = space.allow_publish_for_anonymous,
          .allow_presence_for_client = space.allow_presence_for_client,
          .allow_presence_for_subscriber = space.allow_presence_for_subscriber,
          .allow_presence_for_anonymous = space.allow_presence_for_anonymous,
          .allow_history_for_client = space.allow_history_for_client,
          .allow_history_for_subscriber = space.allow_history_for_subscriber,
          .allow_history_for_anonymous = space.allow_history_for_anonymous,
          .allow_user_limited_channels = space.allow_user_limited_channels,
          .channel_regex = space.channel_regex,
          .presence = space.presence,
          .join_leave = space.join_leave,
          .history = space.history_size > 0 && space.history_ttl.count() > 0};
}

auth::ConnectRules connect_rules(const config::Client& client) {
  return {.anonymous = client.allow_anonymous_connect_without_token,
          .insecure = client.insecure,
          .anonymous_tokens = !client.disallow_anonymous_connection_tokens,
          .user_header = client.user_id_http_header,
          .personal_channel = client.subscribe_to_user_personal_channel.enabled,
          .single_connection = client.subscribe_to_user_personal_channel.single_connection};
}

auth::ChannelSyntax channel_syntax(const config::Channel& channel) {
  return {.private_prefix = channel.private_prefix,
          .namespace_boundary = channel.namespace_boundary,
          .user_boundary = channel.user_boundary,
          .user_separator = channel.user_separator,
          .max_length = channel.max_length};
}

auth::TokenOptions token_options(const config::Token& token, const config::Client& client) {
  return {
      .hmac_secret_key = token.hmac_secret_key,
      .hmac_previous_secret_key = token.hmac_previous_secret_key,
      .hmac_previous_secret_key_valid_until = token.hmac_previous_secret_key_valid_until,
      .rsa_public_key = token.rsa_public_key,
      .ecdsa_public_key = token.ecdsa_public_key,
      .jwk = token.jwk,
      .jwks_public_endpoint = token.jwks_public_endpoint,
      .insecure_skip_jwks_endpoint_safety_check = token.insecure_skip_jwks_endpoint_safety_check,
      .audience = token.audience,
      .audience_regex = token.audience_regex,
      .issuer = token.issuer,
      .issuer_regex = token.issuer_regex,
      .user_id_claim = token.user_id_claim,
      .insecure_skip_token_signature_verify = client.insecure_skip_token_signature_verify};
}

Result<auth::TokenRuleSet> token_rules(const config::Client& client) {
  auth::TokenRuleSet rules;
  rules.connect = TRY(auth::TokenRules::build(token_options(client.token, client)));
  if (client.subscription_token.enabled)
    rules.subscribe =
        TRY(auth::TokenRules::build(token_options(client.subscription_token, client)));
  return rules;
}

// Whether a policy with nothing but this namespace could be built.
Result<void> try_namespace(const config::Config& config, const config::Namespace& space) {
  auth::PermissionRules rules{.syntax = channel_syntax(config.channel)};
  (space.name.empty() ? rules.without_namespace : rules.namespaces.emplace_back()) =
      permission_options(space);
  TRY(auth::Permissions::build(std::move(rules)));
  return {};
}

}  // namespace

std::vector<config::Finding> find_faults(const config::Config& config) {
  std::vector<config::Finding> found;
  const auto note = [&found](const std::string& path, const auto& result) {
    if (!result) found.push_back({path, result.error().message, {}});
  };
  const config::Client& client = config.client;
  note("client.token", auth::TokenRules::build(token_options(client.token, client)));
  if (client.subscription_token.enabled)
    note("client.subscription_token",
         auth::TokenRules::build(token_options(client.subscription_token, client)));
  note("channel.without_namespace.channel_regex",
       try_namespace(config, config.channel.without_namespace));
  for (size_t i = 0; i < config.channel.namespaces.size(); ++i)
    note("channel.namespaces[" + std::to_string(i) + "].channel_regex",
         try_namespace(config, config.channel.namespaces[i]));
  note("http_server.trusted_proxies",
       http::TrustedProxies::parse(config.http_server.trusted_proxies));
  if (found.empty()) note("channel", Policy::build(config));
  return found;
}

Result<std::shared_ptr<const Policy>> Policy::build(const config::Config& config) {
  auth::PermissionRules rules{
      .syntax = channel_syntax(config.channel),
      .without_namespace = permission_options(config.channel.without_namespace),
      .connect = connect_rules(config.client),
      .personal_channel_namespace =
          config.client.subscribe_to_user_personal_channel.personal_channel_namespace};
  auto policy = std::make_shared<Policy>();
  policy->syntax_ = rules.syntax;
  policy->without_namespace_ = std::make_shared<const hub::ChannelOptions>(
      channel_options(config.channel.without_namespace));
  for (const config::Namespace& space : config.channel.namespaces) {
    rules.namespaces.push_back(permission_options(space));
    policy->namespaces_.emplace(
        space.name, std::make_shared<const hub::ChannelOptions>(channel_options(space)));
  }
  policy->access_ = TRY(auth::Permissions::build(std::move(rules)));
  policy->tokens_ = TRY(token_rules(config.client));
  return policy;
}

std::shared_ptr<const Policy> Policy::for_development() {
  auto policy = std::make_shared<Policy>();
  policy->syntax_.namespace_boundary.clear();
  policy->without_namespace_ = std::make_shared<const hub::ChannelOptions>(dev_channel_options());
  policy->access_ = std::make_unique<const auth::OpenAccess>();
  auto unsigned_too = auth::TokenRules::build({.insecure_skip_token_signature_verify = true});
  CHECK(unsigned_too.has_value());
  policy->tokens_.connect = std::move(*unsigned_too);
  return policy;
}

std::shared_ptr<const hub::ChannelOptions> Policy::find(std::string_view channel) const {
  const std::string_view name_space = auth::namespace_of(syntax_, channel);
  if (name_space.empty()) return without_namespace_;
  const auto found = namespaces_.find(name_space);
  return found == namespaces_.end() ? nullptr : found->second;
}

}  // namespace parley::server
