#include "transport/push/push_framing.h"

#include <gtest/gtest.h>

namespace parley::transport::push {
namespace {

// A second message, behind a first that stays as it is.
std::string framed(PushFormat format, bool chunked, std::string_view message) {
  Buffer out = "first";
  out += message;
  framing_for(format, chunked).frame(session::MessageType::kText, out, 5);
  EXPECT_TRUE(out.starts_with("first"));
  return out.substr(5);
}

TEST(PushFraming, EachFormatMarksItsBorders) {
  EXPECT_EQ(framed(PushFormat::kEvents, false, "data: a\n\n"), "data: a\n\n");
  EXPECT_EQ(framed(PushFormat::kEvents, true, "data: a\n\n"), "9\r\ndata: a\n\n\r\n");
  EXPECT_EQ(framed(PushFormat::kEventData, false, "{}"), "data: {}\n\n");
  EXPECT_EQ(framed(PushFormat::kEventData, true, "{}"), "a\r\ndata: {}\n\n\r\n");
  EXPECT_EQ(framed(PushFormat::kLines, false, "{}"), "{}\n");
  EXPECT_EQ(framed(PushFormat::kLines, true, "{}"), "3\r\n{}\n\r\n");
  EXPECT_EQ(framed(PushFormat::kBytes, false, std::string_view("\0", 1)), std::string(1, '\0'));
  EXPECT_EQ(framed(PushFormat::kBytes, true, std::string_view("\0", 1)),
            std::string("1\r\n\0\r\n", 6));
}

TEST(PushFraming, ALongMessageHasItsWholeLength) {
  const std::string message(70'000, 'x');
  EXPECT_EQ(framed(PushFormat::kLines, true, message), "11171\r\n" + message + "\n\r\n");
}

}  // namespace
}  // namespace parley::transport::push
