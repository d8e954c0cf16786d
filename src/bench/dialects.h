// The dialects by name; make_subscriber() and make_publisher() choose.
#pragma once

#include <memory>

#include "bench/dialect.h"

namespace parley::bench {

std::unique_ptr<Dialect> make_centrifuge(const Door& door);
std::unique_ptr<Dialect> make_event_source(const Door& door);
// The same of nchan, at its own path.
std::unique_ptr<Dialect> make_nchan_event_source(const Door& door);
// Subscribers of the Centrifuge protocol over http_stream, or sse; they never answer.
std::unique_ptr<Dialect> make_push(const Door& door, bool events);
std::unique_ptr<Dialect> make_nchan_publisher(const Door& door);

}  // namespace parley::bench
