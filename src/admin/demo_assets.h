// The demo page of `parley dev`, embedded in the binary: it needs no files and no network.
#pragma once

#include <span>
#include <string_view>

namespace parley::admin {

// One file of a page. Views of static storage.
struct Asset {
  std::string_view path;  // as requested: "/", "/demo/main.js"
  std::string_view content_type;
  std::string_view body;
  std::string_view etag;  // with its quotes; changes with the body
};

// All files of the demo page; the page itself is at "/". Its Content-Security-Policy stands in the
// page. Serve the files with `Cache-Control: no-cache`, so that they are asked for by their etag.
std::span<const Asset> demo_assets();

// The file at a path, or nullptr.
const Asset* find_demo_asset(std::string_view path);

}  // namespace parley::admin
