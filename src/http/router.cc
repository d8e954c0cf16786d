#include "http/router.h"

#include <algorithm>

#include "base/check.h"
#include "codec/http1/uri.h"

namespace parley::http {

bool Router::Route::fits(std::string_view requested) const {
  if (!prefix) return requested == path;
  return requested.size() > path.size() && requested.starts_with(path) &&
         requested.find('/', path.size()) == std::string_view::npos;
}

void Router::add(std::string_view method, std::string_view path, Handler& handler,
                 uint64_t body_limit) {
  CHECK(path.starts_with('/'));
  routes_.push_back({std::string(method), std::string(path), &handler, body_limit, false});
}

void Router::add_prefix(std::string_view method, std::string_view prefix, Handler& handler,
                        uint64_t body_limit) {
  CHECK(prefix.starts_with('/') && prefix.ends_with('/'));
  routes_.push_back({std::string(method), std::string(prefix), &handler, body_limit, true});
}

const Router::Route* Router::best_fit(std::string_view path) const {
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    if (!route.fits(path)) continue;
    if (!route.prefix) return &route;
    if (best == nullptr || route.path.size() > best->path.size()) best = &route;
  }
  return best;
}

const Router::Route* Router::choose_method(std::string_view method, const Route& place) const {
  const Route* get = nullptr;
  for (const Route& route : routes_) {
    if (route.prefix != place.prefix || route.path != place.path) continue;
    if (route.method == method) return &route;
    if (route.method == "GET") get = &route;
  }
  return method == "HEAD" ? get : nullptr;
}

std::string Router::methods_of(const Route& place) const {
  std::string list;
  const auto add_method = [&list](std::string_view method) {
    if (!list.empty()) list += ", ";
    list += method;
  };
  for (const Route& route : routes_) {
    if (route.prefix != place.prefix || route.path != place.path) continue;
    add_method(route.method);
    if (route.method == "GET") add_method("HEAD");
  }
  return list;
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  const Route* place = best_fit(path);
  if (place == nullptr) return {};
  const Route* route = choose_method(method, *place);
  if (route == nullptr) return {.status = 405, .allow = methods_of(*place)};
  Match match{.handler = route->handler, .body_limit = route->body_limit};
  if (!route->prefix) return match;
  auto tail = codec::http1::percent_decode(path.substr(route->path.size()));
  if (!tail) return {.status = 400};
  match.path_tail = std::move(*tail);
  return match;
}

uint64_t Router::max_body_limit() const {
  uint64_t most = 0;
  for (const Route& route : routes_) most = std::max(most, route.body_limit);
  return most;
}

std::vector<std::string> Router::describe() const {
  std::vector<std::string> list;
  list.reserve(routes_.size());
  for (const Route& route : routes_)
    list.push_back(route.method + ' ' + route.path + (route.prefix ? "{tail}" : ""));
  return list;
}

}  // namespace parley::http
