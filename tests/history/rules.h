// The ten rules, one function each.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "tests/history/checker.h"
#include "tests/history/ledger.h"

namespace parley::history {

// Takes down what one rule finds, up to a number; the rest is counted.
class Findings {
 public:
  Findings(char rule, const Ledger& ledger, const CheckerOptions& options)
      : ledger_(ledger), options_(options), rule_(rule) {}

  const CheckerOptions& options() const { return options_; }

  // Words, numbers and names (Id wrapped in Name), put together with spaces.
  struct Name {
    Id id;
  };
  template <typename... Parts>
  void add(const Parts&... parts) {
    if (++count_ > options_.violations_per_rule) return;
    std::string text;
    ((text += text.empty() ? "" : " ", text += word(parts)), ...);
    found_.push_back({rule_, std::move(text)});
  }
  // The same about a reader: "client in channel: ...".
  template <typename... Parts>
  void about(const Reader& reader, const Parts&... parts) {
    add(ledger_.text(reader.client), "in", ledger_.text(reader.channel) + ":", parts...);
  }

  std::vector<Violation> take();

 private:
  static std::string word(const char* text) { return text; }
  static std::string word(const std::string& text) { return text; }
  static std::string word(uint64_t number) { return std::to_string(number); }
  std::string word(Name name) const { return '"' + ledger_.text(name.id) + '"'; }

  const Ledger& ledger_;
  const CheckerOptions& options_;
  char rule_;
  size_t count_ = 0;
  std::vector<Violation> found_;
};

struct Rule {
  char letter;
  void (*check)(const Ledger&, Findings&);
};

// What was published.
void check_no_invention(const Ledger& ledger, Findings& findings);       // a
void check_one_value(const Ledger& ledger, Findings& findings);          // e
void check_refused_stay_away(const Ledger& ledger, Findings& findings);  // f
void check_published_once(const Ledger& ledger, Findings& findings);     // j
// What readers are told.
void check_no_loss(const Ledger& ledger, Findings& findings);       // b
void check_no_duplicate(const Ledger& ledger, Findings& findings);  // c
void check_order(const Ledger& ledger, Findings& findings);         // d
void check_epochs(const Ledger& ledger, Findings& findings);        // g
void check_presence(const Ledger& ledger, Findings& findings);      // h
void check_catch_up(const Ledger& ledger, Findings& findings);      // i

inline constexpr std::array kRules = {
    Rule{'a', check_no_invention},   Rule{'b', check_no_loss},   Rule{'c', check_no_duplicate},
    Rule{'d', check_order},          Rule{'e', check_one_value}, Rule{'f', check_refused_stay_away},
    Rule{'g', check_epochs},         Rule{'h', check_presence},  Rule{'i', check_catch_up},
    Rule{'j', check_published_once},
};

}  // namespace parley::history
