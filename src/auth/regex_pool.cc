#include "auth/regex_pool.h"

#include <algorithm>

#include <re2/re2.h>

#include "base/metrics.h"

namespace parley::auth {
namespace {

constexpr int64_t kMaxBytes = 64 * 1024;  // of an expression with all that matching caches
constexpr size_t kLeastKnown = 64;
metrics::Counter compiled("parley_regexes_compiled_total",
                          "Regular expressions of tokens' capabilities that were compiled");

}  // namespace

std::shared_ptr<const re2::RE2> RegexPool::find(std::string_view text) {
  const auto known = known_.find(text);
  if (known != known_.end())
    if (auto regex = known->second.lock()) return regex;
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMaxBytes);
  options.set_never_capture(true);
  auto regex =
      std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!regex->ok()) return nullptr;
  compiled.add();
  if (known_.size() >= forget_at_) forget_unused();
  known_.insert_or_assign(std::string(text), regex);
  latest_[next_++ % latest_.size()] = regex;
  return regex;
}

void RegexPool::forget_unused() {
  std::erase_if(known_, [](const auto& one) { return one.second.expired(); });
  forget_at_ = std::max(kLeastKnown, 2 * known_.size());
}

}  // namespace parley::auth
