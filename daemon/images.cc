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
    return party;
}

}  // namespace tollgate::daemon
