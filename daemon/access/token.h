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

/// A person's place in the list of people. Given out once, never reused.
enum class PersonId : std::uint32_t {};

/// A token's number, by which it is listed and revoked: it says nothing of the secret.
enum class TokenId : std::uint64_t {};

/// The BLAKE2b hash of a token: all that is kept of one. 32 random bytes need no salt and no slow hash;
/// nobody guesses them.
struct TokenHash {
    std::array<unsigned char, 32> bytes{};

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

/// A token as it is kept.
struct Token {
    TokenId id{};
    PersonId person{};
    TokenHash hash;
    rating::Instant made{};
    rating::Instant expires{};
    std::string label;  ///< What its owner calls it: `billing script`.
};

/// A person may have so many at once. Who logs in once more loses the one that ends first.
inline constexpr std::size_t kTokensPerPersonMax = 64;
inline constexpr std::size_t kTokenLabelBytesMax = 128;

/// The tokens that are good, or were until they expired. One thread at a time.
///
/// A look-up takes the same time for every token that is not there: what is looked up and compared is a hash
/// that whoever guesses cannot steer, and the comparison itself takes constant time.
class TokenTable {
  public:
    /// nullptr where there is none, or it has expired. Valid until the next change.
    [[nodiscard]] const Token* find(const TokenHash& hash, rating::Instant now) const noexcept;
    [[nodiscard]] const Token* find(TokenId id) const noexcept;
    /// A person's that are good, in the order they were made.
    [[nodiscard]] std::vector<const Token*> tokens_of(PersonId person, rating::Instant now) const;
    /// What must be removed so that one more may be added.
    [[nodiscard]] std::optional<TokenId> surplus_of(PersonId person) const;

    /// Requires: an id that is not there.
    void add(Token token);
    /// False where there is none.
    bool remove(TokenId id);
    /// Those of a person, but for one. How many.
    std::size_t remove_all_of(PersonId person, std::optional<TokenId> but = {});
    /// Those that had expired by then.
    std::size_t remove_expired(rating::Instant now);

    /// By their ids, expired ones too: what a snapshot saves.
    [[nodiscard]] const std::map<TokenId, Token>& all() const noexcept { return tokens_; }

  private:
    /// Bytes of a hash are as good a hash as any.
    struct Leading {
        std::size_t operator()(const TokenHash& hash) const noexcept {
            std::size_t word = 0;
            std::memcpy(&word, hash.bytes.data(), sizeof word);
            return word;
        }
    };

    std::map<TokenId, Token> tokens_;
    std::unordered_map<TokenHash, const Token*, Leading> by_hash_;
    std::unordered_map<PersonId, std::vector<TokenId>> by_person_;
};

}  // namespace tollgate::daemon::access
