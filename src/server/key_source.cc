#include "server/key_source.h"

#include <memory>

#include <curl/curl.h>
#include <fmt/format.h>

#include "base/log.h"

namespace parley::server {
namespace {

constexpr long kTimeoutMs = 3000;
constexpr size_t kMaxBytes = 256 * 1024;

struct EasyFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

size_t append(char* data, size_t, size_t size, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + size > kMaxBytes) return 0;
  body.append(data, size);
  return size;
}

}  // namespace

Result<std::string> fetch_key_set(const std::string& url) {
  const std::unique_ptr<CURL, EasyFree> curl(curl_easy_init());
  if (!curl) return fail("out of memory");
  std::string body;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "Parley");
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  const CURLcode result = curl_easy_perform(curl.get());
  if (result == CURLE_WRITE_ERROR) return fail(fmt::format("more than {} bytes", kMaxBytes));
  if (result != CURLE_OK) return fail(curl_easy_strerror(result));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return fail(fmt::format("status {}", status));
  return body;
}

void KeySource::fetch(ShardId shard, const std::string& url, const OnAnswer& on_answer) {
  const auto tell = [url, on_answer](const Answer& answer) { on_answer(url, answer); };
  if (worker_.submit(shard, [this, url] { return get(url); }, tell)) return;
  shards_.post_reserved(shard, [tell] { tell({fail("too many key sets are being fetched")}); });
}

KeySource::Answer KeySource::get(const std::string& url) {
  const Time now = clock_();
  const auto found = known_.find(url);
  if (found != known_.end() && now - found->second.at < kFetchInterval)
    return {found->second.body, std::chrono::ceil<milliseconds>(now - found->second.at)};
  auto body = fetch_key_set(url);
  if (!body) log::warn("no token keys", {{"url", url}, {"reason", body.error().message}});
  if (known_.size() >= kMaxUrls) known_.clear();
  known_.insert_or_assign(url, Known{body, now});
  return {std::move(body)};
}

}  // namespace parley::server
