// The reactor and its sockets, on a pair of them: each wait ends for the reason that it gives.
#include "candor/net/reactor.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <thread>
#include <vector>

#include "candor/core/task.hpp"
#include "candor/net/socket.hpp"

namespace candor::test {
namespace {

struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) != 0) std::abort();
    if (!socket.adopt(Descriptor{fds[0]})) std::abort();
    peer.reset(fds[1]);
  }

  void say(std::string_view text) const {
    ASSERT_EQ(::send(peer.get(), text.data(), text.size(), 0), text.size());
  }

  /// Runs the task on the reactor, to its end.
  void run(Task<void> task) {
    TaskGroup tasks;
    tasks.spawn(then_stop(std::move(task)));
    reactor.run();
  }

  Reactor reactor;
  Socket socket{reactor};
  Descriptor peer;
  CancelScope scope;

 private:
  Task<void> then_stop(Task<void> task) {
    co_await task;
    reactor.stop();
  }
};

TEST(Reactor, RunsWhatAnotherThreadPosts) {
  Reactor reactor;
  std::thread other{[&] { reactor.post([&] { reactor.stop(); }); }};
  reactor.run();
  other.join();
}

/// Clocks that stand where the test sets them.
struct HandClocks {
  static inline Instant now{};
  static inline WallTime wall{};

  static Clocks clocks() {
    return {[] { return now; }, [] { return wall; }};
  }
};

TEST(Reactor, ReadsTheTimeOfDayAnewOnceASecond) {
  constexpr WallTime morning{8h};
  struct Turn {
    Duration at;        // of the clock that is measured by
    WallTime clock;     // the time of day
    WallTime expected;  // what is taken for it
  };
  std::array<Turn, 5> const turns{{
      {1ms, morning + 1ms, morning + 1ms},
      {900ms, morning + 1h, morning + 900ms},  // it has been set: that shows with the next reading
      {1s, morning + 1h, morning + 1h},
      {1500ms, morning, morning + 1h + 500ms},
      {2s, morning + 24h, morning + 24h},  // the machine slept, and its clock didn't count it
  }};
  HandClocks::now = Instant{100s};
  HandClocks::wall = morning;
  Reactor reactor{HandClocks::clocks()};
  std::vector<WallTime> seen;
  std::function<void()> const next = [&] {
    if (HandClocks::now > Instant{100s}) seen.push_back(reactor.scheduler().wall());
    if (seen.size() == turns.size()) return reactor.stop();
    HandClocks::now = Instant{100s} + turns[seen.size()].at;
    HandClocks::wall = turns[seen.size()].clock;
    reactor.post(next);
  };
  reactor.post(next);
  reactor.run();
  for (std::size_t i = 0; i < turns.size(); ++i) EXPECT_EQ(seen[i], turns[i].expected) << i;
}

TEST(Reactor, AdvancesTimeToWhatIsDue) {
  Reactor reactor;
  auto const began = reactor.scheduler().now();
  Timer timer{[&] { reactor.stop(); }};
  reactor.scheduler().after(timer, 3ms);
  reactor.run();
  EXPECT_GE(reactor.scheduler().now() - began, 3ms);
}

Task<void> wait_until(Socket& socket, CancelScope& scope, std::optional<Instant> until, WaitEnd& end) {
  end = co_await socket.until_readable(scope, until);
}

TEST(Socket, AWaitEndsAtItsTime) {
  Pair pair;
  auto end = WaitEnd::ready;
  pair.run(wait_until(pair.socket, pair.scope, pair.reactor.scheduler().now() + 2ms, end));
  EXPECT_EQ(end, WaitEnd::timed_out);
}

TEST(Socket, AWaitEndsWhenItsScopeIsCancelled) {
  Pair pair;
  auto end = WaitEnd::ready;
  Timer timer{[&] { pair.scope.cancel(CancelReason::caller_left); }};
  pair.reactor.scheduler().after(timer, 1ms);
  pair.run(wait_until(pair.socket, pair.scope, {}, end));
  EXPECT_EQ(end, WaitEnd::cancelled);
}

TEST(Socket, AWaitEndsWhenBytesCome) {
  Pair pair;
  auto end = WaitEnd::timed_out;
  Timer timer{[&] { pair.say("hello"); }};
  pair.reactor.scheduler().after(timer, 1ms);
  pair.run(wait_until(pair.socket, pair.scope, {}, end));
  EXPECT_EQ(end, WaitEnd::ready);
  std::array<char, 16> buffer{};
  EXPECT_EQ(pair.socket.read(buffer.data(), buffer.size()).bytes, 5U);
  EXPECT_EQ(pair.socket.read(buffer.data(), buffer.size()).state, Moved::State::blocked);
}

TEST(Socket, SeesTheEndThatCameWithTheLastBytes) {
  Pair pair;
  pair.say("bye");
  pair.peer.reset();
  auto end = WaitEnd::timed_out;
  pair.run(wait_until(pair.socket, pair.scope, {}, end));
  std::array<char, 16> buffer{};
  // Fewer bytes than were asked for, which otherwise says that there is nothing more now.
  EXPECT_EQ(pair.socket.read(buffer.data(), buffer.size()).bytes, 3U);
  EXPECT_EQ(pair.socket.read(buffer.data(), buffer.size()).state, Moved::State::end);
  EXPECT_TRUE(pair.socket.hung_up());
}

Task<void> read_all(Socket& socket, CancelScope& scope, std::size_t a_time, std::string& all) {
  std::string buffer(a_time, '\0');
  for (;;) {
    auto const moved = socket.read(buffer.data(), buffer.size());
    switch (moved.state) {
      case Moved::State::some: all.append(buffer, 0, moved.bytes); break;
      case Moved::State::blocked: {
        auto const end = co_await socket.until_readable(scope);
        if (end != WaitEnd::ready) co_return;
        break;
      }
      case Moved::State::end:
      case Moved::State::broken: co_return;
    }
  }
}

TEST(Socket, LosesNoEdgeHoweverReadsAndBytesMeet) {
  for (std::size_t const a_time : {1UL, 3UL, 4UL, 1000UL}) {
    Pair pair;
    std::string sent;
    // Writes of another thread meet the reads at any point of theirs.
    std::thread writer{[&] {
      for (int i = 0; i < 2000; ++i) {
        auto const text = std::to_string(i) + ',';
        sent += text;
        std::string_view rest{text};
        while (!rest.empty()) {
          auto const written = ::send(pair.peer.get(), rest.data(), rest.size(), 0);
          if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
        }
      }
      pair.peer.reset();
    }};
    std::string all;
    pair.run(read_all(pair.socket, pair.scope, a_time, all));
    writer.join();
    EXPECT_EQ(all, sent) << a_time;
  }
}

}  // namespace
}  // namespace candor::test
