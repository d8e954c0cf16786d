// The Centrifuge protocol: generated commands as both decoders read them, generated replies as both
// encoders write them. Another library writes and reads the JSON, the schema in
// tests/support/centrifuge_protobuf.h the Protobuf.
#include <deque>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/centrifuge/json_command_decoder.h"
#include "codec/centrifuge/json_encoder.h"
#include "codec/centrifuge/protobuf_command_decoder.h"
#include "codec/centrifuge/protobuf_encoder.h"
#include "tests/property/json_values.h"
#include "tests/support/centrifuge_protobuf.h"

namespace parley::testing {
namespace {

namespace wire = codec::centrifuge;

// Fields of an object, each there or not; one that is zero is as good as missing.
class Fields {
 public:
  Fields& text(const char* name) { return put(name, *rc::gen::scale(0.1, any_text())); }
  Fields& data(const char* name = "data") {
    return put(name, {{"d", *rc::gen::scale(0.2, any_tree())}});
  }
  Fields& flag(const char* name) { return put(name, true); }
  template <class Int>
  Fields& number(const char* name) {
    return put(name, *rc::gen::arbitrary<Int>());
  }
  Fields& put(const char* name, Tree value) {
    const bool zero = value == 0 || value == "";
    if (!zero && *rc::gen::arbitrary<bool>()) tree_[name] = std::move(value);
    return *this;
  }
  Tree tree() const { return tree_; }

 private:
  Tree tree_ = Tree::object();
};

Tree any_filter(int depth) {
  Tree made = Fields().text("op").text("key").text("cmp").text("val").tree();
  const auto words = *rc::gen::scale(0.1, rc::gen::container<std::vector<Bytes>>(any_text()));
  if (!words.empty()) made["vals"] = words;
  for (int i = *rc::gen::inRange(0, 3); depth > 0 && i > 0; --i)
    made["nodes"].push_back(any_filter(depth - 1));
  return made;
}

Tree any_subscribe() {
  return Fields()
      .text("channel")
      .text("token")
      .text("epoch")
      .text("delta")
      .text("cursor")
      .data()
      .number<uint64_t>("offset")
      .number<int64_t>("flag")
      .number<int32_t>("type")
      .number<int32_t>("phase")
      .number<int32_t>("limit")
      .flag("recover")
      .flag("positioned")
      .flag("recoverable")
      .flag("join_leave")
      .flag("asc")
      .put("tf", any_filter(2))
      .tree();
}

Tree any_connect() {
  Tree subs = Tree::object(), headers = Tree::object();
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    subs[*rc::gen::scale(0.1, any_text())] = any_subscribe();
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    headers[*rc::gen::scale(0.1, any_text())] = *rc::gen::scale(0.1, any_text());
  Tree made = Fields()
                  .text("token")
                  .text("name")
                  .text("version")
                  .text("dict")
                  .text("profile")
                  .data()
                  .number<int64_t>("flag")
                  .tree();
  if (!subs.empty()) made["subs"] = subs;
  if (!headers.empty()) made["headers"] = headers;
  return made;
}

Tree any_sub_refresh() {
  Tree made = Fields().text("channel").text("token").number<int32_t>("type").tree();
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    Tree batch = Fields().text("signature").tree();
    for (int n = *rc::gen::inRange(0, 3); n > 0; --n)
      batch["items"].push_back(Fields().text("key").number<uint64_t>("version").tree());
    made["track"].push_back(batch);
  }
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    made["untrack"].push_back(*rc::gen::scale(0.1, any_text()));
  return made;
}

Tree any_command() {
  Tree made = Fields().number<uint32_t>("id").tree();
  switch (*rc::gen::inRange(0, 10)) {
    case 0:
      made["connect"] = any_connect();
      break;
    case 1:
      made["subscribe"] = any_subscribe();
      break;
    case 2:
      made["publish"] = Fields()
                            .text("channel")
                            .text("key")
                            .data()
                            .number<int32_t>("type")
                            .flag("removed")
                            .tree();
      break;
    case 3:
      made["history"] = Fields()
                            .text("channel")
                            .number<int32_t>("limit")
                            .flag("reverse")
                            .put("since", Fields().number<uint64_t>("offset").text("epoch").tree())
                            .tree();
      break;
    case 4:
      made["rpc"] = Fields().text("method").data().tree();
      break;
    case 5:
      made["send"] = Fields().data().tree();
      break;
    case 6:
      made["refresh"] = Fields().text("token").tree();
      break;
    case 7:
      made["sub_refresh"] = any_sub_refresh();
      break;
    default:
      made[*rc::gen::element<Bytes>("unsubscribe", "presence", "presence_stats")] =
          Fields().text("channel").tree();
  }
  return made;
}

// A decoded command as the tree that it was made of.
class ToTree {
 public:
  explicit ToTree(const wire::Command& command) {
    set(tree_, "id", command.id);
    std::visit(*this, command.request);
  }
  const Tree& tree() const { return tree_; }

  void operator()(const wire::Pong&) {}
  void operator()(const wire::UnknownRequest&) { tree_["unknown"] = true; }
  void operator()(const wire::ConnectRequest& from) {
    Tree& to = tree_["connect"] = Tree::object();
    set(to, "token", from.token);
    set(to, "name", from.name);
    set(to, "version", from.version);
    set(to, "dict", from.dict);
    set(to, "profile", from.profile);
    set(to, "flag", from.flag);
    set_data(to, from.data);
    for (const auto& [channel, sub] : from.subs) to["subs"][Bytes(channel)] = of(sub);
    for (const auto& [name, value] : from.headers) to["headers"][Bytes(name)] = value;
  }
  void operator()(const wire::SubscribeRequest& from) { tree_["subscribe"] = of(from); }
  void operator()(const wire::UnsubscribeRequest& from) {
    set_channel("unsubscribe", from.channel);
  }
  void operator()(const wire::PublishRequest& from) {
    Tree& to = set_channel("publish", from.channel);
    set(to, "key", from.key);
    set(to, "type", from.type);
    set(to, "removed", from.removed);
    set_data(to, from.data);
  }
  void operator()(const wire::PresenceRequest& from) { set_channel("presence", from.channel); }
  void operator()(const wire::PresenceStatsRequest& from) {
    set_channel("presence_stats", from.channel);
  }
  void operator()(const wire::HistoryRequest& from) {
    Tree& to = set_channel("history", from.channel);
    set(to, "limit", from.limit);
    set(to, "reverse", from.reverse);
    if (!from.since) return;
    Tree& since = to["since"] = Tree::object();
    set(since, "offset", from.since->offset);
    set(since, "epoch", from.since->epoch);
  }
  void operator()(const wire::SendRequest& from) {
    set_data(tree_["send"] = Tree::object(), from.data);
  }
  void operator()(const wire::RpcRequest& from) {
    Tree& to = tree_["rpc"] = Tree::object();
    set(to, "method", from.method);
    set_data(to, from.data);
  }
  void operator()(const wire::RefreshRequest& from) {
    set(tree_["refresh"] = Tree::object(), "token", from.token);
  }
  void operator()(const wire::SubRefreshRequest& from) {
    Tree& to = set_channel("sub_refresh", from.channel);
    set(to, "token", from.token);
    set(to, "type", from.type);
    for (const auto& batch : from.track) {
      Tree made = Tree::object();
      set(made, "signature", batch.signature);
      for (const auto& item : batch.items) {
        Tree one = Tree::object();
        set(one, "key", item.key);
        set(one, "version", item.version);
        made["items"].push_back(one);
      }
      to["track"].push_back(made);
    }
    for (const auto& key : from.untrack) to["untrack"].push_back(key);
  }

 private:
  template <class Value>
  static void set(Tree& to, const char* name, const Value& value) {
    if (value != Value{}) to[name] = value;
  }
  static void set_data(Tree& to, ByteView data) {
    if (data.data() != nullptr) to["data"] = Tree::parse(data);
  }
  Tree& set_channel(const char* request, std::string_view channel) {
    Tree& to = tree_[request] = Tree::object();
    set(to, "channel", channel);
    return to;
  }
  static Tree of(const wire::FilterNode& from) {
    Tree to = Tree::object();
    set(to, "op", from.op);
    set(to, "key", from.key);
    set(to, "cmp", from.cmp);
    set(to, "val", from.val);
    for (const auto& value : from.vals) to["vals"].push_back(value);
    for (const auto& node : from.nodes) to["nodes"].push_back(of(node));
    return to;
  }
  static Tree of(const wire::SubscribeRequest& from) {
    Tree to = Tree::object();
    set(to, "channel", from.channel);
    set(to, "token", from.token);
    set(to, "epoch", from.epoch);
    set(to, "delta", from.delta);
    set(to, "cursor", from.cursor);
    set_data(to, from.data);
    set(to, "offset", from.offset);
    set(to, "flag", from.flag);
    set(to, "type", from.type);
    set(to, "phase", from.phase);
    set(to, "limit", from.limit);
    set(to, "recover", from.recover);
    set(to, "positioned", from.positioned);
    set(to, "recoverable", from.recoverable);
    set(to, "join_leave", from.join_leave);
    set(to, "asc", from.asc);
    if (from.tf) to["tf"] = of(*from.tf);
    return to;
  }

  Tree tree_ = Tree::object();
};

template <class Decoder>
std::vector<Tree> decoded(Decoder&& decoder, const Bytes& frame) {
  std::vector<Tree> commands;
  const auto end = decoder.decode(frame, [&](wire::Command& command) {
    commands.push_back(ToTree(command).tree());
    return true;
  });
  RC_ASSERT(end == wire::FrameEnd::kDone);
  return commands;
}

RC_GTEST_PROP(CentrifugeProperty, BothDecodersReadWhatWasMeant, ()) {
  std::vector<Tree> commands;
  Bytes lines;
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    commands.push_back(any_command());
    lines += (lines.empty() ? "" : "\n") + commands.back().dump();
  }
  RC_LOG() << lines;
  RC_ASSERT(decoded(wire::JsonCommandDecoder(), lines) == commands);
  RC_ASSERT(decoded(wire::ProtobufCommandDecoder(), ToProtobuf::frame(lines)) == commands);
}

// Whatever happens to a frame, no command is invented before the damage.
RC_GTEST_PROP(CentrifugeProperty, DamagedFramesEndWhereTheyAreDamaged, (uint16_t cut)) {
  const Bytes first = any_command().dump(), second = any_command().dump();
  const Bytes lines = first + "\n" + second.substr(0, cut % second.size());
  uint32_t count = 0;
  const auto sink = [&](wire::Command& command) {
    RC_ASSERT(ToTree(command).tree() == Tree::parse(first));
    return ++count > 0;
  };
  wire::JsonCommandDecoder json;
  const bool nothing = cut % second.size() == 0;
  RC_ASSERT((json.decode(lines, sink) == wire::FrameEnd::kDone) == nothing);
  RC_ASSERT(count == 1);
}

// What replies are made of; owns all that they borrow.
class Replies {
 public:
  std::string_view text() { return keep(*rc::gen::scale(0.1, any_text())); }
  ByteView data() {
    if (*rc::gen::arbitrary<bool>()) return {};
    return keep(Tree{{"d", *rc::gen::scale(0.2, any_tree())}}.dump());
  }
  bool flag() { return *rc::gen::arbitrary<bool>(); }
  template <class Int>
  Int number() {
    return *rc::gen::arbitrary<Int>();
  }

  wire::ClientInfo info() {
    return {.user = text(), .client = text(), .conn_info = data(), .chan_info = data()};
  }
  wire::Publication publication() {
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) tags_.emplace_back(text(), text());
    wire::Publication made{.data = keep(Tree{{"d", 1}}.dump()),
                           .offset = number<uint64_t>(),
                           .tags = tags_,
                           .delta = flag(),
                           .channel = text(),
                           .key = text(),
                           .removed = flag(),
                           .score = number<int64_t>(),
                           .epoch = text(),
                           .version = number<uint64_t>()};
    if (flag()) made.info = &infos_.emplace_back(info());
    return made;
  }
  wire::SubscribeResult subscribed(std::span<const wire::Publication> publications) {
    return {.expires = flag(),
            .ttl = number<uint32_t>(),
            .recoverable = flag(),
            .epoch = text(),
            .publications = publications,
            .recovered = flag(),
            .offset = number<uint64_t>(),
            .positioned = flag(),
            .data = data(),
            .was_recovering = flag(),
            .delta = flag(),
            .id = number<uint32_t>(),
            .type = number<int32_t>(),
            .phase = number<int32_t>(),
            .cursor = text(),
            .publish_debounce = number<uint32_t>()};
  }

 private:
  std::string_view keep(Bytes bytes) { return words_.emplace_back(std::move(bytes)); }

  std::deque<Bytes> words_;
  std::deque<wire::ClientInfo> infos_;
  std::vector<wire::Publication::Tag> tags_;  // of the one publication
};

Tree from_json(const Buffer& line) {
  RC_ASSERT(line.find('\n') == line.npos);
  return Tree::parse(line);
}

// Both encoders say the same, which is what is returned.
template <class Result>
Tree replied(uint32_t id, const Result& result) {
  Buffer json, protobuf;
  wire::JsonEncoder::reply(json, id, result);
  wire::ProtobufEncoder::reply(protobuf, id, result);
  Tree tree = from_json(json);
  RC_ASSERT(Tree::parse(FromProtobuf::frame(protobuf)) == tree);
  return tree;
}

template <class Push>
Tree pushed(std::string_view channel, const Push& push) {
  Buffer json, protobuf;
  wire::JsonEncoder::push(json, channel, push);
  wire::ProtobufEncoder::push(protobuf, channel, push);
  Tree tree = from_json(json);
  RC_ASSERT(Tree::parse(FromProtobuf::frame(protobuf)) == tree);
  return tree;
}

RC_GTEST_PROP(CentrifugeProperty, BothEncodersSaySubscribed, (uint32_t id)) {
  Replies with;
  const wire::Publication publications[] = {with.publication()};
  const auto result = with.subscribed(std::span(publications).first(with.flag()));
  const Tree reply = replied(id, result);
  RC_ASSERT(reply.value("id", 0u) == id);
  const Tree& said = reply.at("subscribe");
  RC_ASSERT(said.value("offset", uint64_t{0}) == result.offset);
  RC_ASSERT(said.value("epoch", "") == result.epoch);
  RC_ASSERT(said.value("recovered", false) == result.recovered);
  RC_ASSERT(said.value("publications", Tree::array()).size() == result.publications.size());

  const std::pair<std::string_view, wire::SubscribeResult> subs[] = {{with.text(), result}};
  const wire::ConnectResult connected{.client = with.text(),
                                      .version = with.text(),
                                      .expires = with.flag(),
                                      .ttl = with.number<uint32_t>(),
                                      .data = with.data(),
                                      .subs = std::span(subs).first(with.flag()),
                                      .ping = with.number<uint32_t>(),
                                      .pong = with.flag(),
                                      .session = with.text(),
                                      .node = with.text(),
                                      .time = with.number<int64_t>()};
  RC_ASSERT(replied(id, connected).at("connect") == pushed("", connected).at("push").at("connect"));
}

RC_GTEST_PROP(CentrifugeProperty, BothEncodersSayPublications, (uint32_t id)) {
  Replies with;
  const wire::Publication publication = with.publication();
  const auto channel = with.text();
  const Tree push = pushed(channel, publication).at("push");
  RC_ASSERT(push.value("channel", "") == channel);
  const Tree& said = push.at("pub");
  RC_ASSERT(said.at("data").dump() == publication.data);
  RC_ASSERT(said.value("offset", uint64_t{0}) == publication.offset);
  RC_ASSERT(said.value("score", int64_t{0}) == publication.score);
  RC_ASSERT(said.contains("info") == (publication.info != nullptr));
  for (const auto& tag : publication.tags) RC_ASSERT(said.at("tags").contains(tag.first));

  Buffer json, protobuf;
  wire::JsonEncoder::push_numbered(json, id + 1ull, publication);
  wire::ProtobufEncoder::push_numbered(protobuf, id + 1ull, publication);
  RC_ASSERT(from_json(json) == Tree::parse(FromProtobuf::frame(protobuf)));
  RC_ASSERT(from_json(json).at("push").at("pub") == said);

  const Tree page = replied(id, wire::HistoryResult{.publications = {&publication, 1},
                                                    .epoch = with.text(),
                                                    .offset = with.number<uint64_t>()});
  RC_ASSERT(page.at("history").at("publications") == Tree::array({said}));
  replied(id,
          wire::SubRefreshResult{
              .expires = with.flag(), .ttl = with.number<uint32_t>(), .items = {&publication, 1}});
}

RC_GTEST_PROP(CentrifugeProperty, BothEncodersSayTheRest, (uint32_t id)) {
  Replies with;
  const auto info = with.info();
  const auto channel = with.text();
  const Tree join = pushed(channel, wire::JoinPush{info}).at("push").at("join");
  RC_ASSERT(pushed(channel, wire::LeavePush{info}).at("push").at("leave") == join);
  const std::pair<std::string_view, wire::ClientInfo> present[] = {{with.text(), info}};
  const Tree presence = replied(id, wire::PresenceResult{present});
  RC_ASSERT(presence.at("presence").at("presence").front() == join.at("info"));

  const auto a = with.number<uint32_t>(), b = with.number<uint32_t>();
  replied(id, wire::PresenceStatsResult{a, b});
  replied(id, wire::RpcResult{with.data()});
  replied(id, wire::UnsubscribeResult{});
  replied(id, wire::PublishResult{});
  replied(id, wire::RefreshResult{with.text(), with.text(), with.flag(), a});
  const Tree error = replied(id, wire::ErrorReply{a, with.text(), with.flag()});
  RC_ASSERT(error.at("error").value("code", 0u) == a);
  pushed(channel, wire::UnsubscribePush{a, with.text()});
  pushed(channel, wire::SubscribePush{with.flag(), with.text(), b, with.flag(), with.data()});
  pushed(channel, wire::MessagePush{with.data()});
  pushed("", wire::DisconnectPush{a, with.text(), with.flag()});
  pushed("", wire::RefreshPush{with.flag(), b});
}

}  // namespace
}  // namespace parley::testing
