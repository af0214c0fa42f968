#include "balance/party.h"

#include <algorithm>
#include <utility>

namespace tollgate::balance {
namespace {

constexpr std::array<std::pair<std::uint8_t, std::string_view>, 4> kReasons = {{
    {Status::kAdmin, "admin"},
    {Status::kFraud, "fraud"},
    {Status::kOverdue, "overdue"},
    {Status::kLimit, "limit"},
}};

}  // namespace

rating::ShortText Status::text() const noexcept {
    rating::ShortText text;
    if (active()) text.append("active");
    if (closed()) {
        text.append("closed");
        return text;
    }
    for (const auto& [bit, name] : kReasons) {
        if ((bits_ & bit) == 0) continue;
        if (!text.view().empty()) text.push_back(',');
        text.append(name);
    }
    return text;
}

std::optional<Status> Status::parse(std::string_view text) noexcept {
    if (text == "active") return Status{};
    std::uint8_t bits = 0;
    for (bool more = true; more;) {
        const std::size_t comma = text.find(',');
        more = comma != std::string_view::npos;
        const std::string_view word = text.substr(0, comma);
        text.remove_prefix(more ? comma + 1 : text.size());
        const auto* const reason = std::find_if(kReasons.begin(), kReasons.end(),
                                                [word](const auto& r) { return r.second == word; });
        if (reason == kReasons.end()) return std::nullopt;
        bits = static_cast<std::uint8_t>(bits | reason->first);
    }
    return Status{bits};
}

bool is_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kIdBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"._:@+-"}.find(c) != std::string_view::npos;
    });
}

Limits* Party::limits_of(const PartySource& source) {
    if (source.limits == nullptr) return nullptr;
    auto limits = std::make_unique<Limits>();
    limits->set(*source.limits, source.zone, source.opened_countries);
    return limits.release();
}

Limits& Party::own_limits() {
    Limits* const known = limits.load(std::memory_order_relaxed);
    if (known != nullptr) return *known;
    auto fresh = std::make_unique<Limits>();
    Limits& made = *fresh;
    limits.store(fresh.release(), std::memory_order_release);
    return made;
}

void Party::set_limits(const LimitSettings& settings, const std::shared_ptr<const rating::TimeZone>& zone,
                       const CountrySet* opened) {
    Limits* const known = limits.load(std::memory_order_relaxed);
    if (known != nullptr) return known->set(settings, zone, opened);
    auto fresh = std::make_unique<Limits>();
    fresh->set(settings, zone, opened);
    limits.store(fresh.release(), std::memory_order_release);
}

Book& Party::book(rating::Currency wanted) noexcept {
    // Acquire pairs with the release below: a book that is seen is whole.
    Book* const head = books.load(std::memory_order_acquire);
    for (Book* book = head; book != nullptr; book = book->next) {
        if (book->currency == wanted) return *book;
    }
    // Without memory for a few bytes the program stops. NOLINTNEXTLINE(bugprone-unhandled-exception-at-new)
    auto* const fresh = new Book{.currency = wanted, .next = head};
    while (!books.compare_exchange_weak(fresh->next, fresh, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
        for (Book* book = fresh->next; book != nullptr; book = book->next) {
            if (book->currency == wanted) {  // Another thread was first.
                delete fresh;
                return *book;
            }
        }
    }
    return *fresh;
}

WarningSettings Party::warning_settings() const noexcept {
    const Warnings* const known = warnings.load(std::memory_order_acquire);
    return known == nullptr ? WarningSettings{} : known->settings();
}

void Party::set_warnings(const WarningSettings& settings) {
    if (Warnings* const known = warnings.load(std::memory_order_relaxed)) {
        known->set(settings);
    } else if (settings.any()) {
        auto* const fresh = new Warnings;
        fresh->set(settings);
        warnings.store(fresh, std::memory_order_release);
    }
}

}  // namespace tollgate::balance
