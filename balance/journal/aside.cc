#include "balance/journal/aside.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "balance/journal/checksum.h"

namespace tollgate::balance::journal {
namespace {

constexpr std::string_view kAsideSuffix = ".dat";
constexpr std::uint64_t kAsideBytesMax = std::uint64_t{8} << 30;
constexpr std::array<char, 8> kAsideMagic{'T', 'G', 'A', 'S', 'I', 'D', 'E', '1'};

struct AsideHeader {
    std::array<char, 8> magic = kAsideMagic;
    std::uint32_t checksum = 0;  // Of the rest of this struct.
    std::uint32_t body_checksum = 0;
    Instance instance;
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
};
static_assert(sizeof(AsideHeader) == 48);

std::uint32_t checksum_of(const AsideHeader& header) {
    return checksum(std::as_bytes(std::span{&header, 1}).subspan(offsetof(AsideHeader, body_checksum)));
}

std::string hexadecimal(std::uint32_t number) {
    std::string text(8, '0');
    for (std::size_t digit = text.size(); digit-- > 0; number >>= 4)
        text[digit] = "0123456789abcdef"[number & 0xFU];
    return text;
}

struct Name {
    std::uint64_t number = 0;
    std::string_view checksum;
};

std::optional<Name> parse(std::string_view name) {
    if (!name.ends_with(kAsideSuffix)) return std::nullopt;
    name.remove_suffix(kAsideSuffix.size());
    const auto second = name.rfind('-');
    if (second == std::string_view::npos || second == 0 || name.size() - second - 1 != 8) return std::nullopt;
    const auto first = name.rfind('-', second - 1);
    if (first == std::string_view::npos || first == 0) return std::nullopt;
    Name found{0, name.substr(second + 1)};
    const char* end = name.data() + second;
    const auto [stopped, error] = std::from_chars(name.data() + first + 1, end, found.number);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return found;
}

}  // namespace

Errno write_aside(Disk& disk, const Instance& instance, std::string_view kind, std::uint64_t number,
                  std::span<const std::byte> bytes, std::string& name) {
    AsideHeader header;
    header.body_checksum = checksum(bytes);
    header.instance = instance;
    header.number = number;
    header.bytes = bytes.size();
    header.checksum = checksum_of(header);
    name = std::string{kind} + "-" + std::to_string(number) + "-" + hexadecimal(header.body_checksum) +
           std::string{kAsideSuffix};
    std::vector<std::byte> whole(sizeof header + bytes.size());
    std::memcpy(whole.data(), &header, sizeof header);
    if (!bytes.empty()) std::memcpy(whole.data() + sizeof header, bytes.data(), bytes.size());
    return write_file(disk, name, whole);
}

bool read_aside(Disk& disk, const Instance& instance, const std::string& name, std::vector<std::byte>& bytes,
                std::string& fault) {
    const auto wrong = [&](const std::string& what) {
        fault = disk.path(name) + ": " + what;
        return false;
    };
    const auto named = parse(name);
    if (!named) return wrong("is not the name of a file beside the journal");
    if (const Errno error = read_file(disk, name, kAsideBytesMax, bytes); error != 0)
        return wrong("cannot be read: " + text_of(error));
    AsideHeader header;
    if (bytes.size() < sizeof header) return wrong("at byte 0: the header is cut off");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != kAsideMagic || header.checksum != checksum_of(header))
        return wrong("at byte 0: the header is not what it was");
    if (header.instance != instance) return wrong("at byte 0: belongs to another journal");
    if (header.number != named->number || hexadecimal(header.body_checksum) != named->checksum)
        return wrong("at byte 0: was written under another name");
    bytes.erase(bytes.begin(), bytes.begin() + sizeof header);
    if (bytes.size() != header.bytes)
        return wrong("holds " + std::to_string(bytes.size()) + " bytes instead of " +
                     std::to_string(header.bytes));
    if (checksum(bytes) != header.body_checksum)
        return wrong("at byte " + std::to_string(sizeof header) + ": the checksum of what follows is wrong");
    return true;
}

std::optional<std::uint64_t> flipped_bit_of_aside(std::span<std::byte> file) {
    AsideHeader header;
    if (file.size() < sizeof header) return std::nullopt;
    const auto read = [&header](std::span<const std::byte> bytes) {
        std::memcpy(&header, bytes.data(), sizeof header);
        return header.magic == kAsideMagic && header.checksum == checksum_of(header);
    };
    const auto head = file.first(sizeof header);
    if (!read(head)) return flipped_bit(head, read);
    const auto body = file.subspan(sizeof header);
    if (body.size() != header.bytes) return std::nullopt;
    const auto bit = flipped_bit(body.size(), checksum(body), header.body_checksum);
    return bit ? std::optional{*bit + 8 * sizeof header} : std::nullopt;
}

Errno list_asides(Disk& disk, std::vector<std::string>& names) {
    const Errno error = disk.list(names);
    std::erase_if(names, [](const std::string& name) { return !parse(name); });
    return error;
}

std::uint64_t number_of(std::string_view name) {
    const auto named = parse(name);
    return named ? named->number : 0;
}

std::uint64_t newest_aside(Disk& disk) {
    std::vector<std::string> names;
    list_asides(disk, names);
    std::uint64_t newest = 0;
    for (const auto& name : names)
        newest = std::max(newest, number_of(name));
    return newest;
}

Errno remove_aside(Disk& disk, const std::string& name) {
    if (!parse(name)) return EINVAL;
    if (const Errno error = disk.remove(name); error != 0) return error;
    return disk.sync_directory();
}

}  // namespace tollgate::balance::journal
