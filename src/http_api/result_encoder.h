// How answers of the server API are written.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.h"
#include "http_api/command.h"
#include "http_api/node_info.h"
#include "hub/requester.h"

namespace parley::http_api {

// What: one encoding of results and of the answers made of them. Owner: a static of its function
// below; stateless. Shard: any. Results append one object each; answers are whole bodies.
class ResultEncoder {
 public:
  virtual ~ResultEncoder() = default;
  virtual std::string_view content_type() const = 0;

  virtual void empty(Buffer& out) const = 0;
  virtual void published(Buffer& out, const hub::StreamPosition& position) const = 0;
  virtual void history(Buffer& out, const hub::ReadPage& page) const = 0;
  virtual void presence(Buffer& out, const hub::PresenceSnapshot& presence) const = 0;
  virtual void presence_stats(Buffer& out, const hub::PresenceCounts& counts) const = 0;
  virtual void channels(Buffer& out, const hub::ChannelCounts& channels) const = 0;
  // `cut`: there are more.
  virtual void connections(Buffer& out, std::span<const hub::ConnectionFacts> connections,
                           bool cut) const = 0;
  virtual void user_statuses(Buffer& out, std::span<const hub::UserStatus> statuses) const = 0;
  virtual void node_facts(Buffer& out, const NodeFacts& facts) const = 0;

  // Of a request whose commands all have their outcomes.
  virtual Buffer answer(const CommandList& list) const = 0;
  // Of a request that is refused as a whole; `bare`: without anything around the error.
  virtual Buffer refusal(ApiError error, bool bare) const = 0;
};

const ResultEncoder& json_results();
const ResultEncoder& protobuf_results();

}  // namespace parley::http_api
