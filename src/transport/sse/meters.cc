#include "transport/sse/meters.h"

namespace parley::transport::sse::meters {

metrics::Gauge connections("parley_sse_connections", "Open streams of server-sent events");
metrics::Counter refused("parley_sse_refused_total",
                         "Requests for a stream of server-sent events that were refused");

}  // namespace parley::transport::sse::meters
