/// Sends one mail as the daemon does, for the test with a mail server: mail_sender PORT TLS FROM TO ID
/// SUBJECT, and the text on standard input. Prints what became of it and what the server said.
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>

#include "daemon/mail/message.h"
#include "daemon/mail/smtp_client.h"

int main(int count, char** words) {
    using namespace tollgate;
    using namespace tollgate::daemon::mail;
    if (count != 7) return 2;
    const std::string tls = words[2];
    const SmtpSettings settings{{"127.0.0.1", static_cast<std::uint16_t>(std::stoul(words[1]))},
                                tls == "never"      ? config::MailTls::never
                                : tls == "required" ? config::MailTls::required
                                                    : config::MailTls::offered,
                                std::chrono::seconds{10}};
    const Message message{words[3], words[4],
                          words[5], rating::Instant{std::chrono::seconds{1'795'330'364}},
                          words[6], {std::istreambuf_iterator<char>{std::cin}, {}}};
    const SendResult result = SmtpClient{settings}.send(message.from, message.to, compose(message));
    switch (result.status) {
        case SendStatus::sent:
            std::cout << "sent " << result.answer << '\n';
            return 0;
        case SendStatus::later:
            std::cout << "later " << result.answer << '\n';
            return 0;
        case SendStatus::never:
            std::cout << "never " << result.answer << '\n';
            return 0;
        case SendStatus::unreachable:
            std::cout << "unreachable " << result.answer << '\n';
            return 0;
    }
    std::abort();
}
