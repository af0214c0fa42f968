#include "daemon/operation/first_line.h"

#include <fstream>
#include <stdexcept>

namespace tollgate::daemon {

std::optional<std::string> first_line(const std::string& path) {
    std::ifstream file{path};
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return line;
}

std::string secret_in(std::string_view key, const std::string& path) {
    if (path.empty()) {
        throw std::runtime_error(std::string{key} +
                                 " is not set: name a file whose first line is the secret");
    }
    auto secret = first_line(path);
    if (!secret || secret->empty()) {
        throw std::runtime_error(std::string{key} + ": " + path +
                                 " has no secret in its first line, or cannot be read");
    }
    return *std::move(secret);
}

}  // namespace tollgate::daemon
