/// The verbs. Each appends exactly one answer to `out`; docs/protocol.md has their arguments and answers.
#pragma once

#include <chrono>
#include <string>

#include "daemon/commands/context.h"

namespace tollgate::daemon::commands {

// Calls.
void authorize(Context& context, Words words, std::string& out);
void start(Context& context, Words words, std::string& out);
void extend(Context& context, Words words, std::string& out);
void stop(Context& context, Words words, std::string& out);
void release(Context& context, Words words, std::string& out);
void rate(Context& context, Words words, std::string& out);
void quote(Context& context, Words words, std::string& out);
void explain(Context& context, Words words, std::string& out);
void sessions(Context& context, Words words, std::string& out);
void resync(Context& context, Words words, std::string& out);

// Money.
void balance(Context& context, Words words, std::string& out);
void topup(Context& context, Words words, std::string& out);
void debit(Context& context, Words words, std::string& out);
void refund(Context& context, Words words, std::string& out);

// Housekeeping.
void auth(Context& context, Words words, std::string& out);
void client(Context& context, Words words, std::string& out);
void command(Context& context, Words words, std::string& out);
void config(Context& context, Words words, std::string& out);
void echo(Context& context, Words words, std::string& out);
void hello(Context& context, Words words, std::string& out);
void info(Context& context, Words words, std::string& out);
void ping(Context& context, Words words, std::string& out);
void quit(Context& context, Words words, std::string& out);
void reset(Context& context, Words words, std::string& out);
void select(Context& context, Words words, std::string& out);
void sentinel(Context& context, Words words, std::string& out);
void slowlog(Context& context, Words words, std::string& out);
void time(Context& context, Words words, std::string& out);

/// Answers the AUTH or HELLO that the client waits for: `user` came in, or nobody; or, with `wait` above 0,
/// the password was not looked at.
void answer_login(Context& context, const access::User* user, std::chrono::nanoseconds wait,
                  std::string& out);

/// Known to Redis clients, and never done here.
void refused(Context& context, Words words, std::string& out);

}  // namespace tollgate::daemon::commands
