#include "bench/process_meter.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fmt/format.h>
#include <sched.h>

#include "base/bytes.h"

namespace parley::bench {
namespace {

namespace fs = std::filesystem;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Nanoseconds on a processor, the first number of schedstat.
uint64_t run_time(const std::string& path) {
  std::istringstream line(first_line(path));
  uint64_t ns = 0;
  line >> ns;
  return ns;
}

// The number of kilobytes in the line that begins with `name`; 0 when there is none.
uint64_t kilobytes(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream rest(line.substr(name.size()));
    uint64_t value = 0;
    rest >> value;
    return value;
  }
  return 0;
}

std::vector<std::string> entries(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().string());
  return names;
}

}  // namespace

Result<ProcessMeter> ProcessMeter::open(int pid) {
  ProcessMeter meter(pid);
  if (run_time(fmt::format("/proc/{}/schedstat", pid)) == 0)
    return fail(fmt::format(
        "process {} cannot be read; --pid wants a running process of this machine", pid));
  cpu_set_t cores;
  CPU_ZERO(&cores);
  ::sched_getaffinity(pid, sizeof cores, &cores);
  for (const std::string& name : entries("/proc")) {
    int number = 0;
    if (!parse_uint(name, number)) continue;
    const std::string comm = first_line("/proc/" + name + "/comm");
    constexpr std::string_view kName = "ksoftirqd/";
    unsigned core = 0;
    if (comm.starts_with(kName) && parse_uint(std::string_view(comm).substr(kName.size()), core) &&
        core < CPU_SETSIZE && CPU_ISSET(core, &cores))
      meter.kernel_threads_.push_back("/proc/" + name + "/schedstat");
  }
  return meter;
}

void ProcessMeter::collect(int pid, std::vector<int>& out) const {
  out.push_back(pid);
  for (const std::string& task : entries(fmt::format("/proc/{}/task", pid))) {
    std::istringstream children(first_line(fmt::format("/proc/{}/task/{}/children", pid, task)));
    for (int child = 0; children >> child;) collect(child, out);
  }
}

std::vector<int> ProcessMeter::family() const {
  std::vector<int> pids;
  collect(pid_, pids);
  return pids;
}

uint64_t ProcessMeter::cpu_ns() const {
  uint64_t total = 0;
  for (const int pid : family())
    for (const std::string& task : entries(fmt::format("/proc/{}/task", pid)))
      total += run_time(fmt::format("/proc/{}/task/{}/schedstat", pid, task));
  return total;
}

std::optional<uint64_t> ProcessMeter::ksoftirqd_ns() const {
  if (kernel_threads_.empty()) return std::nullopt;
  uint64_t total = 0;
  for (const std::string& path : kernel_threads_) total += run_time(path);
  return total;
}

Result<uint64_t> ProcessMeter::memory_bytes() const {
  uint64_t total = 0;
  for (const int pid : family())
    total += kilobytes(fmt::format("/proc/{}/smaps_rollup", pid), "Pss:") * 1024;
  if (total == 0)
    return fail(fmt::format("the memory of process {} cannot be read; run as its user", pid_));
  return total;
}

uint64_t ProcessMeter::kernel_bytes() { return kilobytes("/proc/meminfo", "Slab:") * 1024; }

}  // namespace parley::bench
