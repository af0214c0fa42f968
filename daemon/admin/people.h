/// `/v1/people`, `/v1/login` and what belongs to them: who may come in, with what.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "daemon/access/directory.h"
#include "daemon/access/login_throttle.h"
#include "daemon/access/password.h"
#include "daemon/admin/json.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// How long a token from a login is good.
inline constexpr std::chrono::hours kLoginTokenLife{12};
/// The most that somebody may ask for, for a program of his.
inline constexpr std::chrono::hours kTokenLifeMax{24 * 366};

/// Any thread may call any member. docs/access.md has the rules; whether somebody may come to a person at all
/// has been decided by the gate. Nobody gives what he does not have, and nobody touches whoever may do more
/// than he.
class People {
  public:
    People(Services services, std::shared_ptr<const access::Directory> directory);

    void add_to(Router& router);

    [[nodiscard]] Response log_in(const Request& request) const;
    [[nodiscard]] Response log_out(const Request& request) const;
    [[nodiscard]] Response me(const Request& request) const;
    [[nodiscard]] Response list(const Request& request) const;
    [[nodiscard]] Response create(const Request& request) const;
    [[nodiscard]] Response get(std::string_view login) const;
    [[nodiscard]] Response change(const Request& request, std::string_view login) const;
    [[nodiscard]] Response remove(const Request& request, std::string_view login) const;
    [[nodiscard]] Response change_password(const Request& request, std::string_view login) const;
    [[nodiscard]] Response list_tokens(std::string_view login) const;
    [[nodiscard]] Response create_token(const Request& request, std::string_view login) const;
    [[nodiscard]] Response revoke_token(const Request& request, std::string_view id) const;

  private:
    struct Made {
        Token token;
        std::string text;
    };
    /// 0, and the guess counts; or how long until the next one is allowed.
    [[nodiscard]] std::optional<Response> throttled(std::string_view login, const Request& request) const;
    void guessed_right(std::string_view login, const Request& request) const;
    /// Adds a token to the thread's event; one too many of the person's goes, and those that have expired.
    Made add_token(const Person& person, std::string name, rating::Instant expires, Moment now) const;
    /// All of somebody's end with the thread's event, but one.
    void end_tokens(std::string_view login, std::string_view but, Moment now) const;
    [[nodiscard]] std::optional<Response> refusal_to_touch(const Request& request,
                                                           const Person& person) const;
    [[nodiscard]] std::optional<Response> refusal_to_give(const Request& request, const Person& person) const;
    [[nodiscard]] bool is_last_admin(const Person& person) const;
    [[nodiscard]] bool is_of_provider(const Person& person) const;
    [[nodiscard]] Response shown(unsigned status, const Person& person) const;

    Services services_;
    std::shared_ptr<const access::Directory> directory_;
    std::shared_ptr<const access::Passwords> passwords_;
    struct Throttled;
    std::shared_ptr<Throttled> throttled_;
};

}  // namespace tollgate::daemon::admin
