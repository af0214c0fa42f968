/// Passwords of people: which may be chosen, and how they are kept and compared. Nothing that can be turned
/// back into a password is ever kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::daemon::access {

/// Characters, not bytes: a letter with an accent is one. Longer is better than stranger, so nothing is asked
/// of a password but its length and that it is not what an attacker knows already.
inline constexpr std::size_t kPasswordCharactersMin = 10;
/// What may be read and hashed at all; nobody types more.
inline constexpr std::size_t kPasswordBytesMax = 256;

/// Whether somebody with this login may choose it.
enum class PasswordRule : std::uint8_t {
    kept,
    too_short,  ///< Fewer than kPasswordCharactersMin characters.
    too_long,   ///< More than kPasswordBytesMax bytes.
    no_text,    ///< Not UTF-8, or with control characters, which no keyboard types again.
    login,      ///< It is the login, or the login's part before its `@`, in capitals or not.
    one_sign,   ///< One character again and again.
};
[[nodiscard]] PasswordRule rule_of(std::string_view password, std::string_view login) noexcept;
/// What to tell the person; empty for `kept`.
[[nodiscard]] std::string_view text_of(PasswordRule rule) noexcept;

/// What one guess costs an attacker who has the hash, and a login us: time and memory of argon2id.
struct PasswordCost {
    std::uint64_t passes = 2;  ///< libsodium's `interactive`, as the next.
    std::size_t memory_bytes = std::size_t{64} * 1024 * 1024;

    static constexpr PasswordCost least() noexcept { return {1, std::size_t{8} * 1024}; }  ///< For tests.
    friend bool operator==(const PasswordCost&, const PasswordCost&) = default;
};
/// A hash that says it costs more is not computed: it is none of ours.
inline constexpr std::size_t kHashMemoryBytesMax = std::size_t{256} * 1024 * 1024;
inline constexpr std::uint64_t kHashPassesMax = 16;

/// `$argon2id$v=19$m=65536,t=2,p=1$…$…`: with its salt and its cost, so that each can be checked by itself
/// and the cost may rise later.
struct PasswordHash {
    std::string text;

    /// nullopt for what is no hash of argon2id, or one that costs too much.
    [[nodiscard]] static std::optional<PasswordHash> parse(std::string_view text);
    friend bool operator==(const PasswordHash&, const PasswordHash&) = default;
};

/// Makes and compares hashes. Any thread may call any member at any time; each call takes 50 to 100 ms of a
/// processor and the cost's memory, so it belongs where nobody waits for it: the administration has
/// Lane::slow.
class Passwords {
  public:
    explicit Passwords(PasswordCost cost = {});

    /// With a salt of its own. nullopt: there is no memory at the moment. Requires: at most
    /// kPasswordBytesMax.
    [[nodiscard]] std::optional<PasswordHash> hash(std::string_view password) const;

    /// Whether the hash was made from it. Takes as long without a hash, because then one is compared that
    /// nobody knows the password of: how long an answer takes does not say whether there is such a login.
    /// Where there is no memory the answer is no.
    [[nodiscard]] bool verify(const std::optional<PasswordHash>& hash, std::string_view password) const;

    /// It was made at another cost than hashes are now: make it anew when its password is there.
    [[nodiscard]] bool is_outdated(const PasswordHash& hash) const noexcept;

  private:
    PasswordCost cost_;
    mutable std::once_flag made_;
    mutable std::optional<PasswordHash> nobodys_;  // Made at the first use.
};

/// Overwrites a password with zeros and empties it, so that it does not stay in freed memory.
void wipe(std::string& secret) noexcept;

}  // namespace tollgate::daemon::access
