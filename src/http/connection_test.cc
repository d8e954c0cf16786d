#include "http/connection.h"

#include <deque>

#include <gmock/gmock.h>

#include "http/http_testing.h"
#include "http/meters.h"
#include "tests/support/cuts.h"
#include "tests/support/metric_delta.h"

namespace parley::http::testing {
namespace {

using parley::testing::MetricDelta;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class FunctionHandler final : public Handler {
 public:
  using Function = std::function<void(Exchange&)>;
  explicit FunctionHandler(Function function) : function_(std::move(function)) {}
  void handle(Exchange& exchange) override { function_(exchange); }
  bool admits(const Arrival& arrival) override {
    const Request& head = arrival.request;
    return head.header("X-Stranger").empty();
  }

 private:
  Function function_;
};

// Writes back what it got, as a raw protocol.
class RawHandler final : public io::SocketHandler {
 public:
  explicit RawHandler(std::string first) : output_(std::move(first)) {}
  void on_opened(io::Socket& socket) override {
    socket_ = &socket;
    socket.mark_dirty();
  }
  void on_input(std::span<char> bytes) override {
    output_.append("<").append(bytes.data(), bytes.size()).append(">");
    socket_->mark_dirty();
  }
  void gather(io::OutSlices& out) override { out.append(output_); }
  void consumed(size_t n) override { output_.erase(0, n); }
  void on_closed(io::CloseReason) override {}

 private:
  io::Socket* socket_ = nullptr;
  std::string output_;
};

std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}
std::string last_get(std::string_view path) { return get(path, "Connection: close\r\n"); }

class ConnectionTest : public HttpTest {
 protected:
  ConnectionTest() {
    router.add("GET", "/echo", echo);
    router.add("POST", "/echo", echo, 1000);
    router.add_prefix("GET", "/tail/", echo);
    router.add("GET", "/later", later);
    router.add("POST", "/later", later, 1 << 20);
    router.add("GET", "/silent", silent);
    router.add("GET", "/bad", bad_header);
    router.add("GET", "/big", big);
    router.add("GET", "/empty", empty);
    router.add("GET", "/raw", raw);
    router.add("GET", "/peer", peer);
    router.add("POST", "/members", members, 1 << 20);
  }

  FunctionHandler echo{[this](Exchange& exchange) {
    ++handled;
    const Request& request = exchange.request();
    exchange.respond(200, "text/plain",
                     request.method + ' ' + request.path + '?' + request.query + ' ' +
                         exchange.path_tail() + '|' + request.body + '\n');
  }};
  FunctionHandler later{[this](Exchange& exchange) { deferred.push_back(exchange.defer()); }};
  FunctionHandler silent{[](Exchange&) {}};
  FunctionHandler bad_header{[](Exchange& exchange) {
    const HeaderView header{"X-A", "1\r\nX-B: 2"};
    exchange.respond(200, "text/plain", "never", {&header, 1});
  }};
  FunctionHandler big{
      [this](Exchange& exchange) { exchange.respond(200, "text/plain", big_body); }};
  FunctionHandler empty{[](Exchange& exchange) { exchange.respond(204, "", ""); }};
  FunctionHandler raw{[this](Exchange& exchange) {
    ++taken_over;
    UpgradeSocket taken = exchange.take_over();
    taken.socket.set_handler(std::make_unique<RawHandler>(taken.unsent + "raw:"));
    taken.socket.feed(taken.leftover);
  }};
  FunctionHandler peer{[](Exchange& exchange) {
    exchange.respond(200, "text/plain", exchange.client().to_string());
  }};

  FunctionHandler members{[](Exchange& exchange) {
    const Request& request = exchange.request();
    exchange.respond_text(request.header("X-Stranger").empty() ? 200 : 401, request.body);
  }};

  int handled = 0;
  int taken_over = 0;
  std::deque<ExchangeRef> deferred;
  std::string big_body = std::string(1 << 20, 'b');
};

TEST_F(ConnectionTest, AnswersWithTheDefaultHeaders) {
  start();
  EXPECT_EQ(ask(last_get("/echo?a=1")),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Content-Type-Options: nosniff\r\n"
            "Content-Length: 16\r\nConnection: close\r\n\r\nGET /echo?a=1 |\n");
  EXPECT_EQ(ask(last_get("/empty")),
            "HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_THAT(ask(last_get("/tail/a%20b")), EndsWith("GET /tail/a%20b? a b|\n"));
}

TEST_F(ConnectionTest, KnowsItsPeer) {
  start();
  Client client(address);
  client.send(last_get("/peer"));
  ASSERT_TRUE(pump_until_ended(client));
  EXPECT_THAT(client.received, EndsWith("\r\n\r\n" + client.address().to_string()));
}

TEST_F(ConnectionTest, TheSameAtEveryCut) {
  start();
  const std::string input =
      get("/echo?1") + "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" +
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n" +
      last_get("/tail/x");
  const std::string expected = ask(input);
  EXPECT_THAT(expected, HasSubstr("POST /echo? |abc\n"));
  EXPECT_THAT(expected, HasSubstr("POST /echo? |he\n"));
  parley::testing::for_each_cut(
      input,
      [&](const std::vector<std::string_view>& pieces) {
        Client client(address);
        for (const auto piece : pieces) {
          client.send(piece);
          shard->turn(milliseconds(0));
        }
        ASSERT_TRUE(pump_until_ended(client));
        EXPECT_EQ(client.received, expected);
      },
      5);
  EXPECT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
}

TEST_F(ConnectionTest, HeadHasNoBody) {
  start();
  const std::string answer = ask("HEAD /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 14\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  EXPECT_EQ(handled, 1);
}

TEST_F(ConnectionTest, OldClientsAreToldThatTheConnectionStays) {
  start();
  EXPECT_THAT(ask("GET /echo HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  const std::string both =
      ask("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /echo HTTP/1.0\r\n\r\n");
  EXPECT_THAT(both, HasSubstr("Connection: keep-alive\r\n"));
  EXPECT_THAT(both, HasSubstr("Connection: close\r\n"));
}

TEST_F(ConnectionTest, RefusalsSayWhatIsWrong) {
  start();
  const struct {
    std::string request;
    std::string_view status;
    std::string reason;  // as the metric names it; "": it was the handler
  } kCases[] = {
      {"nonsense\r\n\r\n", "400 ", "bad_request_line"},
      {"GET /echo HTTP/1.1\r\n\r\n", "400 ", "missing_host"},
      {last_get("/tail/%zz"), "400 ", "bad_path"},
      {last_get("/nowhere"), "404 ", "not_found"},
      {"PUT /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405 ", "method_not_allowed"},
      {"PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", "405 ", "method_not_allowed"},
      {"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", "404 ", "not_found"},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "413 ", "body_too_large"},
      {"GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", "413 ", "body_too_large"},
      {get("/" + std::string(9000, 'a')), "414 ", "request_line_too_long"},
      {get("/echo", "X: " + std::string(20'000, 'a') + "\r\n"), "431 ", "headers_too_large"},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: cake\r\n\r\n", "417 ",
       "expectation_failed"},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "400 ",
       "bad_transfer_encoding"},
      {"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", "501 ", "method_not_supported"},
      {"GET /echo HTTP/2.0\r\nHost: x\r\n\r\n", "505 ", "version_not_supported"},
      {last_get("/silent"), "500 ", ""},
      {last_get("/bad"), "500 ", ""},
  };
  for (const auto& [request, status, reason] : kCases) {
    const MetricDelta rejected("parley_http_rejected_total{reason=\"" + reason + "\"}");
    const std::string answer = ask(request + "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::string(status))) << request.substr(0, 80);
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << request.substr(0, 80);
    EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
    EXPECT_THAT(answer, EndsWith("\n"));
    EXPECT_THAT(answer, Not(HasSubstr("X-B"))) << answer;
    EXPECT_EQ(rejected(), reason.empty() ? 0 : 1) << reason;
  }
  EXPECT_EQ(handled, 0);
}

// Not even a refusal: whoever asks with HEAD would take a body for the next answer.
TEST_F(ConnectionTest, ABadRequestWithHeadIsAnsweredWithoutABody) {
  start();
  for (const std::string rest :
       {" /echo HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", " /echo HTTP/1.1\r\n\r\n",
        " /echo HTTP/2.0\r\n\r\n", " /#a HTTP/1.1\r\nHost: x\r\n\r\n",
        " /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"}) {
    EXPECT_THAT(ask("HEAD" + rest), EndsWith("\r\n\r\n")) << rest;
    EXPECT_THAT(ask("GET" + rest), EndsWith("\n")) << rest;
    EXPECT_THAT(ask("GET" + rest), Not(EndsWith("\r\n\r\n"))) << rest;
  }
}

TEST_F(ConnectionTest, PagesOfOtherMachinesAreRefusedWhereItIsAskedFor) {
  options.this_machine_only = true;
  start();
  const MetricDelta rejected(R"(parley_http_rejected_total{reason="foreign_page"})");
  EXPECT_THAT(ask(last_get("/echo")), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(ask("GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.com\r\n"
                  "Connection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(rejected(), 2);
}

TEST_F(ConnectionTest, AllowNamesTheMethods) {
  start();
  EXPECT_THAT(ask("PUT /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              HasSubstr("\r\nAllow: GET, HEAD, POST\r\n"));
}

TEST_F(ConnectionTest, AWrongPathDoesNotCostTheConnection) {
  start();
  const std::string answer = ask(get("/nowhere") + last_get("/echo"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(answer, EndsWith("GET /echo? |\n"));
}

TEST_F(ConnectionTest, ContinueIsSentOnlyWhenTheBodyIsWanted) {
  start();
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
      "Content-Length: ";
  Client client(address);
  client.send(head + "3\r\n\r\n");
  ASSERT_TRUE(pump_until_received(client, "\r\n\r\n"));
  EXPECT_EQ(client.received, "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  ASSERT_TRUE(pump_until_ended(client));
  EXPECT_THAT(client.received, EndsWith("|abc\n"));

  EXPECT_THAT(ask(head + "3\r\n\r\nabc"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(head + "5000\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

// Whoever may not do it has no business filling our memory with what it would do.
TEST_F(ConnectionTest, AStrangerIsAnsweredWithoutItsBody) {
  start();
  const std::string head = "POST /members HTTP/1.1\r\nHost: x\r\nX-Stranger: 1\r\n";
  for (const std::string& announced :
       {std::string("Content-Length: 1000000\r\n\r\n"),
        std::string("Content-Length: 1000000\r\n\r\nab"),
        std::string("Transfer-Encoding: chunked\r\n\r\n"),
        std::string("Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")}) {
    const std::string answer = ask(head + announced);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 ")) << announced;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << announced;
  }
  EXPECT_THAT(ask(head + "Content-Length: 46\r\n\r\n" + last_get("/echo")),
              Not(HasSubstr("GET /echo")));
  EXPECT_THAT(ask("POST /members HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                  "Connection: close\r\n\r\nab"),
              EndsWith("ab\n"));
}

// A guess at a key or a token costs a connection.
TEST_F(ConnectionTest, WhoIsNotKnownLosesTheConnection) {
  start();
  FunctionHandler unknown{[](Exchange& exchange) { exchange.respond_text(401, "who?"); }};
  router.add("GET", "/unknown", unknown);
  const std::string answer = ask(get("/unknown") + get("/echo"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("who?\n"));
}

TEST_F(ConnectionTest, PipelinedAnswersKeepTheirOrder) {
  start();
  Client client(address);
  client.send(get("/echo?1") + get("/later") + get("/echo?2") + get("/later") +
              last_get("/echo?3"));
  ASSERT_TRUE(pump([&] { return deferred.size() == 1; }));
  settle();
  // One at a time: what is behind waits.
  EXPECT_EQ(deferred.size(), 1u);
  EXPECT_EQ(handled, 1);
  deferred[0].respond(200, "text/plain", "first later");
  EXPECT_EQ(deferred[0].get(), nullptr);
  deferred[0].respond(200, "text/plain", "twice");
  ASSERT_TRUE(pump([&] { return deferred.size() == 2; }));
  deferred[1].respond(503, "text/plain", "second later");
  ASSERT_TRUE(pump_until_ended(client));
  size_t at = 0;
  for (const std::string_view part : {"?1 |", "first later", "?2 |", "second later", "?3 |"}) {
    at = client.received.find(part, at);
    ASSERT_NE(at, std::string::npos) << part << client.received;
  }
  EXPECT_THAT(client.received, Not(HasSubstr("twice")));
}

TEST_F(ConnectionTest, AnExchangeMayOutliveItsConnection) {
  start();
  for (const bool reset : {true, false}) {
    deferred.clear();
    Client client(address);
    client.send(get("/later"));
    ASSERT_TRUE(pump([&] { return deferred.size() == 1; }));
    EXPECT_NE(deferred[0].get(), nullptr);
    if (reset) {
      client.break_off();
      ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
    } else {
      shard.reset();
    }
    EXPECT_EQ(deferred[0].get(), nullptr);
    deferred[0].respond(200, "text/plain", "into the void");
  }
}

TEST_F(ConnectionTest, AStaleRefDoesNotAnswerAnotherRequest) {
  start();
  Client client(address);
  client.send(get("/later") + get("/later"));
  ASSERT_TRUE(pump([&] { return deferred.size() == 1; }));
  deferred[0].respond(200, "text/plain", "one");
  ASSERT_TRUE(pump([&] { return deferred.size() == 2; }));
  EXPECT_EQ(deferred[0].get(), nullptr);
  EXPECT_NE(deferred[1].get(), nullptr);
}

TEST_F(ConnectionTest, AHalfClosedClientGetsItsAnswers) {
  start();
  Client client(address);
  client.send(get("/echo") + get("/big"));
  client.end();
  ASSERT_TRUE(pump_until_ended(client));
  EXPECT_THAT(client.received, EndsWith(std::string(100, 'b')));
  EXPECT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
}

TEST_F(ConnectionTest, AClientThatDoesNotReadIsNotServedFurther) {
  start({.send_buffer = 16 * 1024});
  const MetricDelta pauses("parley_http_output_pauses_total");
  Client client(address, 4096);
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += get("/big") + get("/echo");
  requests += last_get("/echo?end");
  client.send(requests);
  settle();
  EXPECT_LT(handled, 5);
  EXPECT_GE(pauses(), 1);
  ASSERT_TRUE(pump_until_ended(client));
  EXPECT_EQ(handled, 51);
  EXPECT_GT(client.received.size(), 50 * big_body.size());
  EXPECT_THAT(client.received, EndsWith("?end |\n"));
}

TEST_F(ConnectionTest, WhatCannotBeServedYetStaysWithTheKernel) {
  start();
  const MetricDelta received("parley_io_received_bytes_total");
  std::string behind;
  while (behind.size() < 60'000) behind += get("/echo");
  const auto requests = static_cast<int>(behind.size() / get("/echo").size());
  behind += last_get("/echo?end");
  const std::string body(100'000, 'x');
  const std::string chunks = "4e20\r\n" + body.substr(0, 20'000) + "\r\n";
  for (const std::string& first : {
           get("/later"),
           "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + body,
           "POST /later HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks +
               chunks + "0\r\n\r\n",
       }) {
    handled = 0;
    deferred.clear();
    const auto before = received();
    Client client(address);
    const std::string input = first + behind;
    ASSERT_TRUE(pump([&, sent = size_t{0}]() mutable {
      sent += client.try_send(std::string_view(input).substr(sent));
      return sent == input.size();
    }));
    ASSERT_TRUE(pump([&] { return deferred.size() == 1; }));
    settle();
    EXPECT_LE(received() - before, static_cast<int64_t>(first.size() + options.read_bytes));
    deferred[0].respond(200, "text/plain", "late");
    ASSERT_TRUE(pump_until_ended(client));
    EXPECT_EQ(handled, requests + 1);
    EXPECT_THAT(client.received, EndsWith("?end |\n"));
  }
}

TEST_F(ConnectionTest, NoBodyIsGatheredBehindResponsesThatNobodyReads) {
  options.output_bytes = 4 << 20;
  start({.send_buffer = 16 * 1024});
  const MetricDelta received("parley_io_received_bytes_total");
  const std::string first = get("/big");
  const std::string second =
      "POST /members HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 600000\r\n\r\n" +
      std::string(600'000, 'x');
  const std::string input = first + second;
  // The body comes behind, in part or as a whole with the request before it.
  for (const size_t cut : {first.size(), first.size() + 200, input.size()}) {
    const auto before = received();
    Client client(address, 4096);
    size_t sent = client.try_send(std::string_view(input).substr(0, cut));
    const auto go_on = [&] { sent += client.try_send(std::string_view(input).substr(sent)); };
    settle();
    go_on();
    settle();
    EXPECT_LE(received() - before, static_cast<int64_t>(first.size() + 2 * options.read_bytes));
    ASSERT_TRUE(pump([&] {
      go_on();
      client.receive();
      return client.ended || client.reset;
    }));
    EXPECT_GT(client.received.size(), big_body.size() + 600'000);
    EXPECT_TRUE(client.received.ends_with(std::string(600'000, 'x') + '\n'));
  }
}

TEST_F(ConnectionTest, ABodyThatIsNotReadOnIsNotLate) {
  options.body_timeout = milliseconds(300);
  options.output_bytes = 4 << 20;
  start({.send_buffer = 16 * 1024});
  const MetricDelta late(R"(parley_http_timeouts_total{waiting_for="body"})");
  const std::string input =
      get("/big") +
      "POST /members HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n" +
      std::string(100'000, 'x');
  Client client(address, 4096);
  size_t sent = 0;
  const auto go_on = [&] { sent += client.try_send(std::string_view(input).substr(sent)); };
  const auto until = std::chrono::steady_clock::now() + milliseconds(700);
  ASSERT_TRUE(pump([&] {
    go_on();
    return std::chrono::steady_clock::now() >= until;
  }));
  EXPECT_EQ(late(), 0);
  ASSERT_TRUE(pump([&] {
    go_on();
    client.receive();
    return client.ended || client.reset;
  }));
  EXPECT_TRUE(client.received.ends_with(std::string(100'000, 'x') + '\n'));
}

TEST_F(ConnectionTest, HandsOverWhatCameBehindTheRequest) {
  start();
  Client client(address);
  client.send(get("/echo") + get("/raw") + "abc");
  ASSERT_TRUE(pump_until_received(client, "<abc>"));
  client.send("def");
  ASSERT_TRUE(pump_until_received(client, "<def>"));
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(client.received, EndsWith("|\nraw:<abc><def>"));
}

TEST_F(ConnectionTest, ADeferredExchangeCanStillTakeOver) {
  start();
  Client client(address);
  client.send(get("/later") + "abc");
  ASSERT_TRUE(pump([&] { return deferred.size() == 1; }));
  UpgradeSocket taken = deferred[0].get()->take_over();
  EXPECT_EQ(deferred[0].get(), nullptr);
  taken.socket.set_handler(std::make_unique<RawHandler>(taken.unsent + "raw:"));
  taken.socket.feed(taken.leftover);
  client.send("def");
  ASSERT_TRUE(pump_until_received(client, "<def>"));
  EXPECT_EQ(client.received, "raw:<abc><def>");
}

TEST_F(ConnectionTest, WhatFollowsARefusedUpgradeIsNoRequest) {
  start();
  const std::string answer =
      ask(get("/echo", "Connection: upgrade\r\nUpgrade: x\r\n") + get("/echo?never"));
  EXPECT_EQ(handled, 1);
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

// The peer resets while an answer is under way; both arrive in one turn.
TEST_F(ConnectionTest, WhatFollowsIsNotServedOnADeadSocket) {
  struct AnswerAfterReset final : io::TurnHook {
    void on_turn(const Now&) override {
      if (deferred != nullptr && deferred->size() == 1)
        deferred->front().respond(200, "text/plain", "late");
    }
    std::deque<ExchangeRef>* deferred = nullptr;
  } hook;
  make_shard();
  shard->add_hook(hook);
  start();
  Client client(address);
  client.send(get("/later") + get("/raw") + get("/echo"));
  ASSERT_TRUE(pump([&] { return deferred.size() == 1; }));
  hook.deferred = &deferred;
  client.break_off();
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  EXPECT_EQ(taken_over, 0);
  EXPECT_EQ(handled, 0);
}

TEST_F(ConnectionTest, SlowHeadersGet408) {
  options.header_timeout = milliseconds(40);
  start();
  const MetricDelta late(R"(parley_http_timeouts_total{waiting_for="headers"})");
  EXPECT_THAT(ask("GET /echo HTTP/1.1\r\nHo"), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(late(), 1);
  // The clock starts with a request's first byte, and dripping does not stop it.
  Client client(address);
  client.send("GET / HTTP/1.1\r\na: ");
  ASSERT_TRUE(pump([&] {
    if (!client.ended) client.try_send("b");
    client.receive();
    return client.ended || client.reset;
  }));
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 408 "));
}

TEST_F(ConnectionTest, SlowBodiesGet408) {
  options.body_timeout = milliseconds(40);
  start();
  const MetricDelta late(R"(parley_http_timeouts_total{waiting_for="body"})");
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"),
              StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(late(), 1);
}

TEST_F(ConnectionTest, SilentConnectionsAreClosed) {
  options.header_timeout = options.idle_timeout = milliseconds(40);
  start();
  const MetricDelta first(R"(parley_http_timeouts_total{waiting_for="first_request"})");
  const MetricDelta next(R"(parley_http_timeouts_total{waiting_for="next_request"})");
  EXPECT_EQ(ask(""), "");
  EXPECT_EQ(first(), 1);
  const std::string answer = ask(get("/echo"));
  EXPECT_THAT(answer, EndsWith("GET /echo? |\n"));
  EXPECT_THAT(answer, Not(HasSubstr("close")));
  EXPECT_EQ(next(), 1);
}

TEST_F(ConnectionTest, SilenceIsBorneForLessLongWhileMemoryIsScarce) {
  options.saving_idle_timeout = milliseconds(40);
  start();
  server->save(true);
  const MetricDelta next(R"(parley_http_timeouts_total{waiting_for="next_request"})");
  EXPECT_THAT(ask(get("/echo")), EndsWith("GET /echo? |\n"));
  EXPECT_EQ(next(), 1);
  server->save(false);
  EXPECT_EQ(server->idle_timeout(), options.idle_timeout);
}

TEST_F(ConnectionTest, AWaitingExchangeHasNoTimeout) {
  options.header_timeout = options.idle_timeout = options.body_timeout = milliseconds(20);
  start();
  Client client(address);
  client.send(get("/later"));
  ASSERT_TRUE(pump([&] { return deferred.size() == 1; }));
  bool passed = false;
  CallbackTimer timer([&](const Now&) { passed = true; });
  shard->timers().schedule(timer, shard->now().mono + milliseconds(100));
  ASSERT_TRUE(pump([&] { return passed; }));
  EXPECT_NE(deferred[0].get(), nullptr);
}

TEST_F(ConnectionTest, ReadersThatStopAreClosed) {
  options.write_timeout = milliseconds(40);
  start({.send_buffer = 16 * 1024});
  const MetricDelta late(R"(parley_http_timeouts_total{waiting_for="write"})");
  big_body.resize(16 << 20);
  Client client(address, 4096);
  client.send(last_get("/big"));
  ASSERT_TRUE(pump([&] { return late() == 1; }));
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
}

// Its last answer came when no more requests were served for it, and the socket took nothing.
TEST_F(ConnectionTest, ReadersThatStopAreClosedBehindLateAnswersToo) {
  options.write_timeout = milliseconds(40);
  start({.send_buffer = 16 * 1024});
  const MetricDelta late(R"(parley_http_timeouts_total{waiting_for="write"})");
  Client client(address, 4096);
  std::string requests;
  for (int n = 0; n < 200; ++n) requests += get("/later");
  client.send(requests);
  size_t answered = 0;
  ASSERT_TRUE(pump([&] {
    while (answered < deferred.size())
      deferred[answered++].respond(200, "text/plain", std::string(1000, 'x'));
    return late() == 1;
  }));
  EXPECT_LT(answered, 200u);
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
}

TEST_F(ConnectionTest, CountsConnectionsAndResponses) {
  start();
  const int64_t open = meters::open_connections.value();
  Client client(address);
  client.send(get("/echo"));
  ASSERT_TRUE(pump_until_received(client, "|\n"));
  EXPECT_EQ(meters::open_connections.value(), open + 1);
  client.send("bad\r\n\r\n");
  ASSERT_TRUE(pump_until_ended(client));
  client.close();
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  EXPECT_EQ(meters::open_connections.value(), open);
}

}  // namespace
}  // namespace parley::http::testing
