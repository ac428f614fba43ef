#include "run.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <tuple>
#include <utility>

#include "candor/app/sidecar.hpp"
#include "candor/app/signals.hpp"
#include "candor/app/version.hpp"
#include "candor/observe/words.hpp"

namespace candor::app {

namespace {

using Level = observe::OperationalLog::Level;

std::string serving_line(Sidecar const& sidecar) {
  std::string line = "candor " + std::string(version) + " serves";
  char const* between = " ";
  for (auto const& place : sidecar.listening()) {
    line += std::exchange(between, ", ") + place;
  }
  return line + "; " + observe::counted(sidecar.metrics().size(), "worker");
}

/// timeout(1), and some that supervise, signal the process and then its group: that is one signal. Nobody can
/// have meant a second one before anything shows that the first has come.
void let_echo_pass(Signals& signals) {
  constexpr Duration echo = 20ms;
  auto const end = monotonic_now() + echo;
  for (auto left = echo; left > Duration{}; left = end - monotonic_now()) {
    std::ignore = signals.wait_for(left);
  }
}

void serve_until_told(Sidecar& sidecar, Signals& signals, observe::OperationalLog& log) {
  bool draining = false;
  for (;;) {
    switch (signals.wait()) {
      case Signals::Event::reload:
        log.say(Level::warn, "SIGHUP: there is no reloading yet; the configuration stays as it is");
        break;
      case Signals::Event::notified:
        log.say(Level::info, "drained: nothing is in flight any more; the end");
        return;
      case Signals::Event::stop:
        if (draining) {
          log.say(Level::warn, "told to stop a second time: ending at once, whatever is in flight");
          // Should a worker not come to its end, the kernel ends us.
          ::alarm(2);
          return;
        }
        draining = true;
        let_echo_pass(signals);
        log.say(Level::info, "told to stop: draining; what is in flight may take up to " +
                                 observe::in_words(sidecar.config().net.drain_timeout));
        sidecar.drain([&signals] { signals.notify(); });
        break;
    }
  }
}

}  // namespace

void run_sidecar(config::Config config) {
  Signals signals;  // before anything that may start a thread
  auto const log = std::make_shared<observe::OperationalLog>(config.log);
  log->say(Level::debug, raise_descriptor_limit());
  Sidecar sidecar{std::move(config), log, fresh_seed()};
  sidecar.start();
  log->say(Level::info, serving_line(sidecar));
  serve_until_told(sidecar, signals, *log);
  sidecar.stop();
}

std::uint64_t fresh_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

std::string raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return "the limit of descriptors is not known";
  auto const before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return "the limit of descriptors stays at " + std::to_string(before);
  }
  return "descriptors: up to " + std::to_string(limit.rlim_cur) + ", was " + std::to_string(before);
}

}  // namespace candor::app
