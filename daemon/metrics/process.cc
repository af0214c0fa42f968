#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/metrics/metrics.h"

namespace tollgate::daemon::metrics {
namespace {

std::string contents(const char* path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// The number of a field of /proc/self/stat, counted from the first behind the name in brackets.
std::uint64_t field(std::string_view stat, std::size_t number) {
    std::size_t at = stat.rfind(')');
    for (std::size_t i = 0; i <= number && at != std::string_view::npos; ++i)
        at = stat.find(' ', at + 1);
    std::uint64_t value = 0;
    if (at == std::string_view::npos) return 0;
    std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), value);
    return value;
}

double boot_time() {
    constexpr std::string_view kName = "btime ";
    const std::string stat = contents("/proc/stat");
    const std::size_t at = stat.find(kName);
    if (at == std::string::npos) return 0;
    std::uint64_t seconds = 0;
    std::from_chars(stat.data() + at + kName.size(), stat.data() + stat.size(), seconds);
    return static_cast<double>(seconds);
}

}  // namespace

ProcessFigures process_figures() {
    // Places behind the name, in proc(5): the state is the first.
    constexpr std::size_t kUserTime = 11;
    constexpr std::size_t kSystemTime = 12;
    constexpr std::size_t kThreads = 17;
    constexpr std::size_t kStartTime = 19;
    constexpr std::size_t kVirtualBytes = 20;

    const std::string stat = contents("/proc/self/stat");
    const auto ticks_a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    static const double booted_at = boot_time();
    ProcessFigures figures;
    figures.cpu_seconds =
        static_cast<double>(field(stat, kUserTime) + field(stat, kSystemTime)) / ticks_a_second;
    figures.threads = field(stat, kThreads);
    figures.started_at = booted_at + static_cast<double>(field(stat, kStartTime)) / ticks_a_second;
    figures.virtual_bytes = field(stat, kVirtualBytes);
    struct stat folder {};
    // Since Linux 6.2 its size is how many there are; before, each has to be looked at.
    constexpr const char* kDescriptors = "/proc/self/fd";
    if (::stat(kDescriptors, &folder) == 0) {
        figures.open_descriptors = static_cast<std::uint64_t>(folder.st_size);
    }
    if (figures.open_descriptors == 0) {
        std::error_code ignored;
        const std::filesystem::directory_iterator open{kDescriptors, ignored};
        figures.open_descriptors = static_cast<std::uint64_t>(std::distance(begin(open), end(open)));
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.descriptors_max = limit.rlim_cur;
    return figures;
}

}  // namespace tollgate::daemon::metrics
