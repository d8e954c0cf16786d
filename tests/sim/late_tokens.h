// An authenticator whose answers come late, or never.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "auth/authenticator.h"
#include "tests/sim/simulation.h"

namespace parley::sim {

// What: a token is the name of the user that it stands for. Answers at once, later, or, as a hook
// that hangs, not at all: what the session owes its client must not depend on it. Owner: SimShard.
class LateTokens final : public auth::Authenticator {
 public:
  // Runs something as the shard; false while it stands still.
  using Enter = std::function<bool(std::function<void()>)>;

  explicit LateTokens(Simulation& sim) : sim_(sim) {}
  ~LateTokens() override { *alive_ = false; }
  void on_answer(Enter enter) { enter_ = std::move(enter); }
  // Of 100 answers, so many come late, and so many never.
  void misbehave(uint64_t late, uint64_t never) {
    late_ = late;
    never_ = never;
  }

  std::optional<auth::TokenResult> verify(auth::TokenUse use, std::string_view token, WallMillis,
                                          auth::Asker, Done done) override {
    auth::TokenResult result = auth::Claims();
    // A subscription token names its channel behind the user.
    const size_t colon = use == auth::TokenUse::kSubscribe ? token.find('/') : token.size();
    result->user = token.substr(0, colon);
    if (use == auth::TokenUse::kSubscribe) result->grant.channel = token.substr(colon + 1);
    const uint64_t dice = sim_.random.below(100);
    if (dice < never_) return std::nullopt;
    if (dice >= never_ + late_) return result;
    const auto kept = std::make_shared<Done>(std::move(done));
    answer_after(sim_.between(milliseconds(1), seconds(12)), kept, std::move(result));
    return std::nullopt;
  }

 private:
  void answer_after(Duration delay, std::shared_ptr<Done> done, auth::TokenResult result) {
    sim_.time.after(delay, [this, alive = alive_, done, result = std::move(result)]() mutable {
      if (!*alive) return;
      if (enter_([&] { (*done)(std::move(result)); })) return;
      answer_after(milliseconds(100), done, std::move(result));
    });
  }

  Simulation& sim_;
  Enter enter_;
  uint64_t late_ = 0, never_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::sim
