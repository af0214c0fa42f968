#include "bench/load/command_file.h"

#include <algorithm>
#include <fstream>

#include "protocol/limits.h"
#include "protocol/resp_writer.h"

namespace tollgate::bench::load {
namespace {

constexpr std::string_view kPass = "{pass}";
constexpr std::string_view kBlanks = " \t\r";

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    for (;;) {
        const auto begin = line.find_first_not_of(kBlanks);
        if (begin == std::string_view::npos) return words;
        line.remove_prefix(begin);
        const auto end = std::min(line.find_first_of(kBlanks), line.size());
        words.emplace_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

}  // namespace

std::string CommandFile::read(const std::string& path) {
    std::ifstream in{path};
    if (!in) return path + ": cannot be read; name a file with a command in each line";
    for (std::string line; std::getline(in, line);) {
        const auto wrong = [&path, this](std::string_view what) {
            std::string text = path;
            return text.append(":").append(std::to_string(commands_.size() + 1)).append(": ").append(what);
        };
        if (commands_.size() == kFileCommandsMax) return wrong("more than 10000000 commands; split the file");
        std::vector<std::string> words = words_of(line);
        if (words.empty()) return wrong("is empty; expected a command in each line");
        for (std::string& word : words) {
            const auto at = word.find(kPass);
            if (at != std::string::npos) word.replace(at, kPass.size(), kPassDigits, '\0');
        }
        const std::size_t begin = bytes_.size();
        protocol::RespWriter writer{bytes_};
        writer.array(words.size());
        for (const std::string& word : words)
            writer.bulk(word);
        const std::size_t size = bytes_.size() - begin;
        if (size > protocol::kCommandBytesMax) return wrong("is longer than 16384 bytes");
        const auto digits = bytes_.find('\0', begin);
        if (digits != std::string::npos && bytes_.find('\0', digits + kPassDigits) != std::string::npos)
            return wrong("has {pass} more than once");
        commands_.push_back({begin, size, digits == std::string::npos ? 0 : digits - begin});
    }
    return commands_.empty() ? path + ": is empty; expected a command in each line" : std::string{};
}

void CommandFile::append(std::string& out, std::size_t command, std::uint64_t pass) const {
    const Command& found = commands_[command];
    const std::size_t begin = out.size();
    out.append(bytes_, found.begin, found.size);
    if (found.pass == 0) return;
    for (std::size_t i = kPassDigits; i > 0; --i, pass /= 10)
        out[begin + found.pass + i - 1] = static_cast<char>('0' + pass % 10);
}

}  // namespace tollgate::bench::load
