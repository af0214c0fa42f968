// A main for compilers without libFuzzer: runs a fuzz target over the files, and the files in the
// folders, that its command line names. A target says no by aborting.
//
// Exits with 0 if there was at least one file and all passed, with 1 otherwise: an empty corpus is a
// mistyped path, not a success.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::uint8_t> read(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) throw std::runtime_error{file.string() + ": cannot be read"};
    return {std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{}};
}

/// Says the name first, so that it is the last line before an abort.
void replay(const std::filesystem::path& file) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    const std::vector<std::uint8_t> bytes = read(file);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::size_t replay_all(std::span<char*> paths) {
    std::size_t files = 0;
    for (const std::filesystem::path path : paths) {
        if (!std::filesystem::is_directory(path)) {
            replay(path);
            ++files;
            continue;
        }
        for (const auto& entry : std::filesystem::recursive_directory_iterator{path}) {
            if (!entry.is_regular_file()) continue;
            replay(entry.path());
            ++files;
        }
    }
    return files;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::size_t files = replay_all(std::span{argv, static_cast<std::size_t>(argc)}.subspan(1));
        std::printf("%zu inputs replayed\n", files);
        return files > 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
