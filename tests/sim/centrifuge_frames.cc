#include "tests/sim/centrifuge_frames.h"

#include "codec/json/reader.h"

namespace parley::sim {
namespace {

using codec::json::Kind;
using codec::json::Reader;

void take(Reader& reader, std::string& out) {
  std::string_view text;
  if (reader.string(text)) out = text;
}

void take(Reader& reader, WirePublication& out) {
  if (!reader.object()) return;
  for (std::string_view key; reader.key(key);) {
    if (key == "data") {
      out.string = reader.kind() == Kind::kString;
      if (out.string) {
        take(reader, out.data);
      } else {
        out.data = reader.raw();
      }
    } else if (key == "offset") {
      reader.integer(out.offset);
    } else if (key == "epoch") {
      take(reader, out.epoch);
    } else if (key == "delta") {
      reader.boolean(out.delta);
    }
  }
}

void take(Reader& reader, WireSubscribed& out) {
  for (std::string_view key; reader.key(key);) {
    if (key == "epoch") {
      take(reader, out.epoch);
    } else if (key == "offset") {
      reader.integer(out.offset);
    } else if (key == "recovered") {
      reader.boolean(out.recovered);
    } else if (key == "was_recovering") {
      reader.boolean(out.was_recovering);
    } else if (key == "positioned") {
      reader.boolean(out.positioned);
    } else if (key == "recoverable") {
      reader.boolean(out.recoverable);
    } else if (key == "delta") {
      reader.boolean(out.delta);
    } else if (key == "publications" && reader.array()) {
      while (reader.element()) take(reader, out.publications.emplace_back());
    }
  }
}

void take_error(Reader& reader, WireFrame& out) {
  if (!reader.object()) return;
  for (std::string_view key; reader.key(key);)
    if (key == "code") reader.integer(out.error);
}

// The body of a reply or a push.
void take_body(Reader& reader, WireFrame& out) {
  if (out.what == "pub") return take(reader, out.publication);
  if (!reader.object()) return;
  if (out.what == "subscribe" || out.what == "history") return take(reader, out.subscribed);
  for (std::string_view key; reader.key(key);) {
    if (key == "client") take(reader, out.client);
    if (key == "code") reader.integer(out.code);
  }
}

void take_push(Reader& reader, WireFrame& out) {
  if (!reader.object()) return;
  for (std::string_view key; reader.key(key);) {
    if (key == "channel") {
      take(reader, out.channel);
    } else {
      out.what = key;
      take_body(reader, out);
    }
  }
}

}  // namespace

std::optional<WireFrame> read_frame(std::string_view text) {
  static thread_local codec::json::Scratch scratch;
  scratch.reset();
  WireFrame frame;
  Reader reader(text, scratch);
  if (reader.object()) {
    for (std::string_view key; reader.key(key);) {
      if (key == "id") {
        reader.integer(frame.id);
      } else if (key == "push") {
        take_push(reader, frame);
        if (frame.what.empty()) frame.what = "none";
      } else if (key == "error") {
        take_error(reader, frame);
      } else {
        frame.what = key;
        take_body(reader, frame);
      }
    }
  }
  if (!reader.finish()) return std::nullopt;
  return frame;
}

}  // namespace parley::sim
