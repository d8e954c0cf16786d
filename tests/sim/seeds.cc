#include "tests/sim/seeds.h"

#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

// Where a sanitizer is linked in, it calls this before it ends the process.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));
// This one knows no callbacks, but can be asked to abort.
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:print_stacktrace=1"; }

namespace parley::sim {
namespace {

char last_words[512];

void say_last_words() {
  const ssize_t written = write(STDERR_FILENO, last_words, std::strlen(last_words));
  static_cast<void>(written);
}

void on_abort(int) {
  say_last_words();
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

std::string commit() {
  const char* told = std::getenv("SIM_COMMIT");
  if (told != nullptr) return told;
  std::string text;
  if (FILE* pipe = popen("git describe --always --dirty 2>/dev/null", "r")) {
    char line[128];
    if (std::fgets(line, sizeof line, pipe) != nullptr) text = line;
    pclose(pipe);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "unknown" : text;
}

uint64_t number(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

Seeds seeds_from_environment(uint64_t otherwise) {
  return {.first = number("SIM_FIRST", 1), .count = number("SIM_SEEDS", otherwise)};
}

SeedOnTrial::SeedOnTrial(const std::string& binary, const std::string& test, uint64_t seed) {
  static const std::string at = commit();
  told_ = fmt::format(
      "seed {} at {}; repeat: SIM_LOG=1 SIM_FIRST={} SIM_SEEDS=1 "
      "{} --gtest_filter={}",
      seed, at, seed, binary, test);
  std::strncpy(last_words, (told_ + "\n").c_str(), sizeof last_words - 1);
  std::signal(SIGABRT, on_abort);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(say_last_words);
}

SeedOnTrial::~SeedOnTrial() {
  last_words[0] = '\0';
  std::signal(SIGABRT, SIG_DFL);
}

std::string SeedOnTrial::report(const std::string& failure) const { return failure + "\n" + told_; }

}  // namespace parley::sim
