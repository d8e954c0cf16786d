#include "config/reference.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "config/load.h"

namespace parley::config {
namespace {

constexpr char kDocument[] = "docs/configuration.md";
constexpr char kMarker[] = "<!-- Everything below is generated from src/config/options*.cc -->\n";

// UPDATE_DOCS=1 in the environment writes the document instead.
TEST(ReferenceTest, TheDocumentIsWhatTheTableSays) {
  const auto file = read_file(kDocument);
  ASSERT_TRUE(file) << "run this test in the repository's root";
  const size_t marker = file->text.find(kMarker);
  ASSERT_NE(marker, std::string::npos);
  const std::string before = file->text.substr(0, marker + sizeof kMarker - 1);
  if (std::getenv("UPDATE_DOCS") != nullptr) {
    std::ofstream(kDocument) << before << "\n" << render_reference();
    return;
  }
  EXPECT_TRUE(file->text == before + "\n" + render_reference())
      << kDocument << " differs from the table of options; UPDATE_DOCS=1 writes it anew";
}

TEST(ReferenceTest, DefaultsExplainThemselves) {
  const std::string text = render_defaults();
  EXPECT_NE(text.find("\nclient:\n"), std::string::npos);
  EXPECT_NE(text.find("  # Between two pings; 0: none.\n  ping_interval: 25s\n"),
            std::string::npos);
  EXPECT_NE(text.find("  namespaces: []\n"), std::string::npos);
}

}  // namespace
}  // namespace parley::config
