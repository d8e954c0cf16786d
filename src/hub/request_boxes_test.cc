#include "hub/request_boxes.h"

#include <gtest/gtest.h>

namespace parley::hub {
namespace {

TEST(RequestBoxesTest, ABoxComesBackEmpty) {
  RequestBoxes boxes;
  auto box = boxes.take();
  Request* const first = box.get();
  auto& record = std::get<PublishRecord>(box->body);
  record.channel.name = "a channel whose name is long enough to need room";
  record.publication = std::make_shared<Publication>();
  record.options = std::make_shared<ChannelOptions>();
  record.version = 3;
  boxes.keep(std::move(box));
  box = boxes.take();
  EXPECT_EQ(box.get(), first);
  const auto& again = std::get<PublishRecord>(box->body);
  EXPECT_EQ(again.channel.name, "");
  EXPECT_EQ(again.publication, nullptr);
  EXPECT_EQ(again.options, nullptr);
  EXPECT_EQ(again.version, 0u);
}

TEST(RequestBoxesTest, KeepsNoOthersNoLargeOnesAndNotTooMany) {
  RequestBoxes boxes;
  auto other = boxes.take();
  other->body = ChannelsRequest{};
  boxes.keep(std::move(other));
  auto large = boxes.take();
  std::get<PublishRecord>(large->body).idempotency_key.resize(RequestBoxes::kMaxRoom + 1);
  boxes.keep(std::move(large));
  EXPECT_EQ(boxes.size(), 0u);
  for (size_t i = 0; i < RequestBoxes::kKept + 1; ++i) {
    auto box = std::make_unique<Request>();
    box->body.emplace<PublishRecord>();
    boxes.keep(std::move(box));
  }
  EXPECT_EQ(boxes.size(), RequestBoxes::kKept);
  boxes.put_back(std::make_unique<Request>());
  EXPECT_EQ(boxes.size(), RequestBoxes::kKept);
}

}  // namespace
}  // namespace parley::hub
