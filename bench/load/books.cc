#include "bench/load/books.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "bench/load/figures.h"

namespace tollgate::bench::load {
namespace {

/// BALANCEs that are asked for at once.
constexpr std::size_t kAskedAtOnce = 500;

rating::Money amount_of(std::string_view text) {
    const auto money = rating::parse_money(text);
    if (!money)
        throw std::runtime_error("the books say " + std::string{text} + " where an amount was expected");
    return *money;
}

std::string_view text_of(rating::Money money, rating::ShortText& buffer) {
    buffer = rating::format(money);
    return buffer.view();
}

/// `balances=1,held=0,…`
Books::Currency read_line(std::string_view line) {
    Books::Currency currency;
    while (!line.empty()) {
        const auto comma = std::min(line.find(','), line.size());
        const auto pair = line.substr(0, comma);
        const auto equals = std::min(pair.find('='), pair.size());
        const auto name = pair.substr(0, equals);
        const auto value = pair.substr(std::min(equals + 1, pair.size()));
        if (name == "held") currency.held = amount_of(value);
        if (name == "revenue") currency.revenue = amount_of(value);
        if (name == "sum") currency.sum = amount_of(value);
        line.remove_prefix(std::min(comma + 1, line.size()));
    }
    return currency;
}

void read_currencies(std::string_view text, Books& books) {
    constexpr std::string_view kPrefix = "books_";
    while (!text.empty()) {
        const auto end = std::min(text.find("\r\n"), text.size());
        const auto line = text.substr(0, end);
        const auto colon = line.find(':');
        if (line.starts_with(kPrefix) && colon != std::string_view::npos) {
            books.currencies.emplace(line.substr(kPrefix.size(), colon - kPrefix.size()),
                                     read_line(line.substr(colon + 1)));
        }
        text.remove_prefix(std::min(end + 2, text.size()));
    }
}

void ask_for_balances(Client& client, std::span<const std::string> names, Books& books) {
    std::string commands;
    for (const std::string& name : names)
        append_command(commands, {"BALANCE", name});
    client.send(commands);
    for (const std::string& name : names) {
        const Answer& answer = client.read();
        const auto words = answer.elements();
        if (answer.kind() != Answer::Kind::array || words[0] != "OK" || words.size() < 6 ||
            words[4] != "held") {
            std::string text{"--customers: BALANCE "};
            throw std::runtime_error(
                text.append(name)
                    .append(" answered ")
                    .append(words[0])
                    .append("; name the customers of the lines, in their order, or leave the option away"));
        }
        books.customers[name] = {amount_of(words[1]), amount_of(words[5])};
    }
}

}  // namespace

Books look_at_books(Client& client, const Traffic& traffic) {
    Books books;
    const std::set<std::string> unique{traffic.customers.begin(), traffic.customers.end()};
    const std::vector<std::string> names{unique.begin(), unique.end()};
    for (std::size_t at = 0; at < names.size(); at += kAskedAtOnce)
        ask_for_balances(client, std::span{names}.subspan(at, std::min(kAskedAtOnce, names.size() - at)),
                         books);
    const Answer& answer = client.ask({"INFO", "books"});
    if (answer.kind() == Answer::Kind::bulk) read_currencies(answer.text(), books);
    return books;
}

Comparison compare(const Books& before, const Books& after, const Traffic& traffic,
                   std::span<const rating::Money> charged) {
    Comparison comparison;
    const auto wrong = [&comparison](std::string_view who, std::string_view what, rating::Money is,
                                     std::string_view but, rating::Money expected) {
        ++comparison.wrong;
        if (comparison.faults.size() == kFaultsShownMax) return;
        rating::ShortText shown;
        std::string text{who};
        text.append(": ")
            .append(what)
            .append(" ")
            .append(text_of(is, shown))
            .append(", ")
            .append(but)
            .append(" ");
        comparison.faults.push_back(text.append(text_of(expected, shown)));
    };

    std::map<std::string_view, rating::Money> told;
    rating::Money told_in_all;
    for (std::size_t i = 0; i < charged.size(); ++i) {
        told_in_all = told_in_all + charged[i];
        if (i < traffic.customers.size())
            told[traffic.customers[i]] = told[traffic.customers[i]] + charged[i];
    }
    for (const auto& [name, funds] : after.customers) {
        const auto found = before.customers.find(name);
        if (found == before.customers.end()) continue;
        const Books::Funds& first = found->second;
        const rating::Money paid = first.balance - funds.balance;
        if (paid != told[name])
            wrong(name, "his balance fell by", paid, "his calls were said to cost", told[name]);
        if (funds.held != first.held)
            wrong(name, "holds", funds.held, "and held before the calls", first.held);
    }
    rating::Money revenue;
    for (const auto& [currency, books] : after.currencies) {
        const auto found = before.currencies.find(currency);
        const Books::Currency first = found == before.currencies.end() ? Books::Currency{} : found->second;
        revenue = revenue + books.revenue - first.revenue;
        if (books.sum != rating::Money{}) wrong(currency, "the books add up to", books.sum, "expected", {});
        if (books.held != first.held)
            wrong(currency, "held is", books.held, "and was before the calls", first.held);
    }
    if (!after.currencies.empty() && revenue < told_in_all)
        wrong("all levels", "revenue grew by", revenue, "customers were said to pay", told_in_all);

    if (!after.customers.empty())
        comparison.by = "balances of " + std::to_string(after.customers.size()) + " customers";
    if (!after.currencies.empty()) comparison.by += comparison.by.empty() ? "INFO books" : " and INFO books";
    comparison.is_done = !comparison.by.empty();
    if (!comparison.is_done)
        comparison.by = "nothing: this user may not see INFO books, and --customers was not given";
    return comparison;
}

}  // namespace tollgate::bench::load
