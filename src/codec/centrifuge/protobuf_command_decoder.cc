#include "codec/centrifuge/protobuf_command_decoder.h"

#include <algorithm>
#include <array>
#include <concepts>

#include <protozero/pbf_reader.hpp>

#include "base/utf8.h"

namespace parley::codec::centrifuge {
namespace {

using Wire = protozero::pbf_wire_type;

// The fields of one message. What is not Protobuf at all makes protozero throw; take_one() catches
// that, so nothing here needs to look.
using Input = protozero::pbf_reader;

// What the limits leave to one command.
struct Budget {
  uint32_t depth;
  uint32_t items;
  bool too_many_items = false;

  bool take_item() {
    too_many_items = items == 0;
    return !too_many_items && items-- != 0;
  }
};

// A field of a message: its number, and how its value is read into the message.
template <class T>
struct Field {
  uint32_t number;
  Wire wire;
  bool (*read)(Input&, Budget&, T&);
};

// Specialized for each message: the fields that it has.
template <class T>
struct Fields;

template <class T>
concept Message = requires { Fields<T>::kAll; };

template <class T>
struct MapEntry {
  std::string_view key;
  T value;
};

// protozero cuts lengths to 32 bits, so that a huge one would pass for a small one.
bool read_view(Input& in, ByteView& out) {
  const protozero::data_view rest = in.data();
  const char* at = rest.data();
  if (protozero::decode_varint(&at, rest.data() + rest.size()) > rest.size()) return false;
  const protozero::data_view view = in.get_view();
  out = {view.data(), view.size()};
  return true;
}

bool skip(Input& in) {
  ByteView unread;
  if (in.wire_type() == Wire::length_delimited) return read_view(in, unread);
  in.skip();
  return true;
}

bool read(Input& in, Budget&, std::string_view& out) {
  return read_view(in, out) && is_valid_utf8(out);
}

// As everywhere in Protobuf, a varint that is too large for its field loses its upper bits.
template <std::integral T>
bool read(Input& in, Budget&, T& out) {
  const uint64_t value = in.get_uint64();
  out = std::same_as<T, bool> ? value != 0 : static_cast<T>(value);
  return true;
}

template <Message T>
bool read(Input& in, Budget& budget, T& out);

template <class T>
bool read(Input& in, Budget& budget, std::optional<T>& out) {
  return read(in, budget, out ? *out : out.emplace());
}

// One element of a list.
template <class T>
bool read(Input& in, Budget& budget, std::vector<T>& out) {
  return budget.take_item() && read(in, budget, out.emplace_back());
}

// One entry of a map.
template <class T>
bool read(Input& in, Budget& budget, std::vector<std::pair<std::string_view, T>>& out) {
  MapEntry<T> entry{};
  if (!budget.take_item() || !read(in, budget, entry)) return false;
  out.emplace_back(entry.key, std::move(entry.value));
  return true;
}

template <Message T>
bool read_fields(ByteView bytes, Budget& budget, T& out) {
  Input in(bytes.data(), bytes.size());
  while (in.next()) {
    const auto field = std::ranges::find(Fields<T>::kAll, in.tag(), &Field<T>::number);
    if (field == Fields<T>::kAll.end()) {
      if (!skip(in)) return false;
    } else if (in.wire_type() != field->wire || !field->read(in, budget, out)) {
      return false;
    }
  }
  return true;
}

// Recurses only where a message holds its own kind (filter nodes), and the depth limit ends that.
template <Message T>
bool read(Input& in, Budget& budget, T& out) {
  ByteView bytes;
  if (budget.depth == 0 || !read_view(in, bytes)) return false;
  --budget.depth;
  const bool good = read_fields(bytes, budget, out);
  ++budget.depth;
  return good;
}

template <class>
struct MemberOf;
template <class T, class Value>
struct MemberOf<Value T::*> {
  using Class = T;
  using Type = Value;
};

template <auto member>
constexpr auto field(uint32_t number) {
  using Of = MemberOf<decltype(member)>;
  using T = typename Of::Class;
  constexpr Wire kWire = std::integral<typename Of::Type> ? Wire::varint : Wire::length_delimited;
  return Field<T>{number, kWire,
                  [](Input& in, Budget& budget, T& out) { return read(in, budget, out.*member); }};
}

template <auto member>
constexpr auto bytes_field(uint32_t number) {
  using T = typename MemberOf<decltype(member)>::Class;
  return Field<T>{number, Wire::length_delimited,
                  [](Input& in, Budget&, T& out) { return read_view(in, out.*member); }};
}

template <class T>
struct Fields<MapEntry<T>> {
  static constexpr std::array kAll = {field<&MapEntry<T>::key>(1), field<&MapEntry<T>::value>(2)};
};

template <>
struct Fields<FilterNode> {
  using T = FilterNode;
  static constexpr std::array kAll = {field<&T::op>(1),  field<&T::key>(2),  field<&T::cmp>(3),
                                      field<&T::val>(4), field<&T::vals>(5), field<&T::nodes>(6)};
};

template <>
struct Fields<SubscribeRequest> {
  using T = SubscribeRequest;
  static constexpr std::array kAll = {
      field<&T::channel>(1),    field<&T::token>(2),        field<&T::recover>(3),
      field<&T::epoch>(6),      field<&T::offset>(7),       bytes_field<&T::data>(8),
      field<&T::positioned>(9), field<&T::recoverable>(10), field<&T::join_leave>(11),
      field<&T::delta>(12),     field<&T::tf>(13),          field<&T::flag>(14),
      field<&T::type>(15),      field<&T::phase>(16),       field<&T::cursor>(17),
      field<&T::limit>(18),     field<&T::asc>(19)};
};

template <>
struct Fields<ConnectRequest> {
  using T = ConnectRequest;
  static constexpr std::array kAll = {
      field<&T::token>(1), bytes_field<&T::data>(2), field<&T::subs>(3),
      field<&T::name>(4),  field<&T::version>(5),    field<&T::headers>(6),
      field<&T::flag>(7),  field<&T::dict>(8),       field<&T::profile>(9)};
};

template <>
struct Fields<UnsubscribeRequest> {
  static constexpr std::array kAll = {field<&UnsubscribeRequest::channel>(1)};
};

template <>
struct Fields<PublishRequest> {
  using T = PublishRequest;
  static constexpr std::array kAll = {field<&T::channel>(1), bytes_field<&T::data>(2),
                                      field<&T::type>(3), field<&T::key>(4), field<&T::removed>(5)};
};

template <>
struct Fields<PresenceRequest> {
  static constexpr std::array kAll = {field<&PresenceRequest::channel>(1)};
};

template <>
struct Fields<PresenceStatsRequest> {
  static constexpr std::array kAll = {field<&PresenceStatsRequest::channel>(1)};
};

template <>
struct Fields<StreamPosition> {
  static constexpr std::array kAll = {field<&StreamPosition::offset>(1),
                                      field<&StreamPosition::epoch>(2)};
};

template <>
struct Fields<HistoryRequest> {
  using T = HistoryRequest;
  static constexpr std::array kAll = {field<&T::channel>(1), field<&T::limit>(7),
                                      field<&T::since>(8), field<&T::reverse>(9)};
};

template <>
struct Fields<SendRequest> {
  static constexpr std::array kAll = {bytes_field<&SendRequest::data>(1)};
};

template <>
struct Fields<RpcRequest> {
  static constexpr std::array kAll = {bytes_field<&RpcRequest::data>(1),
                                      field<&RpcRequest::method>(2)};
};

template <>
struct Fields<RefreshRequest> {
  static constexpr std::array kAll = {field<&RefreshRequest::token>(1)};
};

template <>
struct Fields<KeyedItem> {
  static constexpr std::array kAll = {field<&KeyedItem::key>(1), field<&KeyedItem::version>(2)};
};

template <>
struct Fields<TrackBatch> {
  static constexpr std::array kAll = {field<&TrackBatch::signature>(1),
                                      field<&TrackBatch::items>(2)};
};

template <>
struct Fields<SubRefreshRequest> {
  using T = SubRefreshRequest;
  static constexpr std::array kAll = {field<&T::channel>(1), field<&T::token>(2),
                                      field<&T::type>(3), field<&T::track>(4),
                                      field<&T::untrack>(5)};
};

template <>
struct Fields<EmulationRequest> {
  using T = EmulationRequest;
  static constexpr std::array kAll = {field<&T::node>(1), field<&T::session>(2),
                                      bytes_field<&T::data>(3)};
};

// Into what is there already, if it is of the same kind.
template <class T>
constexpr Field<Command> payload(uint32_t number) {
  return {number, Wire::length_delimited, [](Input& in, Budget& budget, Command& out) {
            T* same = std::get_if<T>(&out.request);
            return read(in, budget, same != nullptr ? *same : out.request.emplace<T>());
          }};
}

constexpr uint32_t kId = 1;

// In the order of the schema: of several, the first here counts.
constexpr std::array kPayloads = {
    payload<ConnectRequest>(4),  payload<SubscribeRequest>(5),  payload<UnsubscribeRequest>(6),
    payload<PublishRequest>(7),  payload<PresenceRequest>(8),   payload<PresenceStatsRequest>(9),
    payload<HistoryRequest>(10), payload<SendRequest>(12),      payload<RpcRequest>(13),
    payload<RefreshRequest>(14), payload<SubRefreshRequest>(15)};

bool read_command(ByteView bytes, Budget& budget, Command& out) {
  if (budget.depth-- == 0) return false;
  auto best = kPayloads.end();
  Input in(bytes.data(), bytes.size());
  while (in.next()) {
    if (in.tag() == kId) {
      if (in.wire_type() != Wire::varint || !read(in, budget, out.id)) return false;
      continue;
    }
    const auto found = std::ranges::find(kPayloads, in.tag(), &Field<Command>::number);
    if (found == kPayloads.end()) {
      if (!skip(in)) return false;
      continue;
    }
    if (in.wire_type() != found->wire) return false;
    best = std::min(best, found);
    Command loser;  // does not count, but must be of the right type
    if (!found->read(in, budget, found == best ? out : loser)) return false;
  }
  if (best == kPayloads.end() && out.id != 0) out.request = UnknownRequest{};
  return true;
}

// Of entries with the same key the last one counts. A map has no order.
template <class T>
void keep_last(std::vector<std::pair<std::string_view, T>>& map) {
  using Entry = std::pair<std::string_view, T>;
  if (map.size() < 2) return;
  std::ranges::reverse(map);
  std::ranges::stable_sort(map, {}, &Entry::first);
  const auto again = std::ranges::unique(map, {}, &Entry::first);
  map.erase(again.begin(), again.end());
}

}  // namespace

bool ProtobufCommandDecoder::decode(ByteView text, EmulationRequest& out) const {
  Budget budget{limits_.max_depth, limits_.max_items};
  try {
    if (read_fields(text, budget, out)) return true;
  } catch (const protozero::exception&) {  // no Protobuf at all
  }
  refuse_frame(FrameFault::kMalformed);
  return false;
}

bool ProtobufCommandDecoder::take_one(ByteView& frame, Command& out) const {
  Budget budget{limits_.max_depth, limits_.max_items};
  const auto refuse = [&budget] {
    refuse_frame(budget.too_many_items ? FrameFault::kTooManyItems : FrameFault::kMalformed);
    return false;
  };
  try {
    const char* at = frame.data();
    const char* const end = at + frame.size();
    const uint64_t length = protozero::decode_varint(&at, end);
    if (length > static_cast<size_t>(end - at)) return refuse();
    const ByteView command(at, length);
    frame = {command.end(), end};
    if (!read_command(command, budget, out)) return refuse();
  } catch (const protozero::exception&) {
    return refuse();
  }
  if (auto* connect = std::get_if<ConnectRequest>(&out.request)) {
    keep_last(connect->subs);
    keep_last(connect->headers);
  }
  return true;
}

}  // namespace parley::codec::centrifuge
