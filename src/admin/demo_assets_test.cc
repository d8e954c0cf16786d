#include "admin/demo_assets.h"

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace parley::admin {
namespace {

std::string file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(DemoAssets, HoldTheFilesByteForByte) {
  ASSERT_NE(find_demo_asset("/"), nullptr);
  EXPECT_EQ(find_demo_asset("/")->body, file("web/demo/index.html"));
  EXPECT_EQ(find_demo_asset("/demo/publish.js")->body, file("web/demo/publish.js"));
  EXPECT_EQ(find_demo_asset("/demo/centrifuge.js")->body,
            file("web/node_modules/centrifuge/dist/centrifuge.js"));
}

TEST(DemoAssets, KnowTheirTypes) {
  EXPECT_EQ(find_demo_asset("/")->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(find_demo_asset("/demo/main.js")->content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(find_demo_asset("/demo/icon.svg")->content_type, "image/svg+xml");
}

TEST(DemoAssets, AreFoundByTheExactPathOnly) {
  EXPECT_EQ(find_demo_asset(""), nullptr);
  EXPECT_EQ(find_demo_asset("/demo"), nullptr);
  EXPECT_EQ(find_demo_asset("/demo/../demo/main.js"), nullptr);
}

TEST(DemoAssets, HaveTagsOfTheirOwn) {
  std::set<std::string_view> paths, tags;
  for (const Asset& asset : demo_assets()) {
    EXPECT_TRUE(paths.insert(asset.path).second) << asset.path;
    EXPECT_TRUE(tags.insert(asset.etag).second) << asset.path;
    EXPECT_EQ(asset.etag.size(), 34u);
    EXPECT_TRUE(asset.etag.starts_with('"') && asset.etag.ends_with('"')) << asset.etag;
  }
}

// The paths in `text` that follow `mark`, up to the closing quote.
std::vector<std::string> paths_behind(std::string_view mark, std::string_view text) {
  std::vector<std::string> paths;
  for (size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at)) {
    at += mark.size();
    paths.emplace_back(text.substr(at, text.find_first_of("\"'", at) - at));
  }
  return paths;
}

TEST(DemoAssets, ContainEveryFileThatThePageLoads) {
  const std::string_view page = find_demo_asset("/")->body;
  std::vector<std::string> loaded = paths_behind("src=\"", page);
  for (const std::string& path : paths_behind("href=\"", page)) loaded.push_back(path);
  EXPECT_GE(loaded.size(), 4u);
  for (const std::string& path : loaded) EXPECT_NE(find_demo_asset(path), nullptr) << path;
}

TEST(DemoAssets, ContainEveryModuleThatAModuleImports) {
  size_t imports = 0;
  for (const Asset& asset : demo_assets()) {
    for (const std::string& name : paths_behind("} from '.", asset.body)) {
      EXPECT_NE(find_demo_asset("/demo" + name), nullptr) << asset.path << " imports ." << name;
      ++imports;
    }
  }
  EXPECT_GE(imports, 8u);
}

}  // namespace
}  // namespace parley::admin
