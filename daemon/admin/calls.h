/// `/v1/calls/{session}:authorize` and its neighbours: the commands of a call for switches with an HTTP
/// client.
#pragma once

#include <string_view>
#include <vector>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"
#include "daemon/commands/context.h"

namespace tollgate::daemon::admin {

/// Puts a request into the words of daemon/commands, has them carried out there, and puts the answer into
/// JSON: a switch may begin a call over RESP and end it here.
///
/// Whatever the charging function decided is a 200, and its `code` says what. Everything else is a problem:
/// 422 where an argument is faulty, 503 with Retry-After where RESP says -BUSY; nothing was changed then.
/// With `Accept: text/plain` a 200 is what PLAIN answers.
///
/// To be called by one thread at a time, which is that of the sockets (Lane::call): it writes the counters.
class Calls {
  public:
    /// Requires: services.commands and services.call_counters.
    explicit Calls(Services services);

    /// Every verb as POST and as GET, of Lane::call.
    void add_to(Router& router) const;

  private:
    struct Verb;

    [[nodiscard]] Response post(const Verb& verb, const Request& request, std::string_view session) const;
    /// 403 for anybody but a declared user: a page in somebody's browser could ask for it.
    [[nodiscard]] Response get(const Verb& verb, const Request& request, std::string_view session) const;
    [[nodiscard]] Response carry_out(const Verb& verb, const Request& request,
                                     std::vector<std::string_view> words) const;

    Services services_;
};

}  // namespace tollgate::daemon::admin
