#include "admin/demo_handler.h"

#include "admin/demo_assets.h"
#include "http/exchange.h"

namespace parley::admin {

void DemoHandler::handle(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const Asset* asset = find_demo_asset(request.path);
  if (asset == nullptr) return exchange.respond_text(404, "There is no such file.");
  const http::HeaderView headers[] = {{"Cache-Control", "no-cache"}, {"ETag", asset->etag}};
  if (request.header("If-None-Match") == asset->etag) return exchange.respond(304, {}, {}, headers);
  exchange.respond(200, asset->content_type, asset->body, headers);
}

void DemoHandler::add_to(http::Router& router) {
  for (const Asset& asset : demo_assets()) router.add("GET", asset.path, *this);
}

}  // namespace parley::admin
