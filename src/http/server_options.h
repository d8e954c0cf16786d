// The limits of an HTTP server, with safe defaults.
#pragma once

#include "base/time.h"
#include "codec/http1/request_decoder.h"
#include "http/trusted_proxies.h"

namespace parley::http {

struct ServerOptions {
  // Each route has a body limit of its own; this is only above all of them.
  codec::http1::Limits limits = {.body_bytes = 64 << 20};
  // From the first byte of a request to the end of its headers, and for a new connection until the
  // first byte.
  Duration header_timeout = seconds(10);
  Duration body_timeout = seconds(30);        // for the whole body
  Duration idle_timeout = seconds(75);        // between two requests
  Duration saving_idle_timeout = seconds(5);  // ... while memory is scarce
  Duration write_timeout = seconds(30);       // without progress of what is to be sent
  Duration close_timeout = seconds(5);        // for the peer to end its side after we ended ours
  // 403 for what pages of other machines make a browser send; see is_from_this_machine().
  bool this_machine_only = false;
  // Who may say whom it speaks for.
  TrustedProxies trusted_proxies = {};
  // What is read at once besides the body that is being read: of it there may be more than can be
  // served at the time, and that is kept.
  size_t read_bytes = 16 * 1024;
  // Responses to pipelined requests that wait for the peer; above it, no further request is served.
  size_t output_bytes = 16 * 1024;
};

}  // namespace parley::http
