// EventSource under the adapter contract.
#include <gtest/gtest.h>

#include "adapter/eventsource/adapter.h"
#include "adapter/eventsource/event_id.h"
#include "codec/sse/decoder.h"
#include "tests/contract/adapter_rig.h"

namespace parley::testing {
namespace {

using adapter::eventsource::EventSourceFactory;

class EventSourceClient final : public ProtocolClient, codec::sse::EventSink {
 public:
  explicit EventSourceClient(const EventSourceFactory& factory) : factory_(factory) {}

  void open(SessionWorld& world, const std::string& channel, const std::string& resume) override {
    FakeRequest request{.path = channel};
    if (!resume.empty()) request.headers = {{"Last-Event-ID", resume}};
    link_ = &world.open(factory_, request);
  }

  std::vector<Heard> hear() override {
    heard_.clear();
    EXPECT_TRUE(decoder_.decode(link_->take_text(), *this));
    // The block that starts the stream has no data and so is no event.
    if (!heard_.empty() && !decoder_.last_event_id().empty())
      heard_.back().resume = decoder_.last_event_id();
    if (link_->ended() && !subscribed_) heard_.push_back({.kind = Heard::Kind::kRefused});
    return std::move(heard_);
  }
  FakeClient& link() override { return *link_; }

 private:
  void on_event(const codec::sse::DecodedEvent& event) override {
    heard_.push_back({.kind = event.type == "gap" ? Heard::Kind::kGap : Heard::Kind::kMessage,
                      .data = std::string(event.data),
                      .resume = std::string(event.last_event_id)});
  }
  void on_retry(uint32_t) override {
    heard_.push_back({.kind = subscribed_ ? Heard::Kind::kOther : Heard::Kind::kSubscribed});
    subscribed_ = true;
  }

  const EventSourceFactory& factory_;
  FakeClient* link_ = nullptr;
  codec::sse::Decoder decoder_;
  std::vector<Heard> heard_;
  bool subscribed_ = false;
};

class EventSourceRig final : public AdapterRig {
 public:
  const session::AdapterFactory& factory() const override { return factory_; }
  std::unique_ptr<ProtocolClient> client() override {
    return std::make_unique<EventSourceClient>(factory_);
  }

  std::string resume_at(const hub::StreamPosition& position) const override {
    return adapter::eventsource::to_event_id(position);
  }
  hub::StreamPosition position_of(const std::string& resume) const override {
    return adapter::eventsource::parse_event_id(resume).value_or(hub::StreamPosition{});
  }

 private:
  EventSourceFactory factory_{access};
};

const RegisterRig registered("EventSource", [] { return std::make_unique<EventSourceRig>(); });

}  // namespace
}  // namespace parley::testing
