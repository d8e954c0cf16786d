#include "tests/history/read_json.h"

#include <gmock/gmock.h>

namespace parley::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ReadEvent, TakesEachField) {
  const auto event = read_event(
      R"({"kind":"subscribed","at":-5,"client":"ann","channel":"news","value":"v","epoch":"e",)"
      R"("offset":7,"from":1,"to":2,"asked":3,"recovered":true,"positioned":false,"durable":true,)"
      R"("again":true,"window":9,"after":"d","key":"k","tag":"t","reason":"r","member":"m",)"
      R"("members":["x","y"]})");
  ASSERT_TRUE(event.has_value()) << event.error();
  EXPECT_EQ(event->kind, Kind::kSubscribed);
  EXPECT_EQ(event->at, -5);
  EXPECT_EQ(event->client + event->channel + event->value + event->epoch, "annnewsve");
  EXPECT_EQ(event->offset, 7u);
  EXPECT_EQ(event->from, 1u);
  EXPECT_EQ(event->to, 2u);
  EXPECT_EQ(event->asked, 3u);
  EXPECT_TRUE(event->recovered && event->durable && event->again && !event->positioned);
  EXPECT_EQ(event->window, 9u);
  EXPECT_EQ(event->after + event->key + event->tag + event->reason + event->member, "dktrm");
  EXPECT_THAT(event->members, ElementsAre("x", "y"));
}

TEST(ReadEvent, KnowsEachKind) {
  for (const char* kind : {"sent", "acked", "unknown", "refused", "subscribed", "delivered", "gap",
                           "unsubscribed", "disconnected", "ended", "join", "leave", "entered",
                           "left", "presence", "restarted", "epoch_began", "healed", "quiet"})
    EXPECT_TRUE(read_event(std::string(R"({"kind":")") + kind + "\"}").has_value()) << kind;
}

TEST(ReadEvent, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(read_event(R"({"kind":"sent","ofset":1})").error(), HasSubstr("ofset"));
  EXPECT_THAT(read_event(R"({"kind":"sent","offset":"1"})").error(), HasSubstr("offset"));
  EXPECT_THAT(read_event(R"({"kind":"cent"})").error(), HasSubstr("kind"));
  EXPECT_THAT(read_event(R"({"at":1})").error(), HasSubstr("without a kind"));
  EXPECT_FALSE(read_event(R"({"kind":"sent")").has_value());
  EXPECT_FALSE(read_event("").has_value());
}

}  // namespace
}  // namespace parley::history
