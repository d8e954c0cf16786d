#include "server/listen_options.h"

#include <gtest/gtest.h>

namespace parley::server {
namespace {

TEST(ListenOptionsTest, PeersAreGivenUpAfterAPingAndTheTimeForItsAnswer) {
  const Duration most = io::ListenOptions().user_timeout;
  config::Client client;
  client.ping_interval = seconds(7);
  client.pong_timeout = seconds(2);
  EXPECT_EQ(listen_options(client).user_timeout, seconds(9));
  client.ping_interval = seconds(0);
  EXPECT_EQ(listen_options(client).user_timeout, most);
  client.ping_interval = seconds(3600);
  EXPECT_EQ(listen_options(client).user_timeout, most);
}

TEST(ListenOptionsTest, TheSystemBoundsTheBacklog) {
  EXPECT_EQ(listen_options({}).backlog, 65'535);
}

}  // namespace
}  // namespace parley::server
