#include "daemon/images.h"

#include <utility>

namespace tollgate::daemon {
namespace {

constexpr std::uint32_t kListed = UINT32_MAX - 1;  // No place of a tariff: a list follows.

void write_texts(const std::vector<std::string>& texts, ByteWriter& out) {
    out.put(static_cast<std::uint32_t>(texts.size()));
    for (const std::string& text : texts)
        out.text(text);
}

std::vector<std::string> read_texts(ByteReader& in) {
    std::vector<std::string> texts;
    for (auto left = in.get<std::uint32_t>(); left > 0 && in.good(); --left)
        texts.emplace_back(in.text());
    return texts;
}

rating::Currency read_currency(ByteReader& in) {
    return rating::Currency::parse(in.short_text()).value_or(rating::Currency{});
}

void write_choice(balance::TariffChoice choice, const balance::TariffLists& lists, ByteWriter& out) {
    if (choice.none() || !choice.is_list()) {
        out.put(choice.none() ? rating::kNoTariff : choice.one());
        return;
    }
    out.put(kListed);
    const auto entries = lists.entries(choice);
    out.put(static_cast<std::uint32_t>(entries.size()));
    for (const auto& entry : entries) {
        out.short_text(entry.service);
        write_texts(entry.from_prefixes, out);
        out.put(entry.tariff);
    }
}

balance::TariffChoice read_choice(ByteReader& in, balance::TariffLists& lists) {
    const auto word = in.get<std::uint32_t>();
    if (word != kListed) return rating::TariffId{word};
    std::vector<balance::TariffEntry> entries;
    for (auto left = in.get<std::uint32_t>(); left > 0 && in.good(); --left) {
        balance::TariffEntry& entry = entries.emplace_back();
        entry.service = in.short_text();
        entry.from_prefixes = read_texts(in);
        in.get(entry.tariff);
    }
    return lists.intern(std::move(entries)).value_or(balance::TariffChoice{});
}

using Limit = balance::LimitChange;
/// Beside the fields that are there: there is a block of limits at all.
constexpr unsigned kHasLimits = 512;
static_assert(kHasLimits > Limit::kLossPolicy);

void write_limits(const balance::LimitSettings* limits, ByteWriter& out) {
    if (limits == nullptr) return out.put(std::uint16_t{0});
    unsigned bits = kHasLimits;
    const auto note = [&bits](bool there, unsigned bit) {
        if (there) bits |= bit;
    };
    note(limits->cap_call.has_value(), Limit::kCapCall);
    note(limits->cap_day.has_value(), Limit::kCapDay);
    note(limits->cap_month.has_value(), Limit::kCapMonth);
    note(limits->max_price.has_value(), Limit::kMaxPrice);
    note(limits->max_seconds.has_value(), Limit::kMaxSeconds);
    note(limits->calls_per_second.has_value(), Limit::kCallsPerSecond);
    note(limits->home_country.has_value(), Limit::kHomeCountry);
    note(limits->opened_countries.has_value(), Limit::kOpenedCountries);
    note(limits->refuse_loss, Limit::kLossPolicy);
    out.put(static_cast<std::uint16_t>(bits));
    for (const auto* const cap : {&limits->cap_call, &limits->cap_day, &limits->cap_month}) {
        if (*cap) out.put(**cap);
    }
    if (limits->max_price) out.put(limits->max_price->nanos());
    if (limits->max_seconds) out.put(*limits->max_seconds);
    if (limits->calls_per_second) out.put(*limits->calls_per_second);
    if (limits->home_country) out.put(limits->home_country->number());
    if (!limits->opened_countries) return;
    out.put(static_cast<std::uint32_t>(limits->opened_countries->size()));
    for (const balance::Country country : *limits->opened_countries)
        out.put(country.number());
}

std::shared_ptr<const balance::LimitSettings> read_limits(ByteReader& in) {
    const auto bits = in.get<std::uint16_t>();
    if ((bits & kHasLimits) == 0) return nullptr;
    auto limits = std::make_shared<balance::LimitSettings>();
    const auto cap = [&](unsigned bit, std::optional<rating::Money>& value) {
        if ((bits & bit) != 0) in.get(value.emplace());
    };
    cap(Limit::kCapCall, limits->cap_call);
    cap(Limit::kCapDay, limits->cap_day);
    cap(Limit::kCapMonth, limits->cap_month);
    if ((bits & Limit::kMaxPrice) != 0) limits->max_price = rating::Price::from_nanos(in.get<std::int64_t>());
    if ((bits & Limit::kMaxSeconds) != 0) limits->max_seconds = in.get<std::uint32_t>();
    if ((bits & Limit::kCallsPerSecond) != 0) limits->calls_per_second = in.get<std::uint32_t>();
    const auto country = [&in] { return balance::Country::from_number(in.get<std::uint16_t>()); };
    if ((bits & Limit::kHomeCountry) != 0) limits->home_country = country();
    if ((bits & Limit::kOpenedCountries) != 0) {
        auto& opened = limits->opened_countries.emplace();
        for (auto left = in.get<std::uint32_t>(); left > 0 && in.good(); --left)
            opened.push_back(country());
    }
    limits->refuse_loss = (bits & Limit::kLossPolicy) != 0;
    return limits;
}

}  // namespace

void write_settings(const rating::TariffSettings& settings, ByteWriter& out) {
    out.short_text(settings.currency.view());
    out.put(settings.decimals);
    out.put(settings.rounding);
    out.put(settings.anchor);
    out.put(settings.markup);
    out.text(settings.time_zone);
    out.text(settings.owner);
    out.put(static_cast<std::uint32_t>(settings.windows.size()));
    for (const auto& window : settings.windows) {
        out.text(window.name);
        out.put(static_cast<std::uint32_t>(window.ranges.size()));
        for (const auto& range : window.ranges) {
            out.put(range.days);
            out.put(range.months);
            out.put(range.month_days);
            out.put(range.from);
            out.put(range.until);
        }
    }
}

rating::TariffSettings read_settings(ByteReader& in, const TimeZones& zones) {
    rating::TariffSettings settings;
    settings.currency = read_currency(in);
    in.get(settings.decimals);
    in.get(settings.rounding);
    in.get(settings.anchor);
    in.get(settings.markup);
    settings.time_zone = in.text();
    settings.zone = zones.find(settings.time_zone);
    settings.owner = in.text();
    for (auto windows = in.get<std::uint32_t>(); windows > 0 && in.good(); --windows) {
        auto& window = settings.windows.emplace_back();
        window.name = in.text();
        for (auto ranges = in.get<std::uint32_t>(); ranges > 0 && in.good(); --ranges) {
            auto& range = window.ranges.emplace_back();
            in.get(range.days);
            in.get(range.months);
            in.get(range.month_days);
            in.get(range.from);
            in.get(range.until);
        }
    }
    return settings;
}

void write_file(const rating::DeckFile& file, ByteWriter& out) {
    out.put(file.checksum);
    out.text(file.name);
}
rating::DeckFile read_file(ByteReader& in) {
    rating::DeckFile file;
    in.get(file.checksum);
    file.name = in.text();
    return file;
}

void write_origin(const rating::Origin& origin, ByteWriter& out) {
    out.text(origin.who);
    out.put(origin.when);
}
rating::Origin read_origin(ByteReader& in) {
    rating::Origin origin;
    origin.who = in.text();
    in.get(origin.when);
    return origin;
}

void write_plan(const DialPlan& plan, ByteWriter& out) {
    out.put(static_cast<std::uint32_t>(plan.rules().size()));
    for (const DialRule& rule : plan.rules()) {
        out.text(rule.match);
        out.put(rule.strip);
        out.text(rule.prepend);
    }
}
DialPlan read_plan(ByteReader& in) {
    std::vector<DialRule> rules;
    for (auto left = in.get<std::uint32_t>(); left > 0 && in.good(); --left) {
        DialRule& rule = rules.emplace_back();
        rule.match = in.text();
        in.get(rule.strip);
        rule.prepend = in.text();
    }
    return DialPlan{std::move(rules)};
}

void write_group(const DestinationGroup& group, ByteWriter& out) {
    write_texts(group.prefixes(), out);
    write_texts(group.countries(), out);
}
DestinationGroup read_group(ByteReader& in) {
    auto prefixes = read_texts(in);
    return {std::move(prefixes), read_texts(in)};
}

void write_party(const balance::PartySource& party, const balance::TariffLists& lists, const DialPlans& plans,
                 ByteWriter& out) {
    out.short_text(party.id);
    out.put(party.parent);
    out.put(party.kind);
    out.put(party.terms);
    out.put(party.billing);
    out.put(party.status.bits());
    out.short_text(party.currency.view());
    out.short_text(party.time_zone);
    out.put(party.credit_limit);
    out.put(party.min_available);
    write_choice(party.tariff, lists, out);
    out.put(party.max_calls);
    out.short_text(party.dial_plan == balance::kNoDialPlan ? std::string{} : plans.name_of(party.dial_plan));
    out.put(party.warnings.percent_hundredths);
    out.put(party.warnings.owed);
    out.put(party.warnings.balance.has_value());
    out.put(party.warnings.balance.value_or(rating::Money{}));
    write_limits(party.limits.get(), out);
}

balance::PartySource read_party(ByteReader& in, balance::TariffLists& lists, DialPlans& plans) {
    balance::PartySource party;
    party.id = in.short_text();
    in.get(party.parent);
    in.get(party.kind);
    in.get(party.terms);
    in.get(party.billing);
    party.status = balance::Status{in.get<std::uint8_t>()};
    party.currency = read_currency(in);
    party.time_zone = in.short_text();
    in.get(party.credit_limit);
    in.get(party.min_available);
    party.tariff = read_choice(in, lists);
    in.get(party.max_calls);
    const std::string_view plan = in.short_text();
    if (!plan.empty()) party.dial_plan = plans.reserve(plan).value_or(balance::kNoDialPlan);
    in.get(party.warnings.percent_hundredths);
    in.get(party.warnings.owed);
    const bool has_balance = in.flag();
    rating::Money least;
    in.get(least);
    if (has_balance) party.warnings.balance = least;
    party.limits = read_limits(in);
    return party;
}

}  // namespace tollgate::daemon
