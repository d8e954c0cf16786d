// Small stand-ins for what surrounds the hub: publications, channel rules, subscribers, requesters.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hub/channel_options.h"
#include "hub/publication.h"
#include "hub/requester.h"
#include "hub/subscription.h"
#include "tests/support/seeded_ids.h"

namespace parley::testing {

inline constexpr hub::Epoch kEpochA{.boot = 7, .counter = 1};
inline constexpr hub::Epoch kEpochB{.boot = 7, .counter = 2};

inline hub::PublicationPtr make_publication(uint64_t offset, uint64_t prev,
                                            hub::Epoch epoch = kEpochA) {
  auto made = std::make_shared<hub::Publication>();
  made->offset = offset;
  made->prev = prev;
  made->epoch = epoch;
  made->data = std::to_string(offset);
  return made;
}
inline hub::PublicationPtr make_publication(uint64_t offset) {
  return make_publication(offset, offset - 1);
}
// Contiguous publications first..last.
inline std::vector<hub::PublicationPtr> make_run(uint64_t first, uint64_t last,
                                                 hub::Epoch epoch = kEpochA) {
  std::vector<hub::PublicationPtr> run;
  for (uint64_t offset = first; offset <= last; ++offset)
    run.push_back(make_publication(offset, offset - 1, epoch));
  return run;
}

inline std::vector<uint64_t> offsets_of(std::span<const hub::PublicationPtr> run) {
  std::vector<uint64_t> offsets;
  for (const auto& publication : run) offsets.push_back(publication->offset);
  return offsets;
}

// Options by the name's first characters up to ':'; "" is what any other name gets (null: unknown).
class NamespaceRules final : public hub::ChannelRules {
 public:
  std::map<std::string, std::shared_ptr<const hub::ChannelOptions>, std::less<>> namespaces;
  std::shared_ptr<const hub::ChannelOptions> find(std::string_view channel) const override {
    const auto found = namespaces.find(channel.substr(0, channel.find(':')));
    return found == namespaces.end() ? nullptr : found->second;
  }
  hub::ChannelOptions& add(const std::string& name, hub::ChannelOptions options = {}) {
    auto made = std::make_shared<hub::ChannelOptions>(options);
    namespaces[name] = made;
    return *made;
  }
};

// Notes what the hub says to it.
class FakeSubscriber final : public hub::Subscriber {
 public:
  struct Answered {
    hub::Subscription* subscription;
    std::expected<hub::Subscribed, hub::HubError> result;
  };
  std::vector<Answered> answers;
  std::vector<hub::Subscription*> dirty;
  hub::RequesterId id;  // as which it publishes

  void on_subscribed(hub::Subscription& subscription,
                     std::expected<hub::Subscribed, hub::HubError> result) override {
    answers.push_back({&subscription, std::move(result)});
  }
  void on_dirty(hub::Subscription& subscription) override { dirty.push_back(&subscription); }
  hub::RequesterId requester() const override { return id; }
};

class FakeRequester final : public hub::Requester {
 public:
  std::vector<std::pair<hub::StepId, hub::Answer>> answers;
  void on_answer(hub::StepId step, hub::Answer answer) override {
    answers.emplace_back(step, std::move(answer));
  }
};

}  // namespace parley::testing
