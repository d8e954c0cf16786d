#include "echo_adapter.h"

#include <algorithm>

#include "auth/access.h"
#include "base/utf8.h"

namespace parley::examples {
namespace {

// Written once per publication and framing, whoever subscribes.
class EchoDialect final : public session::Dialect {
 public:
  session::MessageType type() const override { return session::MessageType::kText; }
  void encode(const hub::LocalChannel& channel, const hub::Publication& publication,
              Buffer& out) const override {
    if (publication.change != hub::Change::kMessage) return;
    out.append("msg ").append(channel.key().name).append(" ");
    const bool binary = publication.kind == hub::ContentKind::kBinary;
    out.append(binary ? "(binary)" : std::string_view(publication.data));
  }
};

// Takes the first word off `line`.
std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

}  // namespace

const session::Dialect& EchoAdapter::dialect() const {
  static const EchoDialect dialect;
  return dialect;
}

void EchoAdapter::on_message(session::MessageType, ByteView line, session::Effects& effects) {
  if (line.empty() || !is_valid_utf8(line)) return effects.end(session::EndReason::kBadRequest);
  ByteView rest = line;
  const std::string_view verb = take_word(rest);
  if (verb != "sub" && verb != "pub") return effects.send(line);
  const std::string_view name = take_word(rest);
  if (!auth::is_channel_name(name)) return effects.send("error bad channel name");
  if (verb == "sub") return subscribe(name, effects);
  publish(name, rest, effects);
}

void EchoAdapter::subscribe(std::string_view name, session::Effects& effects) {
  const auto same = [&](const auto& entry) { return entry.second == name; };
  if (std::ranges::any_of(channels_, same)) return effects.send("error already subscribed");
  if (channels_.size() >= kMaxChannels) return effects.end(session::EndReason::kLimit);
  const auto handle = effects.subscribe({.name = std::string(name)}, {});
  channels_.emplace(handle, name);
}

// The answer comes later, so what it will need is kept under the step.
void EchoAdapter::publish(std::string_view name, std::string_view text, session::Effects& effects) {
  hub::PublishRecord record{.channel = {.name = std::string(name)}};
  record.publication = std::make_unique<hub::Publication>();
  record.publication->kind = hub::ContentKind::kText;
  record.publication->data = text;
  publishing_.emplace(++last_step_, name);
  effects.publish(last_step_, std::move(record));
}

void EchoAdapter::on_subscribed(session::SubscriptionHandle handle,
                                std::expected<hub::Subscribed, hub::HubError> result,
                                session::Effects& effects) {
  const auto channel = channels_.find(handle);
  effects.send((result ? "subscribed " : "refused ") + channel->second);
  if (!result) channels_.erase(channel);
}

void EchoAdapter::on_answer(hub::StepId step, hub::Answer answer, session::Effects& effects) {
  const std::string name = std::move(publishing_.extract(step).mapped());
  if (!answer) return effects.send("refused " + name);
  const uint64_t offset = std::get<hub::Published>(*answer).position.offset;
  const auto own =
      std::ranges::find(channels_, name, [](const auto& entry) { return entry.second; });
  // A publisher that subscribes too sees its message before this line.
  effects.send_after(own == channels_.end() ? 0 : own->first, offset,
                     "published " + name + " " + std::to_string(offset));
}

void EchoAdapter::on_gap(session::SubscriptionHandle handle, const hub::Gap& gap,
                         session::Effects& effects) {
  effects.send("gap " + channels_.at(handle) + " " + std::to_string(gap.from) + " " +
               std::to_string(gap.to) + " " + std::string(to_string(gap.reason)));
}

session::EndCode EchoAdapter::on_end(session::EndReason reason, session::Effects& effects) {
  effects.send("bye " + std::string(to_string(reason)));
  return {1000, to_string(reason)};
}

}  // namespace parley::examples
