#include <protozero/pbf_writer.hpp>

#include "http_api/methods.h"
#include "http_api/result_encoder.h"

namespace parley::http_api {
namespace {

using protozero::pbf_writer;

// The field functions leave out what is zero.
void text(pbf_writer& out, uint32_t field, std::string_view value) {
  if (!value.empty()) out.add_bytes(field, value.data(), value.size());
}
void number(pbf_writer& out, uint32_t field, uint64_t value) {
  if (value != 0) out.add_uint64(field, value);
}

void write_error(pbf_writer out, ApiError error) {
  const ApiErrorRow& row = row_of(error);
  count_error(error);
  number(out, 1, static_cast<uint64_t>(row.error));
  text(out, 2, row.message);
}

void write_info(pbf_writer out, const hub::ClientInfo& info) {
  text(out, 1, info.user);
  text(out, 2, info.client);
  text(out, 3, info.connection_info);
  text(out, 4, info.channel_info);
}

void write_publication(pbf_writer out, const hub::Publication& publication) {
  text(out, 2, publication.data);
  if (publication.publisher) write_info(pbf_writer(out, 3), *publication.publisher);
  number(out, 4, publication.offset);
  for (const auto& [name, value] : publication.tags) {
    pbf_writer tag(out, 5);
    text(tag, 1, name);
    text(tag, 2, value);
  }
}

void write_token(pbf_writer out, const hub::ConnectionFacts::Token& token) {
  text(out, 1, token.uid);
  if (token.issued_at != 0) out.add_int64(2, token.issued_at);
}

void write_state(pbf_writer out, const hub::ConnectionFacts& facts) {
  for (const std::string& channel : facts.channels) {
    pbf_writer entry(out, 1);
    text(entry, 1, channel);
    pbf_writer context(entry, 2);
  }
  if (facts.token.known()) write_token(pbf_writer(out, 2), facts.token);
  for (const auto& [channel, token] : facts.subscription_tokens) {
    pbf_writer entry(out, 3);
    text(entry, 1, channel);
    write_token(pbf_writer(entry, 2), token);
  }
  text(out, 4, facts.meta);
}

// {error 1, result 2}; of a broadcast, the result holds such responses.
void write_response(pbf_writer out, ApiError error, ByteView result) {
  if (error != ApiError::kNone) {
    write_error(pbf_writer(out, 1), error);
  } else {
    out.add_message(2, result.data(), result.size());
  }
}

// A command's result message; of a broadcast, its responses.
Buffer result_of(const Command& command) {
  if (!command.method->many_channels) return command.outcomes.front().result;
  Buffer result;
  pbf_writer out(result);
  for (const Outcome& outcome : command.outcomes)
    write_response(pbf_writer(out, 1), outcome.error, outcome.result);
  return result;
}

ApiError error_of(const Command& command) {
  if (command.error != ApiError::kNone) return command.error;
  return command.method->many_channels ? ApiError::kNone : command.outcomes.front().error;
}

class ProtobufResults final : public ResultEncoder {
 public:
  std::string_view content_type() const override { return "application/octet-stream"; }

  void empty(Buffer&) const override {}
  void published(Buffer& out, const hub::StreamPosition& position) const override {
    pbf_writer writer(out);
    number(writer, 1, position.offset);
    text(writer, 2, hub::to_string(position.epoch));
  }
  void history(Buffer& out, const hub::ReadPage& page) const override {
    pbf_writer writer(out);
    for (const auto& publication : page.publications)
      write_publication(pbf_writer(writer, 1), *publication);
    text(writer, 2, hub::to_string(page.epoch));
    number(writer, 3, page.top);
  }
  void presence(Buffer& out, const hub::PresenceSnapshot& presence) const override {
    pbf_writer writer(out);
    for (const hub::ClientInfo& member : presence.members()) {
      pbf_writer entry(writer, 1);
      text(entry, 1, member.client);
      write_info(pbf_writer(entry, 2), member);
    }
  }
  void presence_stats(Buffer& out, const hub::PresenceCounts& counts) const override {
    pbf_writer writer(out);
    number(writer, 1, counts.clients);
    number(writer, 2, counts.users);
  }
  void channels(Buffer& out, const hub::ChannelCounts& channels) const override {
    pbf_writer writer(out);
    for (const auto& [name, subscribers] : channels.subscribers) {
      pbf_writer entry(writer, 1);
      text(entry, 1, name);
      pbf_writer info(entry, 2);
      number(info, 1, subscribers);
    }
  }
  void connections(Buffer& out, std::span<const hub::ConnectionFacts> connections,
                   bool cut) const override {
    pbf_writer writer(out);
    for (const hub::ConnectionFacts& facts : connections) {
      pbf_writer entry(writer, 1);
      text(entry, 1, facts.client);
      pbf_writer info(entry, 2);
      text(info, 1, facts.app_name);
      text(info, 2, facts.app_version);
      text(info, 3, facts.transport);
      text(info, 4, facts.protocol);
      text(info, 8, facts.user);
      write_state(pbf_writer(info, 9), facts);
    }
    // Ours, far from what Centrifugo may number next.
    number(writer, 100, cut ? 1 : 0);
  }
  void user_statuses(Buffer& out, std::span<const hub::UserStatus> statuses) const override {
    pbf_writer writer(out);
    for (const hub::UserStatus& status : statuses) {
      pbf_writer entry(writer, 1);
      text(entry, 1, status.user);
      number(entry, 2, static_cast<uint64_t>(status.active));
      number(entry, 3, static_cast<uint64_t>(status.online));
    }
  }
  void node_facts(Buffer& out, const NodeFacts& facts) const override {
    pbf_writer writer(out);
    pbf_writer node(writer, 1);
    text(node, 1, facts.uid);
    text(node, 2, facts.name);
    text(node, 3, facts.version);
    number(node, 4, facts.num_clients);
    number(node, 5, facts.num_users);
    number(node, 6, facts.num_channels);
    number(node, 7, facts.uptime);
    number(node, 10, facts.num_subs);
  }

  Buffer answer(const CommandList& list) const override {
    Buffer out;
    pbf_writer writer(out);
    if (!list.batch) {
      const Command& command = list.commands.front();
      write_response(std::move(writer), error_of(command), result_of(command));
      return out;
    }
    for (const Command& command : list.commands) {
      pbf_writer reply(writer, 1);
      const ApiError error = error_of(command);
      if (error != ApiError::kNone) {
        write_error(pbf_writer(reply, 2), error);
      } else {
        const Buffer result = result_of(command);
        reply.add_message(command.method->field, result.data(), result.size());
      }
    }
    return out;
  }
  Buffer refusal(ApiError error, bool bare) const override {
    Buffer out;
    pbf_writer writer(out);
    if (bare) {
      write_error(std::move(writer), error);
    } else {
      write_error(pbf_writer(writer, 1), error);
    }
    return out;
  }
};

}  // namespace

const ResultEncoder& protobuf_results() {
  static const ProtobufResults results;
  return results;
}

}  // namespace parley::http_api
