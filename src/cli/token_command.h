// `parley token`: a token for a user or a subscription, to try things out.
#pragma once

#include <expected>
#include <string>

#include "cli/commands.h"
#include "config/config.h"

namespace parley::cli {

// The token, or what is missing. `now`: seconds since 1970.
std::expected<std::string, std::string> make_token(const TokenCommand& command,
                                                   const config::Client& client, int64_t now);

// The token with what it says, as JSON.
std::string token_json(const TokenCommand& command, const std::string& token, int64_t now);

// Prints it. The exit status.
int run_token(const TokenCommand& command);

}  // namespace parley::cli
