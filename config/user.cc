#include "config/user.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <arpa/inet.h>

namespace tollgate::config {
namespace {

constexpr std::size_t kMappedBytes = 12;  // ::ffff: before the four bytes of IPv4.
constexpr std::uint8_t kBitsOfByte = 8;

constexpr std::array<std::pair<std::string_view, Role>, 4> kRoles{{{"switch", Role::switch_},
                                                                   {"monitor", Role::monitor},
                                                                   {"finance", Role::finance},
                                                                   {"admin", Role::admin}}};

}  // namespace

std::optional<std::array<std::uint8_t, 16>> Network::parse_address(std::string_view text) {
    const std::string terminated{text};
    std::array<std::uint8_t, 16> bytes{};
    if (::inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return bytes;
    bytes = {};
    bytes[10] = bytes[11] = 0xFF;
    if (::inet_pton(AF_INET, terminated.c_str(), bytes.data() + kMappedBytes) == 1) return bytes;
    return std::nullopt;
}

std::optional<Network> Network::parse(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    const bool four = text.substr(0, slash).find(':') == std::string_view::npos;
    const unsigned bits_max = four ? 32 : 128;
    unsigned bits = bits_max;
    if (slash < text.size()) {
        const std::string_view written = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), bits);
        if (error != std::errc{} || end != written.data() + written.size() || bits > bits_max)
            return std::nullopt;
    }
    Network network;
    network.address = *address;
    network.prefix_bits = static_cast<std::uint8_t>(bits + (four ? kMappedBytes * kBitsOfByte : 0));
    network.text = text;
    // 10.0.0.1/8 is somebody's mistake: one of the two is not what he meant.
    auto masked = network.address;
    for (std::size_t bit = network.prefix_bits; bit < masked.size() * kBitsOfByte; ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % kBitsOfByte));
        masked[bit / kBitsOfByte] = static_cast<std::uint8_t>(masked[bit / kBitsOfByte] & ~mask);
    }
    if (masked != network.address) return std::nullopt;
    return network;
}

bool Network::holds(const std::array<std::uint8_t, 16>& other) const noexcept {
    const std::size_t whole = prefix_bits / kBitsOfByte;
    if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), other.begin()))
        return false;
    const unsigned rest = prefix_bits % kBitsOfByte;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xFF00U >> rest);
    return (address[whole] & mask) == (other[whole] & mask);
}

bool is_user_name(std::string_view text) noexcept {
    constexpr std::string_view kSigns = "._:@+-";
    return !text.empty() && text.size() <= kUserNameBytesMax &&
           std::all_of(text.begin(), text.end(), [kSigns](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      kSigns.find(c) != std::string_view::npos;
           });
}

std::string_view text_of(Role role) noexcept {
    for (const auto& [word, value] : kRoles) {
        if (value == role) return word;
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::optional<Role> role_of(std::string_view text) noexcept {
    for (const auto& [word, value] : kRoles) {
        if (word == text) return value;
    }
    return std::nullopt;
}

}  // namespace tollgate::config
