#include "adapter/centrifuge/account.h"

#include <algorithm>

namespace parley::adapter::centrifuge {

std::vector<std::string> channels_of(const std::vector<auth::Grant>& grants) {
  std::vector<std::string> names;
  names.reserve(grants.size());
  for (const auth::Grant& grant : grants) names.push_back(grant.channel);
  std::ranges::sort(names);
  const auto doubles = std::ranges::unique(names);
  names.erase(doubles.begin(), doubles.end());
  return names;
}

}  // namespace parley::adapter::centrifuge
