// The method create_ticket: what it takes, and what it is answered with.
#include "auth/ticket_desk.h"
#include "base/random.h"
#include "tests/support/http_api_testing.h"

namespace parley::http_api::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// There is only one shard.
struct NoTicketPost final : auth::TicketPost {
  bool take_credit(ShardId) override { return false; }
  void send_request(ShardId, auth::TicketMail) override {}
  void send_answer(ShardId, auth::TicketMail) override {}
};

class CreateTicketTest : public ApiTest {
 protected:
  CreateTicketTest() {
    desk.set_now({.mono = Time(seconds(1)), .wall = 1'700'000'000'000});
    make({.insecure = true, .tickets = &desk});
  }
  NoTicketPost post_office;
  SystemIdSource ids;
  auth::TicketDesk desk{0, 1, post_office, ids, {.tickets = 3}};
};

TEST_F(CreateTicketTest, AnswersWithTheTicketAndItsEnd) {
  const std::string answer = call("create_ticket", R"({"user":"42","ttl":60})");
  const std::string head = R"({"result":{"ticket":")";
  ASSERT_THAT(answer, AllOf(StartsWith(head + "pt_"), HasSubstr(R"(,"expire_at":1700000060}})")));
  const std::string ticket = answer.substr(head.size(), 39);
  const auto claims = desk.redeem(ticket, nullptr);
  ASSERT_TRUE(claims && *claims);
  EXPECT_EQ((*claims)->user, "42");
  EXPECT_THAT(call("create_ticket", "{}"), HasSubstr(R"("expire_at":1700000030)"));
}

TEST_F(CreateTicketTest, WhatIsNoOrderIsABadRequest) {
  for (const char* bad : {R"({"sub":"42"})", R"({"ttl":301})", R"({"ttl":0})", R"({"typo":1})",
                          R"({"caps":[{"match":"glob"}]})", R"({"user":42})"})
    EXPECT_EQ(call("create_ticket", bad), kBadRequestBody) << bad;
  for (const char* bad : {"", "[]", "1", R"({"user":"42")"})
    EXPECT_EQ(status("create_ticket", bad), 400) << bad;
  EXPECT_EQ(desk.tickets(), 0u);
}

TEST_F(CreateTicketTest, ThereIsALimit) {
  for (int i = 0; i < 3; ++i) EXPECT_THAT(call("create_ticket", "{}"), HasSubstr("result"));
  EXPECT_EQ(call("create_ticket", "{}"), error_body(106, "limit exceeded"));
  EXPECT_EQ(ask("create_ticket", post("{}", {{"X-Centrifugo-Error-Mode", "transport"}})).status,
            429);
}

TEST_F(CreateTicketTest, WhereThereAreNoneItIsNotAvailable) {
  make({.insecure = true});
  EXPECT_EQ(call("create_ticket", "{}"), error_body(108, "not available"));
}

TEST_F(CreateTicketTest, InABatchAndNotInProtobuf) {
  EXPECT_THAT(
      call("batch", R"({"commands":[{"create_ticket":{"user":"42"}},{"create_ticket":{}}]})"),
      AllOf(StartsWith(R"({"replies":[{"create_ticket":{"ticket":"pt_)"),
            HasSubstr(R"(},{"create_ticket":{"ticket":"pt_)")));
  const Answer answer =
      ask("create_ticket", post("", {{"Content-Type", "application/octet-stream"}}));
  EXPECT_THAT(answer.body, HasSubstr("not available"));
}

}  // namespace
}  // namespace parley::http_api::testing
