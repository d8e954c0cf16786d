// What the commands print, and how long they wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/backoff.h"
#include "cli/http.h"
#include "cli/json_line.h"
#include "cli/message_printer.h"
#include "cli/printable.h"
#include "cli/version.h"

namespace parley::cli {
namespace {

using testing::HasSubstr;

TEST(Printable, LeavesTextAlone) {
  EXPECT_EQ(printable("a\tgr\xc3\xbc\xc3\x9f \xe2\x82\xac"), "a\tgr\xc3\xbc\xc3\x9f \xe2\x82\xac");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, DisarmsControlCharacters) {
  EXPECT_EQ(printable("a\nb\rc"), "a\\nb\\rc");
  EXPECT_EQ(printable(std::string_view("\0\x1b[31m\x7f", 7)), "\\x00\\x1b[31m\\x7f");
  // U+009B, the one-character form of ESC [.
  EXPECT_EQ(printable("\xc2\x9b"), "\\x9b");
  EXPECT_EQ(printable("\xc2"), "\xc2");
}

TEST(PrintableData, PutsJsonOnOneLine) {
  EXPECT_EQ(printable_data("{\n  \"a\": 1\r\n}"), "{   \"a\": 1  }");
  EXPECT_EQ(printable_data("two\nlines"), "two\\nlines");
  EXPECT_EQ(printable_data("{\"a\":1}"), "{\"a\":1}");
}

TEST(MessageLine, IsTheDataOrTabSeparated) {
  const codec::sse::DecodedEvent event{
      .type = "created", .data = "{\"a\":1}", .last_event_id = "1f.41"};
  EXPECT_EQ(message_line("news", event, false), "{\"a\":1}\n");
  EXPECT_EQ(message_line("news", event, true), "news\t1f.41\tcreated\t{\"a\":1}\n");
}

TEST(GapSentence, NamesWhatIsMissing) {
  EXPECT_EQ(gap_sentence("news", R"({"from":3,"to":7,"reason":"retention"})"),
            "gap in news: offsets 3 to 7 cannot be had (retention)");
  EXPECT_EQ(gap_sentence("news", "who knows"), "gap in news: who knows");
  EXPECT_EQ(gap_sentence("news", R"({"from":3})"), R"(gap in news: {"from":3})");
  EXPECT_EQ(gap_sentence("news", R"({"from":"3","to":7,"reason":""})"),
            R"(gap in news: {"from":"3","to":7,"reason":""})");
}

TEST(MessagePrinter, EndsAfterTheCountAndGapsDoNotCount) {
  MessagePrinter printer(2, MessageFormat::kData);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  for (const char* type : {"message", "gap", "other", "message"})
    printer.print("news", {.type = type, .data = type, .last_event_id = ""});
  printer.flush();
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "message\nother\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "parley: gap in news: gap\n");
  EXPECT_TRUE(printer.finished());
  EXPECT_FALSE(MessagePrinter(0, MessageFormat::kData).finished());
}

TEST(MessagePrinter, AsJsonGapsAreLinesToo) {
  MessagePrinter printer(1, MessageFormat::kJson);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  printer.print("news", {.type = "gap", .data = R"({"from":3})", .last_event_id = "1.7"});
  printer.print("news", {.type = "created", .data = R"({"a":1.50})", .last_event_id = "1.8"});
  printer.flush();
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            R"({"channel":"news","gap":{"from":3}})"
            "\n"
            R"({"channel":"news","id":"1.8","event":"created","data":{"a":1.50}})"
            "\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(printer.finished());
}

TEST(JsonLine, KeepsJsonExactAndMakesStringsOfTheRest) {
  EXPECT_EQ(json_line({{"a", 1}}, "data", "12345678901234567890.10"),
            R"({"a":1,"data":12345678901234567890.10})");
  EXPECT_EQ(json_line({{"a", 1}}, "data", "[1,\n2]"), R"({"a":1,"data":[1, 2]})");
  EXPECT_EQ(json_line({{"a", 1}}, "data", "two\nlines \"x\""),
            R"({"a":1,"data":"two\nlines \"x\""})");
  EXPECT_EQ(json_line({{"a", "\x1b[2J\x7f"}}), R"({"a":"\u001b[2J\u007f"})");
  EXPECT_EQ(json_line({{"a", "b"}}, "data", "\"\xc2\x9b\""), R"({"a":"b","data":"\u009b"})");
}

TEST(Backoff, DoublesUpToItsLimitAndBeginsAnew) {
  Backoff backoff;
  backoff.set_first(seconds(2));
  for (const int whole : {2, 4, 8, 16, 30, 30, 30})
    EXPECT_EQ(backoff.next(0), Duration(seconds(whole)) / 2) << whole;
  for (int i = 0; i < 100; ++i) backoff.next(0);
  backoff.on_success();
  EXPECT_EQ(backoff.next(0), seconds(1));
}

TEST(Backoff, StaysBetweenHalfAndWhole) {
  for (uint64_t random = 1; random != 0; random *= 2) {
    Backoff backoff;
    const Duration wait = backoff.next(random - 1);
    EXPECT_GE(wait, milliseconds(500));
    EXPECT_LE(wait, milliseconds(1000));
  }
}

TEST(Backoff, IgnoresSillyDelays) {
  Backoff backoff;
  backoff.set_first(milliseconds(0));
  EXPECT_GE(backoff.next(0), milliseconds(5));
  backoff.set_first(seconds(4'000'000));
  EXPECT_LE(backoff.next(~uint64_t{0}), seconds(30));
}

TEST(Explain, SaysWhatToDo) {
  EXPECT_EQ(explain(CURLE_COULDNT_CONNECT, "http://127.0.0.1:8000"),
            "cannot reach http://127.0.0.1:8000: is the server running? start it with: parley dev");
  EXPECT_THAT(explain(CURLE_COULDNT_RESOLVE_HOST, "http://x"), HasSubstr("PARLEY_URL"));
  EXPECT_THAT(explain(CURLE_SSL_CONNECT_ERROR, "https://x"), HasSubstr("https://x"));
}

TEST(Version, NamesTheProgram) {
  EXPECT_THAT(version_text(), testing::StartsWith("parley 0."));
  EXPECT_THAT(version_json(),
              testing::MatchesRegex(R"re(\{"version":"[0-9.]+","commit":"[0-9a-f]*"\})re"));
}

}  // namespace
}  // namespace parley::cli
