// Serves the demo page of `parley dev`.
#pragma once

#include "http/router.h"

namespace parley::admin {

// What: answers GET for each file of the page, by its path; 304 when the browser has it already.
// Owner: the server, one per shard. Shard: its own.
class DemoHandler final : public http::Handler {
 public:
  void handle(http::Exchange& exchange) override;
  // Adds a route for each file.
  void add_to(http::Router& router);
};

}  // namespace parley::admin
