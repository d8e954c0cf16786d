// Who may call the server API.
#pragma once

#include <string>
#include <string_view>

#include "codec/http1/request.h"

namespace parley::http_api {

// Takes the same time whatever the first difference is; only the length of `given` shows.
bool same_secret(std::string_view expected, std::string_view given);

// What: the API key, in the header X-API-Key, as "Authorization: apikey K" or as query parameter
// api_key; the first of them that is there decides. A value. Without a key nobody passes.
class ApiKey {
 public:
  explicit ApiKey(std::string key) : key_(std::move(key)) {}
  bool admits(const codec::http1::Request& request) const;

 private:
  std::string key_;
};

}  // namespace parley::http_api
