#include "candor/app/commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/system/system_error.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <ostream>
#include <system_error>

#include "ask.hpp"
#include "candor/app/demo.hpp"
#include "candor/app/version.hpp"
#include "candor/config/load.hpp"
#include "candor/observe/text.hpp"
#include "configuration.hpp"
#include "run.hpp"

namespace candor::app {

namespace {

constexpr int well = 0;
constexpr int failed = 1;
constexpr int no_command = 2;

/// What the command line can say.
struct Options {
  std::string file{};
  bool effective = false;
  bool json = false;
  std::string upstream{};
  std::optional<std::string> endpoint{};
  std::optional<std::string> route{};
  std::string hold{};
  AdminOptions admin{};
  DemoOptions demo{};
  double seconds_per_phase = seconds(DemoOptions{}.each_turn);
};

/// One line, whatever it quotes.
std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return observe::printable(text);
}

class CommandLine {
 public:
  CommandLine(std::ostream& out, std::ostream& err) : out_(out), err_(err) {
    cli_.require_subcommand(0, 1);
    cli_.set_version_flag("--version", "candor " + std::string(version));
    add_run();
    add_validate();
    add("schema", "Print the JSON Schema of the configuration", [this] { out_ << config::json_schema(); });
    add("reference", "Print the configuration's reference page, as Markdown",
        [this] { out_ << config::reference(); });
    add_explain();
    add_hold();
    add_healthcheck();
    add_demo();
    add("version", "Print the version", [this] { out_ << "candor " << version << '\n'; });
  }

  int run(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
      cli_.parse(std::move(arguments));
    } catch (CLI::Success const& help) {
      return cli_.exit(help, out_, err_);
    } catch (CLI::ParseError const& wrong) {
      return fail(std::string(wrong.what()) + "; see candor --help");
    }
    if (!chosen_) {
      err_ << cli_.help();
      return no_command;
    }
    chosen_();
    return status_;
  }

  int fail(std::string const& why) {
    err_ << "candor: " << one_line(why) << '\n';
    return failed;
  }

 private:
  CLI::App* add(std::string const& name, std::string const& help, std::function<void()> action) {
    auto* const command = cli_.add_subcommand(name, help);
    command->callback([this, action = std::move(action)] { chosen_ = action; });
    return command;
  }

  void add_run() {
    auto* const command = add("run", "Run the sidecar until SIGTERM or SIGINT",
                              [this] { run_sidecar(load_configuration(options_.file)); });
    add_file(*command);
  }

  void add_validate() {
    auto* const command =
        add("validate", "Say what is wrong with a configuration, if anything", [this] { validate(); });
    add_file(*command);
    auto* const effective = command->add_flag("--effective", options_.effective,
                                              "Print the whole configuration, defaults included");
    command->add_flag("--json", options_.json, "As JSON, not YAML")->needs(effective);
  }

  void add_explain() {
    auto* const command = add("explain", "Ask a running sidecar why an upstream's circuit is as it is",
                              [this] { out_ << ask_explain(options_.admin, options_.upstream); });
    command->add_option("UPSTREAM", options_.upstream, "Its name in the configuration")->required();
    add_admin(*command);
  }

  void add_hold() {
    auto* const command = add(
        "hold", "Order a running sidecar to hold an upstream's circuit open or closed, or to give it back",
        [this] {
          HeldCircuit const circuit{options_.upstream, options_.endpoint, options_.route};
          out_ << order_hold(options_.admin, circuit, options_.hold);
        });
    command->add_option("UPSTREAM", options_.upstream, "Its name in the configuration")->required();
    command->add_option("HOW", options_.hold, "open, closed or none")
        ->required()
        ->check(CLI::IsMember({"open", "closed", "none"}));
    command->add_option("--endpoint", options_.endpoint, "The circuit of this endpoint, not the upstream's")
        ->type_name("ADDRESS");
    command->add_option("--route", options_.route, "The circuit that this route has of its own")
        ->type_name("NAME");
    add_admin(*command);
  }

  void add_healthcheck() {
    auto* const command = add("healthcheck", "Ask a running sidecar whether it serves: exit status 0 or 1",
                              [this] { out_ << ask_health(options_.admin); });
    add_admin(*command);
  }

  void add_demo() {
    auto* const command =
        add("demo", "Watch it work: a misbehaving upstream, callers, and the sidecar between", [this] {
          options_.demo.each_turn = from_seconds(options_.seconds_per_phase);
          if (!run_demo(options_.demo, out_)) status_ = failed;
        });
    command->add_flag("--once", options_.demo.once,
                      "One pass of the timetable, then a summary; exit status 1 if something did not hold");
    command->add_flag("--plain", options_.demo.plain, "A line a second instead of the live view");
    command->add_option("--seconds-per-phase", options_.seconds_per_phase, "How long each behaviour lasts")
        ->check(CLI::Range(0.5, 3600.0))
        ->capture_default_str();
    command->add_option("--callers", options_.demo.callers, "How many connections send requests")
        ->check(CLI::Range(1, 500))
        ->capture_default_str();
  }

  void add_file(CLI::App& command) {
    command.add_option("-c,--config", options_.file, "The configuration, YAML or JSON")
        ->required()
        ->type_name("FILE");
  }

  void add_admin(CLI::App& command) {
    auto* const address = command
                              .add_option("--admin", options_.admin.address,
                                          "Its admin port; 127.0.0.1:15000 if nothing is said")
                              ->type_name("HOST:PORT");
    command
        .add_option("-c,--config", options_.admin.file, "The configuration that says where its admin port is")
        ->type_name("FILE")
        ->excludes(address);
  }

  void validate() {
    try {
      auto const config = load_configuration(options_.file);
      if (options_.json) {
        out_ << config::effective_json(config);
      } else if (options_.effective) {
        out_ << config::effective(config);
      } else {
        out_ << options_.file << ": well-formed, nothing to object\n";
      }
    } catch (BadConfiguration const& bad) {
      // As compilers write them, so that editors find the place.
      for (auto const& problem : bad.problems()) err_ << problem.text() << '\n';
      status_ = failed;
    }
  }

  std::ostream& out_;
  std::ostream& err_;
  Options options_;
  std::function<void()> chosen_;
  int status_ = well;
  CLI::App cli_{"A sidecar for outbound HTTP whose circuit breaker counts what really happened", "candor"};
};

std::string why(std::error_code const& code, std::string const& what) {
  bool const out_of_descriptors =
      code == std::errc::too_many_files_open || code == std::errc::too_many_files_open_in_system;
  return out_of_descriptors ? "no file descriptors left (raise the limit, ulimit -n): " + what : what;
}

int run_and_report(CommandLine& line, std::vector<std::string> const& arguments) {
  try {
    return line.run(arguments);
  } catch (BadConfiguration const& bad) {
    for (auto const& problem : bad.problems()) line.fail(problem.text());
    return failed;
  } catch (std::system_error const& error) {
    return line.fail(why(error.code(), error.what()));
  } catch (boost::system::system_error const& error) {
    return line.fail(why(error.code(), error.code().message()));
  } catch (std::exception const& error) {
    return line.fail(error.what());
  }
}

}  // namespace

int run_command(std::vector<std::string> const& arguments, std::ostream& out, std::ostream& err) {
  CommandLine line{out, err};
  int const status = run_and_report(line, arguments);
  // A full disk or a reader that has gone: who asked did not get it.
  if (!out.flush()) return line.fail("the output could not be written");
  return status;
}

}  // namespace candor::app
