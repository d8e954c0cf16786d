#include "io/meters.h"

namespace parley::io::meters {
namespace {
constexpr std::string_view kAcceptErrors[] = {"connection", "resources", "full"};
constexpr std::string_view kFarewellCuts[] = {"unread", "unanswered", "flooded"};
constexpr std::string_view kLongTurns[] = {"10ms", "50ms"};
}  // namespace

metrics::Counter accepted("parley_io_accepted_total", "Connections accepted");
metrics::CounterFamily accept_errors("parley_io_accept_errors_total",
                                     "Failed accepts; accepting pauses when resources run out, and "
                                     "connections are refused when clients have all descriptors",
                                     "reason", kAcceptErrors);
metrics::Counter accept_waits("parley_io_accept_waits_total",
                              "Connections that found all descriptors taken and waited a moment");
metrics::CounterFamily farewells_cut("parley_io_farewells_cut_total",
                                     "Connections that could not be closed in order", "reason",
                                     kFarewellCuts);
metrics::Gauge open_sockets("parley_io_open_sockets", "Sockets open now");
metrics::Counter bytes_received("parley_io_received_bytes_total", "Bytes read from sockets");
metrics::Counter bytes_sent("parley_io_sent_bytes_total", "Bytes written to sockets");
metrics::Counter turns("parley_io_turns_total", "Turns of the shards' loops");
metrics::Counter stalls("parley_io_stalls_total", "Turns that took longer than the stall limit");
metrics::CounterFamily long_turns("parley_io_long_turns_total", "Turns that took longer than that",
                                  "over", kLongTurns);
metrics::Counter wakes("parley_io_wakes_total", "Times a sleeping shard was woken by another");
metrics::Counter post_full("parley_io_inbox_full_total", "Entries refused because a queue was full",
                           {{"queue", "post"}});
metrics::Counter mail_full("parley_io_inbox_full_total", "Entries refused because a queue was full",
                           {{"queue", "mail"}});
metrics::Counter worker_full("parley_io_inbox_full_total",
                             "Entries refused because a queue was full", {{"queue", "worker"}});

}  // namespace parley::io::meters
