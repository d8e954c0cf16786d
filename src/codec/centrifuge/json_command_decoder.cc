#include "codec/centrifuge/json_command_decoder.h"

#include <array>

#include "codec/centrifuge/plain_publish.h"
#include "codec/json/reader.h"

namespace parley::codec::centrifuge {
namespace {

// A reader that also counts the entries of the lists and maps of one command.
struct CommandReader : json::Reader {
  CommandReader(ByteView line, json::Scratch& scratch, const CommandLimits& limits)
      : Reader(line, scratch, {.max_depth = limits.max_depth}), items_left(limits.max_items) {}

  bool count_item() {
    too_many_items = items_left == 0;
    return too_many_items ? fail() : items_left-- > 0;
  }

  uint32_t items_left;
  bool too_many_items = false;
};

// A field of a message: its key, and how its value is read into the message.
template <class T>
struct Field {
  std::string_view key;
  bool (*read)(CommandReader&, T&);
};

// Specialized for each message: the fields that it has.
template <class T>
struct Fields;

template <class T>
concept Message = requires { Fields<T>::kAll; };

bool read(CommandReader& in, std::string_view& out) { return in.string(out); }
bool read(CommandReader& in, bool& out) { return in.boolean(out); }
bool read(CommandReader& in, uint64_t& out) { return in.integer(out); }
bool read(CommandReader& in, int32_t& out) { return in.integer(out); }
bool read(CommandReader& in, int64_t& out) { return in.integer(out); }

template <Message T>
bool read(CommandReader& in, T& out);
template <class T>
bool read(CommandReader& in, std::vector<T>& out);
template <class T>
bool read(CommandReader& in, std::vector<std::pair<std::string_view, T>>& out);

template <class T>
bool read(CommandReader& in, std::optional<T>& out) {
  return read(in, out.emplace());
}

// A list. As elsewhere, null is the zero value.
template <class T>
bool read(CommandReader& in, std::vector<T>& out) {
  if (!in.array()) return false;
  while (in.element()) {
    if (!in.count_item()) return false;
    T& item = out.emplace_back();
    if (!in.null() && !read(in, item)) return false;
  }
  return !in.failed();
}

// A map, in the order of the text.
template <class T>
bool read(CommandReader& in, std::vector<std::pair<std::string_view, T>>& out) {
  if (!in.object()) return false;
  for (std::string_view key; in.key(key);) {
    if (!in.count_item()) return false;
    T& item = out.emplace_back(key, T{}).second;
    if (!in.null() && !read(in, item)) return false;
  }
  return !in.failed();
}

// Recurses only where a message holds its own kind (filter nodes), and the reader's depth limit
// ends that.
template <Message T>
bool read(CommandReader& in, T& out) {
  if (!in.object()) return false;
  for (std::string_view key; in.key(key);) {
    for (const Field<T>& field : Fields<T>::kAll) {
      if (field.key != key) continue;
      if (!in.null() && !field.read(in, out)) return false;
      break;
    }
  }
  return !in.failed();
}

template <class>
struct MemberOf;
template <class T, class Value>
struct MemberOf<Value T::*> {
  using Class = T;
};

template <auto member>
constexpr auto field(std::string_view key) {
  using T = typename MemberOf<decltype(member)>::Class;
  return Field<T>{key, [](CommandReader& in, T& out) { return read(in, out.*member); }};
}

// A bytes field: any JSON value, taken as it stands.
template <auto member>
constexpr auto raw_field(std::string_view key) {
  using T = typename MemberOf<decltype(member)>::Class;
  return Field<T>{key, [](CommandReader& in, T& out) {
                    out.*member = in.raw();
                    return !in.failed();
                  }};
}

template <>
struct Fields<FilterNode> {
  using T = FilterNode;
  static constexpr std::array kAll = {field<&T::op>("op"),     field<&T::key>("key"),
                                      field<&T::cmp>("cmp"),   field<&T::val>("val"),
                                      field<&T::vals>("vals"), field<&T::nodes>("nodes")};
};

template <>
struct Fields<SubscribeRequest> {
  using T = SubscribeRequest;
  static constexpr std::array kAll = {field<&T::channel>("channel"),
                                      field<&T::token>("token"),
                                      field<&T::recover>("recover"),
                                      field<&T::epoch>("epoch"),
                                      field<&T::offset>("offset"),
                                      raw_field<&T::data>("data"),
                                      field<&T::positioned>("positioned"),
                                      field<&T::recoverable>("recoverable"),
                                      field<&T::join_leave>("join_leave"),
                                      field<&T::delta>("delta"),
                                      field<&T::tf>("tf"),
                                      field<&T::flag>("flag"),
                                      field<&T::type>("type"),
                                      field<&T::phase>("phase"),
                                      field<&T::cursor>("cursor"),
                                      field<&T::limit>("limit"),
                                      field<&T::asc>("asc")};
};

template <>
struct Fields<ConnectRequest> {
  using T = ConnectRequest;
  static constexpr std::array kAll = {
      field<&T::token>("token"), raw_field<&T::data>("data"),   field<&T::subs>("subs"),
      field<&T::name>("name"),   field<&T::version>("version"), field<&T::headers>("headers"),
      field<&T::flag>("flag"),   field<&T::dict>("dict"),       field<&T::profile>("profile")};
};

template <>
struct Fields<UnsubscribeRequest> {
  static constexpr std::array kAll = {field<&UnsubscribeRequest::channel>("channel")};
};

template <>
struct Fields<PublishRequest> {
  using T = PublishRequest;
  static constexpr std::array kAll = {field<&T::channel>("channel"), raw_field<&T::data>("data"),
                                      field<&T::type>("type"), field<&T::key>("key"),
                                      field<&T::removed>("removed")};
};

template <>
struct Fields<PresenceRequest> {
  static constexpr std::array kAll = {field<&PresenceRequest::channel>("channel")};
};

template <>
struct Fields<PresenceStatsRequest> {
  static constexpr std::array kAll = {field<&PresenceStatsRequest::channel>("channel")};
};

template <>
struct Fields<StreamPosition> {
  static constexpr std::array kAll = {field<&StreamPosition::offset>("offset"),
                                      field<&StreamPosition::epoch>("epoch")};
};

template <>
struct Fields<HistoryRequest> {
  using T = HistoryRequest;
  static constexpr std::array kAll = {field<&T::channel>("channel"), field<&T::limit>("limit"),
                                      field<&T::since>("since"), field<&T::reverse>("reverse")};
};

template <>
struct Fields<SendRequest> {
  static constexpr std::array kAll = {raw_field<&SendRequest::data>("data")};
};

template <>
struct Fields<RpcRequest> {
  static constexpr std::array kAll = {raw_field<&RpcRequest::data>("data"),
                                      field<&RpcRequest::method>("method")};
};

template <>
struct Fields<RefreshRequest> {
  static constexpr std::array kAll = {field<&RefreshRequest::token>("token")};
};

template <>
struct Fields<KeyedItem> {
  static constexpr std::array kAll = {field<&KeyedItem::key>("key"),
                                      field<&KeyedItem::version>("version")};
};

template <>
struct Fields<TrackBatch> {
  static constexpr std::array kAll = {field<&TrackBatch::signature>("signature"),
                                      field<&TrackBatch::items>("items")};
};

template <>
struct Fields<SubRefreshRequest> {
  using T = SubRefreshRequest;
  static constexpr std::array kAll = {field<&T::channel>("channel"), field<&T::token>("token"),
                                      field<&T::type>("type"), field<&T::track>("track"),
                                      field<&T::untrack>("untrack")};
};

template <>
struct Fields<EmulationRequest> {
  using T = EmulationRequest;
  static constexpr std::array kAll = {field<&T::node>("node"), field<&T::session>("session"),
                                      field<&T::data>("data")};
};

struct Payload {
  std::string_view key;
  bool (*read)(CommandReader&, Command&);
};

template <class T>
constexpr Payload payload(std::string_view key) {
  return {key, [](CommandReader& in, Command& out) { return read(in, out.request.emplace<T>()); }};
}

// In the order of the schema: of several, the first here counts.
constexpr std::array kPayloads = {payload<ConnectRequest>("connect"),
                                  payload<SubscribeRequest>("subscribe"),
                                  payload<UnsubscribeRequest>("unsubscribe"),
                                  payload<PublishRequest>("publish"),
                                  payload<PresenceRequest>("presence"),
                                  payload<PresenceStatsRequest>("presence_stats"),
                                  payload<HistoryRequest>("history"),
                                  payload<SendRequest>("send"),
                                  payload<RpcRequest>("rpc"),
                                  payload<RefreshRequest>("refresh"),
                                  payload<SubRefreshRequest>("sub_refresh")};

size_t payload_of(std::string_view key) {
  size_t at = 0;
  while (at != kPayloads.size() && kPayloads[at].key != key) ++at;
  return at;
}

bool read_command(CommandReader& in, Command& out) {
  size_t best = kPayloads.size();
  if (!in.object()) return false;
  for (std::string_view key; in.key(key);) {
    if (key == "id") {
      if (!in.null() && !in.integer(out.id)) return false;
      continue;
    }
    const size_t found = payload_of(key);
    if (found == kPayloads.size() || in.null()) continue;
    if (found < best) {
      best = found;
      if (!kPayloads[found].read(in, out)) return false;
    } else {
      Command loser;  // does not count, but must be of the right type
      if (!kPayloads[found].read(in, loser)) return false;
    }
  }
  if (best == kPayloads.size() && out.id != 0) out.request = UnknownRequest{};
  return in.finish();
}

}  // namespace

template <class T>
bool JsonCommandDecoder::decode_message(ByteView text, T& out) {
  scratch_.reset();
  scratch_used_ = true;
  CommandReader in(text, scratch_, limits_);
  if ((in.null() || read(in, out)) && in.finish()) return true;
  refuse_frame(in.too_many_items ? FrameFault::kTooManyItems : FrameFault::kMalformed);
  return false;
}

bool JsonCommandDecoder::decode(ByteView text, ConnectRequest& out) {
  return decode_message(text, out);
}

bool JsonCommandDecoder::decode(ByteView text, EmulationRequest& out) {
  return decode_message(text, out);
}

ByteView JsonCommandDecoder::take_line(ByteView& frame) {
  const size_t size = frame.find('\n');
  const ByteView line = frame.substr(0, size);
  frame.remove_prefix(size == frame.npos ? frame.size() : size + 1);
  return line;
}

bool JsonCommandDecoder::decode_one(ByteView line, Command& out) {
  if (read_plain_publish(line, limits_.max_depth, out)) return true;
  scratch_used_ = true;
  CommandReader in(line, scratch_, limits_);
  if (read_command(in, out)) return true;
  refuse_frame(in.too_many_items ? FrameFault::kTooManyItems : FrameFault::kMalformed);
  return false;
}

}  // namespace parley::codec::centrifuge
