// JSON, server-sent events, fossil deltas and HTTP/1: what is written comes back, at any cuts, and
// as somebody else's or a plain reader reads it.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "codec/fossil/decoder.h"
#include "codec/fossil/digits.h"
#include "codec/fossil/encoder.h"
#include "codec/http1/request_transcript.h"
#include "codec/http1/response_encoder.h"
#include "codec/http1/syntax.h"
#include "codec/json/reader.h"
#include "codec/json/validate.h"
#include "codec/json/write.h"
#include "codec/sse/encoder.h"
#include "codec/sse/trace_sink.h"
#include "tests/property/generators.h"
#include "tests/property/json_values.h"
#include "tests/property/websocket_reference.h"

namespace parley::testing {
namespace {

namespace json = codec::json;
namespace http1 = codec::http1;

// The whole of a value, through the reader.
Tree read_tree(json::Reader& reader) {
  Tree tree;
  std::string text;
  switch (reader.kind()) {
    case json::Kind::kObject:
      tree = Tree::object();
      reader.object();
      for (std::string_view key; reader.key(key);) {
        const std::string name(key);
        tree[name] = read_tree(reader);
      }
      return tree;
    case json::Kind::kArray:
      tree = Tree::array();
      reader.array();
      while (reader.element()) tree.push_back(read_tree(reader));
      return tree;
    case json::Kind::kString:
      reader.string(text);
      return text;
    case json::Kind::kNumber:
      return Tree::parse(reader.raw());
    case json::Kind::kBool: {
      bool value = false;
      reader.boolean(value);
      return value;
    }
    default:
      reader.null();
      return tree;
  }
}

RC_GTEST_PROP(JsonProperty, WhatAnotherLibraryWritesIsReadTheSame, (bool ascii)) {
  const Tree tree = *any_tree();
  const std::string text = tree.dump(*rc::gen::element(-1, 0, 2), ' ', ascii);
  RC_ASSERT(json::is_valid(text));
  json::Scratch scratch;
  json::Reader reader(text, scratch);
  const Tree read = read_tree(reader);
  RC_ASSERT(reader.finish());
  RC_ASSERT(read == tree);
  Buffer compact = "before";
  json::append_compact(compact, text);
  RC_ASSERT(Tree::parse(compact.substr(6)) == tree);
  RC_ASSERT(compact.find('\n') == compact.npos);
}

RC_GTEST_PROP(JsonProperty, IsValidWhereAnotherLibraryAccepts, ()) {
  const Bytes text = damaged((*any_tree()).dump(), *some_damage());
  // The other one also refuses numbers above its range and half surrogate pairs.
  RC_PRE(text.find("\\u") == text.npos && text.find_first_of("eE") == text.npos);
  const bool valid = json::is_valid(text);
  RC_ASSERT(valid == Tree::accept(text));
  json::Scratch scratch;
  json::Reader reader(text, scratch);
  reader.raw();
  RC_ASSERT(reader.finish() == valid);
}

RC_GTEST_PROP(JsonProperty, AnyBytesBecomeAStringThatOthersRead, ()) {
  const Bytes bytes = damaged(*any_text(), *some_damage());
  Buffer out;
  json::append_string(out, bytes);
  RC_ASSERT(Tree::accept(out));
  if (plainly_utf8(bytes)) RC_ASSERT(Tree::parse(out).get<std::string>() == bytes);
}

RC_GTEST_PROP(JsonProperty, IntegersComeBack, (int64_t number)) {
  Buffer out;
  json::append_int(out, number);
  RC_ASSERT(out == std::to_string(number));
  json::Scratch scratch;
  json::Reader wide(out, scratch), narrow(out, scratch);
  int64_t read = 0;
  RC_ASSERT(wide.integer(read) && wide.finish() && read == number);
  int16_t small = 0;
  RC_ASSERT(narrow.integer(small) == (number == static_cast<int16_t>(number)));
}

using SseLog = std::vector<std::string>;

SseLog sse_log(const std::vector<std::string_view>& pieces) {
  codec::sse::Decoder decoder;
  codec::sse::TraceSink sink;
  for (const auto piece : pieces)
    if (!codec::sse::feed(decoder, piece, sink)) break;
  return sink.log();
}

// WHATWG HTML 9.2.6 over a whole stream: lines first, then fields.
SseLog plain_sse_log(Bytes stream) {
  if (stream.starts_with("\xef\xbb\xbf")) stream.erase(0, 3);
  for (size_t at = 0; (at = stream.find("\r\n", at)) != stream.npos;) stream.erase(at, 1);
  for (char& c : stream) c = c == '\r' ? '\n' : c;
  SseLog log;
  std::string type, data, id, last_id;
  for (size_t end; (end = stream.find('\n')) != stream.npos; stream.erase(0, end + 1)) {
    const std::string line = stream.substr(0, end);
    const size_t colon = line.find(':');
    const std::string name = line.substr(0, colon);
    std::string value = colon == line.npos ? "" : line.substr(colon + 1);
    if (line.empty()) {
      last_id = id;
      if (!data.empty())
        log.push_back("event " + (type.empty() ? "message" : type) + "|" +
                      data.substr(0, data.size() - 1) + "|" + last_id);
      type = data = "";
    } else if (colon == 0) {
      log.push_back("comment " + value);
      continue;
    }
    if (value.starts_with(' ')) value.erase(0, 1);
    if (name == "data") data += value + "\n";
    if (name == "event") type = value;
    if (name == "id" && value.find('\0') == value.npos) id = value;
    uint32_t ms = 0;
    if (name == "retry" && parse_uint(value, ms)) log.push_back("retry " + std::to_string(ms));
  }
  return log;
}

RC_GTEST_PROP(SseProperty, WhatIsEncodedComesBack, ()) {
  using Sent = std::tuple<Bytes, Bytes, Bytes>;
  const auto names = text_of("ab: #");
  const auto events =
      *rc::gen::scale(0.3, rc::gen::container<std::vector<Sent>>(rc::gen::tuple(
                               names, names, rc::gen::oneOf(any_text(), text_of("a\n:d ")))));
  Bytes stream;
  std::vector<codec::sse::TraceSink::Seen> expected;
  for (const auto& [type, id, data] : events) {
    RC_PRE(data.find('\r') == data.npos);
    RC_ASSERT(codec::sse::encode_event({.event = type, .id = id, .data = data}, stream));
    codec::sse::encode_comment(data, stream);
    expected.push_back({type.empty() ? "message" : type, data, id});
  }
  codec::sse::Decoder decoder;
  codec::sse::TraceSink sink;
  for (const auto piece : pieces_of(stream, *any_cuts()))
    RC_ASSERT(codec::sse::feed(decoder, piece, sink));
  RC_ASSERT(sink.seen() == expected);
}

RC_GTEST_PROP(SseProperty, AnyStreamIsReadAsAPlainReaderDoes, ()) {
  using Lines = std::vector<Bytes>;
  const auto line = rc::gen::element<Bytes>(
      "data: a", "data", "data:b", "event: e", "id: 7", "id", "id: a\0b", "retry: 10", "retry: x",
      ": c", ":", "", "", "datax", "\xef\xbb\xbf", "data: \xef\xbb\xbf", " data: a");
  const auto ends = rc::gen::element<Bytes>("\n", "\r", "\r\n");
  Bytes stream = *rc::gen::element<Bytes>("", "\xef\xbb\xbf", "\xef\xbb");
  for (const Bytes& one : *rc::gen::container<Lines>(line)) stream += one + *ends;
  stream = damaged(stream, *some_damage());
  RC_ASSERT(sse_log(pieces_of(stream, *any_cuts())) == plain_sse_log(stream));
}

namespace fossil = codec::fossil;

RC_GTEST_PROP(FossilProperty, ADeltaMakesTheTargetOfItsBase, (bool characters)) {
  // Pieces of the base in any order, with something new between them.
  const Bytes base = characters ? *any_text() : *rc::gen::scale(4, text_of("abcdefgh"));
  Bytes target;
  for (const auto& [from, size] : *rc::gen::scale(0.1, rc::gen::arbitrary<Damage>()))
    target += base.substr(from % (base.size() + 1), size) + *rc::gen::scale(0.1, any_text());
  if (!plainly_utf8(target)) characters = false;
  const auto cuts = characters ? fossil::Cuts::kAtCharacters : fossil::Cuts::kAnywhere;
  static fossil::Encoder encoder;
  Buffer delta, made = "before";
  if (!encoder.encode(base, target, cuts, delta)) return RC_ASSERT(delta.empty());
  RC_ASSERT(delta.size() < target.size());
  RC_ASSERT(fossil::decode(base, delta, target.size(), made).has_value());
  RC_ASSERT(made == "before" + target);
  if (characters) RC_ASSERT(plainly_utf8(delta));
  RC_ASSERT(!fossil::decode(base, delta, target.size() - 1, made));

  // Whatever happens to it on the way, it makes the target, nothing, or something just as long
  // with the same checksum.
  made.clear();
  const Bytes wrong = damaged(delta, *some_damage());
  if (!fossil::decode(base, wrong, 2 * target.size(), made)) return RC_ASSERT(made.empty());
  RC_ASSERT(made == target || wrong != delta);
}

RC_GTEST_PROP(FossilProperty, NumbersComeBack, (uint32_t number)) {
  Buffer text;
  fossil::append_number(text, number);
  RC_ASSERT(text.size() == fossil::digits(number));
  ByteView rest(text);
  uint32_t read = 0;
  RC_ASSERT(fossil::take_number(rest, read) && rest.empty() && read == number);
}

using HttpHeader = std::pair<Bytes, Bytes>;
// Path, headers, body, how it is framed (none, by length, in chunks).
using HttpRequest = std::tuple<Bytes, std::vector<HttpHeader>, Bytes, uint8_t>;

rc::Gen<HttpRequest> any_request() {
  const auto header =
      rc::gen::pair(rc::gen::map(text_of("ab-"), [](Bytes name) { return "X-" + std::move(name); }),
                    text_of("abc \t,;="));
  return rc::gen::tuple(text_of("ab/%?&="), rc::gen::container<std::vector<HttpHeader>>(header),
                        any_bytes(), rc::gen::inRange<uint8_t>(0, 3));
}

Bytes http_text(const HttpRequest& request) {
  const auto& [path, headers, body, framing] = request;
  Bytes out = (framing == 0 ? "GET /" : "POST /") + path + " HTTP/1.1\r\nHost: a\r\n";
  for (const auto& [name, value] : headers) out += name + ":" + value + "\r\n";
  if (framing == 0) return out + "\r\n";
  if (framing == 1)
    return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  out += "Transfer-Encoding: chunked\r\n\r\n";
  http1::encode_chunk(ByteView(body).substr(0, body.size() / 3), out);
  http1::encode_chunk(ByteView(body).substr(body.size() / 3), out);
  http1::encode_last_chunk(out);
  return out;
}

RC_GTEST_PROP(HttpProperty, RequestsComeBackAtAnyCuts, ()) {
  const auto requests =
      *rc::gen::scale(0.3, rc::gen::container<std::vector<HttpRequest>>(any_request()));
  Bytes stream;
  for (const HttpRequest& request : requests) stream += http_text(request);
  http1::RequestDecoder decoder;
  size_t done = 0;
  for (ByteView in : pieces_of(stream, *any_cuts())) {
    while (!in.empty()) {
      const auto step = decoder.decode(in);
      RC_ASSERT(step.state != http1::RequestDecoder::kError);
      in.remove_prefix(step.consumed);
      if (step.state != http1::RequestDecoder::kRequest) continue;
      const auto& [path, headers, body, framing] = requests.at(done++);
      const http1::Request& request = decoder.request();
      RC_ASSERT(request.target == "/" + path);
      RC_ASSERT(request.body == (framing == 0 ? "" : body));
      RC_ASSERT(request.headers.size() == 1 + headers.size() + (framing > 0));
      for (size_t i = 0; i < headers.size(); ++i) {
        RC_ASSERT(request.headers[i + 1].name == headers[i].first);
        RC_ASSERT(request.headers[i + 1].value == http1::trim_whitespace(headers[i].second));
      }
      decoder.reset();
    }
  }
  RC_ASSERT(done == requests.size());
}

RC_GTEST_PROP(HttpProperty, DamagedRequestsAreReadTheSameAtAnyCuts, ()) {
  Bytes stream;
  for (const HttpRequest& request :
       *rc::gen::scale(0.2, rc::gen::container<std::vector<HttpRequest>>(any_request())))
    stream += http_text(request);
  stream = damaged(stream, *some_damage());
  RC_ASSERT(http1::transcript_of(pieces_of(stream, *any_cuts())) ==
            http1::transcript_of(std::vector<std::string_view>{stream}));
}

// No header that is accepted makes more than one line of itself.
RC_GTEST_PROP(HttpProperty, ResponseHeadsAreWhatTheySay, (uint64_t length)) {
  const Bytes name = *text_of("ab- :"), value = *rc::gen::oneOf(any_bytes(), text_of("ab\r\n\t"));
  const http1::HeaderView headers[] = {{name, value}};
  Buffer out;
  const bool encoded = http1::encode_response_head(200, headers, {.length = length}, out);
  const bool good = !name.empty() && name.find_first_of(" :") == name.npos &&
                    std::ranges::all_of(value, [](char c) {
                      return c == '\t' || (static_cast<uint8_t>(c) >= 32 && c != 127);
                    });
  RC_ASSERT(encoded == good);
  const Bytes expected = "HTTP/1.1 200 OK\r\n" + name + ": " + value +
                         "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  RC_ASSERT(out == (good ? expected : ""));
}

}  // namespace
}  // namespace parley::testing
