#include "cli/http.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "cli/printable.h"
#include "cli/version.h"

namespace parley::cli {
namespace {

constexpr long kConnectMs = 10'000;
constexpr long kAnswerMs = 30'000;
constexpr size_t kMaxAnswer = 1024 * 1024;

// A number other than the one offered ends the transfer with an error.
size_t collect(char* data, size_t, size_t size, void* body) {
  auto& out = *static_cast<std::string*>(body);
  if (out.size() + size > kMaxAnswer) return 0;
  out.append(data, size);
  return size;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// Servers write {"error":"..."}, {"message":"..."} or {"error":{"message":"..."}}.
std::string json_sentence(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return {};
  for (const char* name : {"error", "message"}) {
    const auto found = json.find(name);
    if (found == json.end()) continue;
    if (found->is_string()) return found->get<std::string>();
    if (found->is_object() && found->contains("message") && (*found)["message"].is_string())
      return (*found)["message"].get<std::string>();
  }
  return {};
}

}  // namespace

CurlEasy make_request(const std::string& url, const curl_slist* headers) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(ready == CURLE_OK);
  CurlEasy handle(curl_easy_init());
  CHECK(handle != nullptr);
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, user_agent().c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  // A channel may be called "..".
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  return handle;
}

CurlList to_header_list(const std::vector<std::string>& headers) {
  curl_slist* list = nullptr;
  for (const std::string& header : headers) {
    list = curl_slist_append(list, header.c_str());
    CHECK(list != nullptr);
  }
  return CurlList(list);
}

Result<Response> post(const std::string& server, const std::string& path,
                      const std::vector<std::string>& headers, ByteView body) {
  std::vector<std::string> all = headers;
  // Without this libcurl announces a large body and waits a second for leave to send it.
  all.emplace_back("Expect:");
  const CurlList list = to_header_list(all);
  const CurlEasy request = make_request(server + path, list.get());
  Response response;
  CURL* curl = request.get();
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kAnswerMs);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response.body);
  if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK)
    return fail(explain(code, server));
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
  return response;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string explain(CURLcode code, const std::string& url) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      return fmt::format("cannot reach {}: is the server running? start it with: parley dev", url);
    case CURLE_COULDNT_RESOLVE_HOST:
      return fmt::format("cannot reach {}: no such host; check --url and PARLEY_URL", url);
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("{} did not answer in time; it may be overloaded, try again", url);
    case CURLE_URL_MALFORMAT:
      return fmt::format("{} is not an address; check --url and PARLEY_URL", url);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return fmt::format("{} closed the connection without an answer; is it a Parley server?", url);
    default:
      return fmt::format("no answer from {}: {}", url, curl_easy_strerror(code));
  }
}

std::string error_sentence(long status, std::string_view body) {
  std::string sentence = json_sentence(body);
  if (sentence.empty()) sentence = body.substr(0, body.find_first_of("\r\n"));
  if (sentence.empty()) return fmt::format("the server answered {}", status);
  return fmt::format("the server answered {}: {}", status, printable(sentence));
}

}  // namespace parley::cli
