#include "adapter/centrifuge/requests.h"

#include <gtest/gtest.h>

namespace parley::adapter::centrifuge {
namespace {

TEST(PendingRequests, AnswersMayComeInAnyOrder) {
  PendingRequests pending;
  const hub::StepId one = pending.add({.command = 1});
  const hub::StepId two = pending.add({.command = 2});
  const hub::StepId three = pending.add({.command = 3});
  EXPECT_EQ(pending.take(two).command, 2u);
  EXPECT_EQ(pending.take(one).command, 1u);
  const hub::StepId four = pending.add({.command = 4});
  const hub::StepId five = pending.add({.command = 5});
  EXPECT_EQ(pending.take(three).command, 3u);
  EXPECT_EQ(pending.take(five).command, 5u);
  EXPECT_EQ(pending.take(four).command, 4u);
}

TEST(PendingRequests, AStepIsOfOneRequestAtATime) {
  PendingRequests pending;
  std::vector<hub::StepId> steps;
  for (uint32_t round = 0; round < 3; ++round) {
    for (uint32_t command = 1; command <= 5; ++command)
      steps.push_back(pending.add({.command = command}));
    for (uint32_t command = 5; command >= 1; --command) {
      EXPECT_EQ(pending.take(steps.back()).command, command);
      steps.pop_back();
    }
  }
}

}  // namespace
}  // namespace parley::adapter::centrifuge
