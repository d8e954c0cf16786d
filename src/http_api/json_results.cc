#include "base/base64.h"
#include "codec/json/write.h"
#include "http_api/answer.h"
#include "http_api/methods.h"
#include "http_api/result_encoder.h"

namespace parley::http_api {
namespace {

using codec::json::append_string;

void append_text(Buffer& out, std::string_view key, std::string_view value) {
  out += key;
  append_string(out, value);
}

void append_number(Buffer& out, std::string_view key, uint64_t value) {
  out += key;
  append_uint(out, value);
}

void append_info(Buffer& out, const hub::ClientInfo& info) {
  append_text(out, R"({"user":)", info.user);
  append_text(out, R"(,"client":)", info.client);
  if (!info.connection_info.empty()) out.append(R"(,"conn_info":)").append(info.connection_info);
  if (!info.channel_info.empty()) out.append(R"(,"chan_info":)").append(info.channel_info);
  out += '}';
}

void append_data(Buffer& out, const hub::Publication& publication) {
  switch (publication.kind) {
    case hub::ContentKind::kJson:
      out.append(R"("data":)").append(publication.data);
      return;
    case hub::ContentKind::kText:
      append_text(out, R"("data":)", publication.data);
      return;
    case hub::ContentKind::kBinary:
      out += R"("b64data":")";
      append_base64(out, publication.data);
      out += '"';
  }
}

void append_publication(Buffer& out, const hub::Publication& publication) {
  out += '{';
  append_data(out, publication);
  if (publication.publisher) {
    out += R"(,"info":)";
    append_info(out, *publication.publisher);
  }
  append_number(out, R"(,"offset":)", publication.offset);
  char separator = '{';
  for (const auto& [name, value] : publication.tags) {
    if (separator == '{') out += R"(,"tags":)";
    out += separator;
    append_text(out, "", name);
    append_text(out, ":", value);
    separator = ',';
  }
  out += publication.tags.empty() ? "}" : "}}";
}

void append_token(Buffer& out, const hub::ConnectionFacts::Token& token) {
  char separator = '{';
  if (!token.uid.empty()) {
    append_text(out, R"({"uid":)", token.uid);
    separator = ',';
  }
  if (token.issued_at != 0) {
    out.append(&separator, 1).append(R"("issued_at":)").append(std::to_string(token.issued_at));
    separator = ',';
  }
  out += separator == '{' ? "{}" : "}";
}

void append_state(Buffer& out, const hub::ConnectionFacts& facts) {
  out += R"({"channels":{)";
  for (const std::string& channel : facts.channels) {
    append_text(out, &channel == facts.channels.data() ? "" : ",", channel);
    out += ":{}";
  }
  out += '}';
  if (facts.token.known()) {
    out += R"(,"connection_token":)";
    append_token(out, facts.token);
  }
  bool first = true;
  for (const auto& [channel, token] : facts.subscription_tokens) {
    out += first ? R"(,"subscription_tokens":{)" : ",";
    first = false;
    append_string(out, channel);
    out += ':';
    append_token(out, token);
  }
  if (!first) out += '}';
  if (!facts.meta.empty()) out.append(R"(,"meta":)").append(facts.meta);
  out += '}';
}

void append_connection(Buffer& out, const hub::ConnectionFacts& facts) {
  out += '{';
  if (!facts.app_name.empty()) {
    append_text(out, R"("app_name":)", facts.app_name);
    out += ',';
  }
  if (!facts.app_version.empty()) {
    append_text(out, R"("app_version":)", facts.app_version);
    out += ',';
  }
  append_text(out, R"("transport":)", facts.transport);
  append_text(out, R"(,"protocol":)", facts.protocol);
  if (!facts.user.empty()) append_text(out, R"(,"user":)", facts.user);
  out += R"(,"state":)";
  append_state(out, facts);
  out += '}';
}

void append_outcome(Buffer& out, std::string_view key, const Outcome& outcome) {
  out += '{';
  if (outcome.error == ApiError::kNone) {
    out.append("\"").append(key).append("\":").append(outcome.result);
  } else {
    out += R"("error":)";
    append_error(out, outcome.error);
  }
  out += '}';
}

// {"KEY":result} or {"error":..}; of a broadcast, {"KEY":{"responses":[..]}}.
void append_command(Buffer& out, std::string_view key, const Command& command) {
  const bool many = command.method != nullptr && command.method->many_channels;
  if (command.error != ApiError::kNone || !many) {
    const Outcome refused{command.error, {}};
    return append_outcome(out, key,
                          command.error != ApiError::kNone ? refused : command.outcomes[0]);
  }
  out.append("{\"").append(key).append(R"(":{"responses":[)");
  bool first = true;
  for (const Outcome& outcome : command.outcomes) {
    if (!first) out += ',';
    first = false;
    append_outcome(out, "result", outcome);
  }
  out += "]}}";
}

Buffer render_legacy(const CommandList& list) {
  Buffer out, answer;
  for (const Command& command : list.commands) {
    answer.clear();
    append_command(answer, "result", command);
    out += '{';
    if (command.id != 0) {
      append_number(out, R"("id":)", command.id);
      out += ',';
    }
    out.append(answer, 1).append("\n");
  }
  return out;
}

class JsonResults final : public ResultEncoder {
 public:
  std::string_view content_type() const override { return kJsonType; }

  void empty(Buffer& out) const override { out += "{}"; }
  void published(Buffer& out, const hub::StreamPosition& position) const override {
    append_number(out, R"({"offset":)", position.offset);
    append_text(out, R"(,"epoch":)", hub::to_string(position.epoch));
    out += '}';
  }
  void history(Buffer& out, const hub::ReadPage& page) const override {
    out += R"({"publications":[)";
    bool first = true;
    for (const auto& publication : page.publications) {
      if (!first) out += ',';
      first = false;
      append_publication(out, *publication);
    }
    append_text(out, R"(],"epoch":)", hub::to_string(page.epoch));
    append_number(out, R"(,"offset":)", page.top);
    out += '}';
  }

  void presence(Buffer& out, const hub::PresenceSnapshot& presence) const override {
    out += R"({"presence":{)";
    bool first = true;
    for (const hub::ClientInfo& member : presence.members()) {
      append_text(out, first ? "" : ",", member.client);
      first = false;
      out += ':';
      append_info(out, member);
    }
    out += "}}";
  }

  void presence_stats(Buffer& out, const hub::PresenceCounts& counts) const override {
    append_number(out, R"({"num_clients":)", counts.clients);
    append_number(out, R"(,"num_users":)", counts.users);
    out += '}';
  }

  void channels(Buffer& out, const hub::ChannelCounts& channels) const override {
    out += R"({"channels":{)";
    bool first = true;
    for (const auto& [name, subscribers] : channels.subscribers) {
      append_text(out, first ? "" : ",", name);
      first = false;
      append_number(out, R"(:{"num_clients":)", subscribers);
      out += '}';
    }
    out += "}}";
  }

  void connections(Buffer& out, std::span<const hub::ConnectionFacts> connections,
                   bool cut) const override {
    out += R"({"connections":{)";
    for (const hub::ConnectionFacts& facts : connections) {
      append_text(out, &facts == connections.data() ? "" : ",", facts.client);
      out += ':';
      append_connection(out, facts);
    }
    out += cut ? R"(},"truncated":true})" : "}}";
  }

  void user_statuses(Buffer& out, std::span<const hub::UserStatus> statuses) const override {
    out += R"({"statuses":[)";
    for (const hub::UserStatus& status : statuses) {
      append_text(out, &status == statuses.data() ? R"({"user":)" : R"(,{"user":)", status.user);
      if (status.active != 0)
        append_number(out, R"(,"active":)", static_cast<uint64_t>(status.active));
      if (status.online != 0)
        append_number(out, R"(,"online":)", static_cast<uint64_t>(status.online));
      out += '}';
    }
    out += "]}";
  }

  void node_facts(Buffer& out, const NodeFacts& facts) const override {
    append_text(out, R"({"nodes":[{"uid":)", facts.uid);
    append_text(out, R"(,"name":)", facts.name);
    append_text(out, R"(,"version":)", facts.version);
    append_number(out, R"(,"num_clients":)", facts.num_clients);
    append_number(out, R"(,"num_users":)", facts.num_users);
    append_number(out, R"(,"num_channels":)", facts.num_channels);
    append_number(out, R"(,"num_subs":)", facts.num_subs);
    append_number(out, R"(,"uptime":)", facts.uptime);
    out += "}]}";
  }

  Buffer answer(const CommandList& list) const override {
    if (list.legacy) return render_legacy(list);
    Buffer out;
    if (!list.batch) {
      append_command(out, "result", list.commands.front());
      return out;
    }
    out += R"({"replies":[)";
    bool first = true;
    for (const Command& command : list.commands) {
      if (!first) out += ',';
      first = false;
      append_command(out, command.method != nullptr ? command.method->name : "", command);
    }
    out += "]}";
    return out;
  }
  Buffer refusal(ApiError error, bool bare) const override {
    Buffer out;
    if (!bare) out += R"({"error":)";
    append_error(out, error);
    if (!bare) out += '}';
    return out;
  }
};

}  // namespace

const ResultEncoder& json_results() {
  static const JsonResults results;
  return results;
}

}  // namespace parley::http_api
