#include "daemon/ctl/token_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

namespace tollgate::daemon::ctl {
namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOthers = 0077;
constexpr std::size_t kTokenBytesMax = 4096;

std::string because(const std::string& file) {
    return file + ": " + std::strerror(errno);
}

/// A descriptor that is closed at the end.
struct Descriptor {
    int number;
    explicit Descriptor(int of) : number(of) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
};

}  // namespace

std::string default_token_file() {
    if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config != '\0')
        return std::string{config} + "/tollgate/token";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
        return std::string{home} + "/.config/tollgate/token";
    return {};
}

StoredToken read_token(const std::string& file) {
    if (file.empty()) return {};
    const Descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (opened.number < 0)
        return errno == ENOENT || errno == ENOTDIR ? StoredToken{} : StoredToken{{}, because(file)};
    struct stat status {};
    if (::fstat(opened.number, &status) != 0) return {{}, because(file)};
    if (!S_ISREG(status.st_mode)) return {{}, file + ": it is no file"};
    if ((status.st_mode & kOthers) != 0)
        return {{}, file + ": others may use it; chmod 600 " + file + ", or log in again"};
    std::array<char, kTokenBytesMax> bytes{};
    const ssize_t size = ::read(opened.number, bytes.data(), bytes.size());
    if (size < 0) return {{}, because(file)};
    std::string token{bytes.data(), static_cast<std::size_t>(size)};
    token.erase(std::min(token.find_last_not_of(" \t\r\n") + 1, token.size()));
    const bool is_token = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (token.empty() || !is_token || token.size() == kTokenBytesMax)
        return {{}, file + ": there is no token in it"};
    return {token, {}};
}

std::string write_token(const std::string& file, const std::string& token) {
    if (file.empty()) return "there is no place for the token; name one with --token-file";
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::path{file}.parent_path();
    if (!folder.empty() && !std::filesystem::exists(folder, error)) {
        std::filesystem::create_directories(folder, error);
        if (error) return folder.string() + ": " + error.message();
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    }
    // Under another name first: nobody ever sees half of it, or the new one with the old one's mode.
    const std::string fresh = file + ".new";
    ::unlink(fresh.c_str());
    {
        const Descriptor made{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly)};
        const std::string line = token + '\n';
        if (made.number < 0 || ::fchmod(made.number, kOwnerOnly) != 0 ||
            ::write(made.number, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
            return because(fresh);
        }
    }
    return ::rename(fresh.c_str(), file.c_str()) == 0 ? std::string{} : because(file);
}

std::string remove_token(const std::string& file) {
    return file.empty() || ::unlink(file.c_str()) == 0 || errno == ENOENT ? std::string{} : because(file);
}

std::string ask_password(const std::string& prompt) {
    const bool is_terminal = ::isatty(STDIN_FILENO) == 1;
    termios before{};
    if (is_terminal) {
        std::cerr << prompt << std::flush;
        ::tcgetattr(STDIN_FILENO, &before);
        termios silent = before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    std::string line;
    std::getline(std::cin, line);
    if (is_terminal) {
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        std::cerr << '\n';
    }
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

}  // namespace tollgate::daemon::ctl
