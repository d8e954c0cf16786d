// What --help says.
#pragma once

namespace parley::cli {

inline constexpr char kAbout[] =
    R"(Parley: a realtime messaging server, and a client of it for the terminal.

Try it, in three terminals:
  parley dev                       a server that allows everything, on http://127.0.0.1:8000
  parley sub news                  print what is published to the channel "news"
  parley pub news '{"a":1}'        publish to it
)";
inline constexpr char kExitStatus[] = R"(
Exit status: 0 done; 1 failed, and stderr says why and what to do; 2 wrong usage.
With --json a command prints one JSON object a line on stdout. docs/cli.md has the rest.
)";

inline constexpr char kAboutDev[] =
    R"(Run a server for development: every client may do everything, every channel has presence and
keeps 1,000 messages for 10 minutes. It listens on loopback addresses only.

Open its address in a browser for a page to play with.)";
inline constexpr char kDevExamples[] = R"(
Examples:
  parley dev
  parley dev --listen 127.0.0.1:9000 --log-level debug

Exit status: 0 ended by SIGTERM or SIGINT, 1 it could not start, 2 wrong usage.
)";

inline constexpr char kAboutServe[] =
    R"(Run a server for production: nothing is allowed that was not granted.)";
inline constexpr char kServeExamples[] = R"(
Examples:
  parley serve --config parley.yaml
  parley serve --config config.json --set client.ping_interval=10s
  PARLEY_CLIENT_TOKEN_HMAC_SECRET_KEY=... parley serve --config parley.yaml

A flag wins over the environment, the environment over the file. SIGHUP reads the file again.
parley check says what is wrong with a configuration without starting anything.

Exit status: 0 ended by SIGTERM or SIGINT, 1 it could not start, 2 wrong usage.
)";

inline constexpr char kAboutCheck[] =
    R"(Say whether `parley serve` would start with this configuration, and what in it is ignored.)";
inline constexpr char kCheckExamples[] = R"(
Examples:
  parley check parley.yaml
  parley check config.json --set client.ping_interval=10s
  parley check parley.yaml --json | jq -r '.problems[].message'

It reads the same file, environment and --set as parley serve.

Exit status: 0 it would start, 1 it would not, 2 wrong usage.
)";

inline constexpr char kAboutToken[] =
    R"(Print a token for a user, or for a user's subscription to one channel, signed with the
configuration's HMAC key. For trying things out: in production your backend signs them.)";
inline constexpr char kTokenExamples[] = R"(
Examples:
  parley token --config parley.yaml --user 42
  parley token --config parley.yaml --user 42 --channel '$private:42' --ttl 600
  parley token --config parley.yaml --user 42 --json | jq -r .token

Exit status: 0 printed, 1 there is no key to sign with or the configuration is wrong, 2 wrong usage.
)";

inline constexpr char kAboutPub[] =
    R"(Publish one message to a channel. Prints its offset in the channel and the epoch of the channel.

DATA that is valid JSON is published as JSON, other text as text, other bytes as binary.)";
inline constexpr char kPubExamples[] = R"(
Examples:
  parley pub news '{"a":1}'                      JSON
  parley pub news hello                          text
  parley pub news --text 42                      text, though it could be JSON
  parley pub news hello --json                   the position as {"channel":...,"offset":...,"epoch":...}
  parley pub news - <message.json                from a file
  parley pub orders '{"id":7}' --event created   with an event name, for addEventListener in a browser
  parley pub orders '{"id":7}' --key order-7     once, however often it is repeated
  parley pub news -- -1                          DATA that begins with a dash

Exit status: 0 published, 1 not published or not known, 2 wrong usage.
)";

inline constexpr char kAboutSub[] =
    R"(Print what is published to channels, a line per message, until Ctrl-C.

A lost connection is taken up again where it ended; what can no longer be had is told on stderr as a gap.)";
inline constexpr char kSubExamples[] = R"(
Examples:
  parley sub news
  parley sub news orders --verbose       channel, id, event name and data, separated by tabs
  parley sub news --count 1              wait for one message
  parley sub news --since 1f.41          begin behind the message with this id (--verbose shows ids)
  parley sub news | jq .a                JSON always takes one line
  parley sub news --json | jq .data      channel, id, event name, data and gaps as JSON

Exit status: 0 ended by --count or Ctrl-C, 1 refused or not reachable, 2 wrong usage.
)";

inline constexpr char kAboutBench[] =
    R"(Load a server, and print how many messages it delivered, how fast, what it used for them, and whether
any was lost, doubled, disordered or misrouted.

  connect     --connections N that connect and subscribe as fast as they can, to --channels N
  fanout      one channel with --subscribers N
  channels    --channels N with --subscribers N each
  echo        --connections N, each of which publishes to itself
  ingest      one subscriber, publishers that do not wait (--window)
  api         --connections N that publish through the server API, --batch N in each request
  idle        --connections N that do nothing, and what one costs in memory (--pid)
  slow        --subscribers N, and --slow N that never read

For servers of your own: it is meant to hurt.)";
inline constexpr char kBenchExamples[] = R"(
Examples:
  parley bench fanout                                      1,000 subscribers, 20 messages/s
  parley bench fanout --window 16 --pid $(pidof parley)    16 in flight, and the server's CPU per delivery
  parley bench fanout --protocol nats --url nats://127.0.0.1:4222   the same load, to compare
  parley bench connect --connections 5000 --at-once 1000
  parley bench idle --pid $(pidof parley) --seconds 10
  parley bench api --batch 100 --json | jq .messages_per_second
  parley bench echo --prefix chat:bench --token $(parley token --config parley.yaml --user 1)

Each connection needs a descriptor here and one at the server (ulimit -n). One thread: where it is the bottleneck, run
several. It also speaks to nchan (/sub/NAME, /pub/NAME) and to nats-server, to compare.

Exit status: 0 measured, and nothing went wrong; 1 a message or a connection was lost, or there was nothing to measure;
2 wrong usage.
)";

inline constexpr char kAboutCompletion[] =
    R"(Print a script that completes commands, options and their values in your shell.)";
inline constexpr char kCompletionExamples[] = R"(
Examples:
  source <(parley completion bash)                             in ~/.bashrc
  parley completion zsh >"${fpath[1]}/_parley"                 once
  parley completion fish >~/.config/fish/completions/parley.fish
)";

}  // namespace parley::cli
