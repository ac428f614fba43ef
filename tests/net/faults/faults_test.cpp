// Each call of a worker to the kernel fails in turn, in each of a set of exchanges: the n-th, for every n
// that there is. Whatever it is, every permit is settled once, everything that was opened or lent comes back,
// each caller gets an answer or an end that it can tell from one, and the next caller is served.
#include <gtest/gtest.h>

#include <cctype>
#include <sstream>

#include "blocks.hpp"
#include "exchanges.hpp"
#include "fault.hpp"
#include "stage.hpp"

namespace candor::test {
namespace {

/// Whether the pool has a connection when the exchange begins.
enum class Start : std::uint8_t { cold, warm };

/// What no caller may notice: the call is made again, or goes on.
bool is_unnoticed(Fault fault) {
  bool const waits_for_descriptor =
      fault.operation == Operation::accept && fault.trick == Trick::no_descriptors;
  return fault.trick == Trick::blocked || fault.trick == Trick::interrupted ||
         fault.trick == Trick::one_byte || waits_for_descriptor;
}

class Sweep {
 public:
  /// `times`: how many calls fail in a row.
  Sweep(Fault fault, unsigned times) : fault_(fault), times_(times) {}

  /// Every call of one exchange in turn.
  void go_through(ScriptedExchange const& exchange, Start start) {
    unsigned const calls = play(exchange, start, 0);
    for (unsigned which = 1; !::testing::Test::HasFailure(); ++which) {
      unsigned const seen = play(exchange, start, which);
      met_ += seen >= which ? 1 : 0;
      if (seen < which && which > calls) return;
    }
  }

  /// How often it has gone wrong.
  [[nodiscard]] unsigned met() const { return met_; }

 private:
  /// How many such calls there were.
  unsigned play(ScriptedExchange const& exchange, Start start, unsigned which) {
    std::ostringstream where;
    where << fault_ << ", " << times_ << " from call " << which << " on, in: " << exchange.name
          << (start == Start::cold ? ", on a new connection" : ", on a kept connection");
    SCOPED_TRACE(where.str());
    if (start == Start::warm) serve_the_next(exchange.way);
    bool const early_end = exchange.until_close && may_end_early(exchange.way);
    Judge judge{{.unnoticed = which == 0 || is_unnoticed(fault_), .early_end = early_end}};
    arm(fault_, which, times_);
    {
      auto caller = stage_.caller(exchange.way);
      exchange.script(caller, judge);
    }
    bool const goes_on = expect_nothing(judge.complaint()) && expect_nothing(stage_.audit());
    unsigned const seen = disarm();
    if (goes_on) serve_the_next(exchange.way);
    if (goes_on) expect_nothing(stage_.empty_pool());
    auto const tunnels = stage_.audit_tunnels();
    if (!early_end) expect_nothing(tunnels);
    return seen;
  }

  /// A path knows no reset: whatever ends there ends like any other.
  [[nodiscard]] bool may_end_early(Way way) const { return fault_.trick == Trick::end || way == Way::path; }

  void serve_the_next(Way way) {
    Judge judge{{.unnoticed = true}};
    {
      auto caller = stage_.caller(way);
      ask_for_little(caller, judge);
    }
    SCOPED_TRACE("the next caller");
    if (expect_nothing(judge.complaint())) expect_nothing(stage_.audit());
  }

  static bool expect_nothing(std::string const& wrong) {
    if (!wrong.empty()) ADD_FAILURE() << wrong;
    return wrong.empty();
  }

  Fault fault_;
  unsigned times_;
  Stage stage_;
  unsigned met_ = 0;
};

/// In every exchange, with a pool that is empty and one that is not.
void go_through_all(Fault fault, unsigned times) {
  auto const descriptors = open_descriptors();
  {
    Sweep sweep{fault, times};
    for (auto const start : {Start::cold, Start::warm}) {
      for (auto const& exchange : exchanges()) {
        sweep.go_through(exchange, start);
        if (::testing::Test::HasFailure()) return;
      }
    }
    // At the very least once in each exchange that starts from nothing.
    EXPECT_GE(sweep.met(), exchanges().size());
  }
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(blocks(), 0U);
}

class EachOperation : public ::testing::TestWithParam<Fault> {};

TEST_P(EachOperation, FailsInTurn) { go_through_all(GetParam(), 1); }

// As many as there are attempts: no retry helps.
TEST_P(EachOperation, FailsThreeTimesInARow) { go_through_all(GetParam(), 3); }

std::string name_of(::testing::TestParamInfo<Fault> const& info) {
  std::ostringstream text;
  text << info.param;
  std::string name;
  for (char const c : text.str()) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
    if (c == ' ') name += '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Fault, EachOperation,
    ::testing::Values(Fault{Operation::read, Trick::reset}, Fault{Operation::read, Trick::end},
                      Fault{Operation::read, Trick::blocked}, Fault{Operation::read, Trick::interrupted},
                      Fault{Operation::read, Trick::one_byte}, Fault{Operation::write, Trick::reset},
                      Fault{Operation::write, Trick::broken_pipe}, Fault{Operation::write, Trick::blocked},
                      Fault{Operation::write, Trick::interrupted}, Fault{Operation::write, Trick::one_byte},
                      Fault{Operation::socket, Trick::no_descriptors},
                      Fault{Operation::connect, Trick::refused},
                      Fault{Operation::connect, Trick::no_local_port},
                      Fault{Operation::connected, Trick::refused},
                      Fault{Operation::accept, Trick::no_descriptors},
                      Fault{Operation::accept, Trick::interrupted}, Fault{Operation::accept, Trick::left},
                      Fault{Operation::watch, Trick::no_room}, Fault{Operation::wait, Trick::interrupted},
                      Fault{Operation::wait, Trick::hour}, Fault{Operation::wait, Trick::hour_of_late}),
    name_of);

}  // namespace
}  // namespace candor::test
