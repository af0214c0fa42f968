/// What a person shows with every request in place of a password.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rating/instant.h"

namespace tollgate::daemon::access {

/// The BLAKE2b hash of a token: all that is kept of one. 32 random bytes need no salt and no slow hash;
/// nobody guesses them.
struct TokenHash {
    std::array<unsigned char, 32> bytes{};

    /// 64 hexadecimal digits in small letters, and the reverse.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] static std::optional<TokenHash> parse(std::string_view text);

    /// In constant time.
    friend bool operator==(const TokenHash& a, const TokenHash& b) noexcept;
};

inline constexpr std::size_t kTokenBytes = 32;
inline constexpr std::string_view kTokenPrefix = "tg_";
/// `tg_` and 32 bytes in base64url: finds itself again in a log or a repository where it should not be.
inline constexpr std::size_t kTokenTextBytes = kTokenPrefix.size() + 43;

/// A new token: its text is shown once, to its owner, and then forgotten.
struct FreshToken {
    std::string text;
    TokenHash hash;
};
[[nodiscard]] FreshToken make_token();

/// nullopt for what cannot be the text of a token.
[[nodiscard]] std::optional<TokenHash> hash_of_token(std::string_view text);

/// A person may have so many at once. Who logs in once more loses the one that ends first.
inline constexpr std::size_t kTokensPerPersonMax = 64;

/// What the look-up of a token answers. docs/glossary.md: a token's id is what it is listed and revoked by.
struct KnownToken {
    std::string id;
    std::string person;  ///< The login.
    TokenHash hash;
    rating::Instant expires{};
};

/// All tokens that are good, or were until they expired, by their hashes and by their people. One thread at a
/// time.
///
/// A look-up takes the same time for every token that is not there: what is looked up and compared is a hash
/// that whoever guesses cannot steer, and the comparison itself takes constant time.
class TokenIndex {
  public:
    /// nullptr where there is none, or it has expired. Valid until the next change.
    [[nodiscard]] const KnownToken* find(const TokenHash& hash, rating::Instant now) const noexcept;
    /// The ids of a person's, expired ones too, in the order they were made.
    [[nodiscard]] std::vector<std::string> of_person(std::string_view person) const;
    /// What must be removed so that the person may have one more.
    [[nodiscard]] std::optional<std::string> surplus_of(std::string_view person) const;
    /// The ids of those that had expired by then.
    [[nodiscard]] std::vector<std::string> expired(rating::Instant now) const;

    /// Requires: an id that is not there.
    void add(KnownToken token);
    /// Nothing where there is none.
    void remove(std::string_view id);

  private:
    /// Bytes of a hash are as good a hash as any.
    struct Leading {
        std::size_t operator()(const TokenHash& hash) const noexcept {
            std::size_t word = 0;
            std::memcpy(&word, hash.bytes.data(), sizeof word);
            return word;
        }
    };

    std::map<std::string, KnownToken, std::less<>> tokens_;  // By id.
    std::unordered_map<TokenHash, const KnownToken*, Leading> by_hash_;
    std::map<std::string, std::vector<const KnownToken*>, std::less<>> by_person_;
};

}  // namespace tollgate::daemon::access
