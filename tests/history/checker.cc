#include "tests/history/checker.h"

#include "tests/history/rules.h"

namespace parley::history {

struct Checker::State {
  CheckerOptions options;
  Ledger ledger;
};

Checker::Checker(CheckerOptions options) : state_(std::make_unique<State>()) {
  state_->options = options;
}
Checker::~Checker() = default;
Checker::Checker(Checker&&) noexcept = default;
Checker& Checker::operator=(Checker&&) noexcept = default;

void Checker::add(const Event& event) { state_->ledger.add(event); }
size_t Checker::events() const { return state_->ledger.events(); }

std::vector<Violation> Findings::take() {
  const size_t more = count_ - found_.size();
  if (more > 0) found_.push_back({rule_, "... and " + std::to_string(more) + " more", more});
  return std::move(found_);
}

std::vector<Violation> Checker::finish() {
  state_->ledger.settle();
  std::vector<Violation> all;
  for (const Rule& rule : kRules) {
    Findings findings(rule.letter, state_->ledger, state_->options);
    rule.check(state_->ledger, findings);
    for (Violation& violation : findings.take()) all.push_back(std::move(violation));
  }
  return all;
}

}  // namespace parley::history
