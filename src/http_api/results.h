// What the hub knows, in the server API's JSON. Each appends one object.
#pragma once

#include "base/bytes.h"
#include "http_api/command.h"
#include "http_api/node_info.h"
#include "hub/requester.h"

namespace parley::http_api {

// {} when the publication was not stored.
void append_published(Buffer& out, const hub::Published& published, bool stored);
// JSON data stand as they were published; text becomes a JSON string; binary data stand in base64
// under "b64data" instead of "data".
void append_history(Buffer& out, const hub::ReadPage& page);
void append_presence(Buffer& out, const hub::PresenceSnapshot& presence);
void append_presence_stats(Buffer& out, const hub::PresenceCounts& counts);
void append_channels(Buffer& out, const hub::ChannelCounts& channels);
void append_node_facts(Buffer& out, const NodeFacts& facts);

// The whole answer to a request whose commands all have their outcomes.
Buffer render_answer(const CommandList& list);

}  // namespace parley::http_api
