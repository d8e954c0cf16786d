#include "admin/demo_assets.h"

#include <algorithm>

namespace parley::admin {

const Asset* find_demo_asset(std::string_view path) {
  const auto assets = demo_assets();
  const auto found = std::ranges::find(assets, path, &Asset::path);
  return found == assets.end() ? nullptr : &*found;
}

}  // namespace parley::admin
