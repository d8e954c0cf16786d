// The configuration, compiled into what shards ask while they run.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/access.h"
#include "auth/channel_syntax.h"
#include "auth/revocations.h"
#include "auth/token_authenticator.h"
#include "base/hash.h"
#include "base/result.h"
#include "config/load.h"
#include "hub/channel_options.h"

namespace parley::server {

// What of the configuration cannot be compiled, for config::load().
std::vector<config::Finding> find_faults(const config::Config& config);

// What: channels' options, everybody's permissions, and which tokens are good. Owner: shared by all
// shards; immutable, and replaced as a whole on reload. Shard: any. Failure: build() refuses what
// cannot be meant, with a sentence for the operator.
class Policy final : public hub::ChannelRules {
 public:
  static Result<std::shared_ptr<const Policy>> build(const config::Config& config);
  // `parley dev`: every name is a channel with all features, everybody may do everything, and a
  // token is believed without a look at its signature.
  static std::shared_ptr<const Policy> for_development();

  std::shared_ptr<const hub::ChannelOptions> find(std::string_view channel) const override;
  const auth::Access& access() const { return *access_; }
  const auth::TokenRuleSet& tokens() const { return tokens_; }

 private:
  using Options = std::shared_ptr<const hub::ChannelOptions>;

  auth::ChannelSyntax syntax_;
  Options without_namespace_;
  std::unordered_map<std::string, Options, SeededHash, std::equal_to<>> namespaces_;
  std::unique_ptr<const auth::Access> access_;
  auth::TokenRuleSet tokens_;
};

// What: the policy as one shard sees it, which a reload replaces between two turns. Owner:
// ShardWorld. Shard: its own.
class ShardPolicy final : public hub::ChannelRules, public auth::Access {
 public:
  ShardPolicy(std::shared_ptr<const Policy> policy, const auth::Revocations& revocations)
      : policy_(std::move(policy)), revocations_(revocations) {}
  void replace(std::shared_ptr<const Policy> policy) { policy_ = std::move(policy); }

  std::shared_ptr<const hub::ChannelOptions> find(std::string_view channel) const override {
    return policy_->find(channel);
  }
  const auth::ConnectRules& connect() const override { return policy_->access().connect(); }
  const auth::Revocations& revocations() const { return revocations_; }
  std::string personal_channel(const auth::Principal& who) const override {
    return policy_->access().personal_channel(who);
  }

 private:
  auth::Verdict decide(const auth::Principal& who, std::string_view channel, auth::Verb verb,
                       auth::Standing standing) const override {
    // Also those whom no token names.
    if (revocations_.is_blocked(who.user)) return auth::Verdict::kDeny;
    return policy_->access().check(who, channel, verb, standing);
  }

  std::shared_ptr<const Policy> policy_;
  const auth::Revocations& revocations_;
};

}  // namespace parley::server
