#include "daemon/admin/transactions.h"

#include <optional>
#include <string>
#include <vector>

#include "daemon/admin/parties.h"

namespace tollgate::daemon::admin {
namespace {

using balance::PartyId;
using balance::Posting;
using balance::PostingPlace;
using balance::Transaction;
using balance::TransactionKind;
using rating::Money;

constexpr std::string_view kNumberPrefix = "t-";
/// Transactions are in the order of their numbers; the clock on the wall may have been put back so far.
constexpr std::chrono::hours kClockSlack{24};

std::string id_of(std::uint64_t number) {
    return std::string{kNumberPrefix} + std::to_string(number);
}

std::optional<std::uint64_t> number_of(std::string_view id) {
    if (!id.starts_with(kNumberPrefix)) return std::nullopt;
    return rating::parse_unsigned(id.substr(kNumberPrefix.size()), INT64_MAX);
}

std::optional<TransactionKind> kind_of(std::string_view text) {
    for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(balance::kTransactionKindLast); ++i) {
        if (balance::text_of(static_cast<TransactionKind>(i)) == text) return static_cast<TransactionKind>(i);
    }
    return std::nullopt;
}

/// Whom a reader asks about.
struct Reader {
    const balance::PartyTable& parties;
    PartyId party;  ///< His own.
    PartyId of;     ///< The one party of a list, or kNoParty.
    std::string_view login;

    [[nodiscard]] bool sees_all() const noexcept { return party == parties.root(); }
    [[nodiscard]] bool sees(PartyId whose) const noexcept {
        return sees_all() || parties.is_in_subtree(whose, party);
    }
    [[nodiscard]] bool sees_memos() const noexcept {
        return parties.get(party).kind != balance::PartyKind::customer;
    }
};

/// What a transaction did to the one balance that a row is about.
struct Row {
    PartyId party = balance::kNoParty;
    rating::Currency currency;
    Money amount;
    Money balance;
};

std::optional<Row> row_of(const Transaction& transaction, const Reader& reader) {
    std::optional<Row> row;
    for (const Posting& posting : transaction.postings) {
        if (posting.place != PostingPlace::balance) continue;
        if (row                              ? posting.party != row->party
            : reader.of != balance::kNoParty ? posting.party != reader.of
                                             : !reader.sees(posting.party))
            continue;
        if (!row) row = Row{posting.party, posting.currency, Money{}, Money{}};
        row->amount = row->amount + posting.amount;
        row->balance = posting.after;
    }
    return row;
}

struct ShownTexts {
    std::string_view memo;
    std::string_view request;
};

ShownTexts texts_of(const Transaction& transaction, const Reader& reader) {
    // A request id is its sender's own.
    const bool own = reader.sees_all() || transaction.scope == reader.login;
    return {reader.sees_memos() ? std::string_view{transaction.memo} : std::string_view{},
            own ? std::string_view{transaction.request} : std::string_view{}};
}

/// The fields of a row, inside an open object.
void write_row(JsonWriter& json, const Transaction& transaction, const Row& row, const Reader& reader) {
    const ShownTexts texts = texts_of(transaction, reader);
    json.name("txn").text(id_of(transaction.number));
    json.name("kind").text(balance::text_of(transaction.kind));
    json.name("at").text(rating::format(transaction.at.wall));
    json.name("party").text(reader.parties.get(row.party).id);
    json.name("amount").text(rating::format(row.amount));
    json.name("currency").text(row.currency.view());
    json.name("balance").text(rating::format(row.balance));
    json.name("actor").text_or_null(transaction.actor);
    json.name("memo").text_or_null(texts.memo);
    json.name("request").text_or_null(texts.request);
    json.name("subject").text_or_null(transaction.subject);
}

void write_row(CsvWriter& csv, const Transaction& transaction, const Row& row, const Reader& reader) {
    const ShownTexts texts = texts_of(transaction, reader);
    csv.cell(id_of(transaction.number));
    csv.cell(balance::text_of(transaction.kind));
    csv.cell(rating::format(transaction.at.wall));
    csv.cell(reader.parties.get(row.party).id);
    csv.cell(rating::format(row.amount));
    csv.cell(row.currency.view());
    csv.cell(rating::format(row.balance));
    csv.cell(transaction.actor);
    csv.cell(texts.memo);
    csv.cell(texts.request);
    csv.cell(transaction.subject);
    csv.end_row();
}

void write_header(CsvWriter& csv) {
    for (const std::string_view name : {"txn", "kind", "at", "party", "amount", "currency", "balance",
                                        "actor", "memo", "request", "subject"})
        csv.cell(name);
    csv.end_row();
}

/// What a list asks of a transaction, beside whose it is.
struct Wanted {
    std::optional<TransactionKind> kind;
    std::string_view actor;
    std::optional<rating::Instant> from;
    std::optional<rating::Instant> until;

    [[nodiscard]] bool is(const Transaction& transaction) const noexcept {
        return (!kind || transaction.kind == *kind) && (actor.empty() || transaction.actor == actor) &&
               (!from || transaction.at.wall >= *from) && (!until || transaction.at.wall < *until);
    }
    /// Nothing before it is wanted.
    [[nodiscard]] bool is_past(const Transaction& transaction) const noexcept {
        return from && transaction.at.wall < *from - kClockSlack;
    }
};

}  // namespace

Response Transactions::page(const Request& request, const Listing& listing, std::string_view party) const {
    const auto& parties = services_.catalog.parties();
    const Reader reader{parties, request.actor.party, parties.find(party), request.actor.login};
    Wanted wanted;
    wanted.actor = listing.filter("actor");
    if (const auto text = listing.filter("kind"); !text.empty()) {
        wanted.kind = kind_of(text);
        if (!wanted.kind) return wrong_filter("kind", "there is no such kind of transaction");
    }
    for (const std::string_view name : {"from", "until"}) {
        const auto text = listing.filter(name);
        if (text.empty()) continue;
        const auto instant = rating::parse_instant(text);
        if (!instant) return wrong_filter(name, "expected a time such as 2026-03-02T00:00:00Z");
        (name == "from" ? wanted.from : wanted.until) = instant;
    }
    std::uint64_t before = TransactionList::kNewest;
    if (!listing.cursor.empty()) {
        const auto number = number_of(listing.cursor);
        if (!number) return wrong_cursor(listing.cursor);
        before = *number;
    }
    const std::size_t rows_max = listing.csv && !listing.limited ? kCsvRowsMax : listing.limit;
    PageWriter json{"transactions"};
    CsvWriter csv;
    write_header(csv);
    std::size_t rows = 0;
    std::size_t looks = 0;
    std::uint64_t last = 0;
    bool more = false;
    const auto visit = [&](const Transaction& transaction) {
        if (wanted.is_past(transaction)) return false;
        if (rows == rows_max || (!listing.csv && looks == kBookLooksMax)) {
            more = true;
            return false;
        }
        ++looks;
        last = transaction.number;
        if (!wanted.is(transaction)) return true;
        const auto row = row_of(transaction, reader);
        if (!row) return true;
        ++rows;
        if (listing.csv) {
            write_row(csv, transaction, *row, reader);
        } else {
            json.row().open_object();
            write_row(json.row(), transaction, *row, reader);
            json.row().close_object();
        }
        return true;
    };
    const TransactionList& all = services_.payments.transactions();
    if (reader.of == balance::kNoParty) {
        all.visit_back(before, visit);
    } else {
        all.visit_back(reader.of, before, visit);
    }
    if (listing.csv) return csv_response(csv);
    return json.done(more ? id_of(last) : std::string{});
}

Response Transactions::list(const Request& request) const {
    auto listing = Listing::read(request, {"party", "kind", "actor", "from", "until"});
    if (listing.refusal) return *std::move(listing.refusal);
    const auto party = listing.filter("party");
    const auto& parties = services_.catalog.parties();
    if (!party.empty() && !parties.is_in_subtree(parties.find(party), request.actor.party))
        return wrong_filter("party", "no such party");
    return page(request, listing, party);
}

Response Transactions::list_of(const Request& request, std::string_view party) const {
    auto listing = Listing::read(request, {"kind", "from", "until"});
    if (listing.refusal) return *std::move(listing.refusal);
    if (services_.catalog.parties().find(party) == balance::kNoParty) return unknown_party(party);
    return page(request, listing, party);
}

Response Transactions::get(const Request& request, std::string_view id) const {
    const auto& parties = services_.catalog.parties();
    const Reader reader{parties, request.actor.party, balance::kNoParty, request.actor.login};
    const auto number = number_of(id);
    const auto transaction = number ? services_.payments.transactions().find(*number) : nullptr;
    const auto row = transaction == nullptr ? std::nullopt : row_of(*transaction, reader);
    if (!row) {
        return problem({.status = 404,
                        .detail = "there is no transaction \"" + std::string{id.substr(0, kShownBytesMax)} +
                                  "\", or no more"});
    }
    JsonWriter json;
    json.open_object();
    write_row(json, *transaction, *row, reader);
    json.name("postings").open_list();
    for (const Posting& posting : transaction->postings) {
        if (!reader.sees(posting.party)) continue;
        json.open_object().name("party").text(parties.get(posting.party).id);
        json.name("place").text(balance::text_of(posting.place));
        json.name("currency").text(posting.currency.view());
        json.name("amount").text(rating::format(posting.amount)).close_object();
    }
    json.close_list().close_object();
    return json_response(200, json.take());
}

}  // namespace tollgate::daemon::admin
