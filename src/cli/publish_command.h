// `parley pub`: one message to POST /pub/<channel>.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/commands.h"

namespace parley::cli {

struct Publish {
  std::string path;
  std::vector<std::string> headers;
  std::string body;
};

// JSON where the bytes are JSON, else text where they are UTF-8, else binary.
DataKind detect_kind(std::string_view data);

// The request for `data`, which is the command's own or what stdin had (`from_stdin`: then a line
// end at its end, as echo writes it, is not part of text).
Result<Publish> to_request(const PublishCommand& command, std::string data, bool from_stdin);

// "offset=12 epoch=1f" of the server's answer, or the same as JSON with `command.json`.
Result<std::string> describe_published(long status, const std::string& body,
                                       const PublishCommand& command = {});

// The exit status.
int run_publish(const PublishCommand& command);

}  // namespace parley::cli
