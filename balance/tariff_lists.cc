#include "balance/tariff_lists.h"

#include <algorithm>
#include <utility>

namespace tollgate::balance {
namespace {

/// The same text for the same entries only: no service and no prefix has a blank or a line end in it.
std::string content_of(const std::vector<TariffEntry>& entries) {
    std::string content;
    for (const auto& entry : entries) {
        content += entry.service;
        for (const auto& prefix : entry.from_prefixes)
            content += ' ' + prefix;
        content += '=' + std::to_string(static_cast<std::uint32_t>(entry.tariff)) + '\n';
    }
    return content;
}

}  // namespace

bool is_service(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kServiceBytesMax &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
           });
}

std::string_view CallTraits::caller_of(std::string_view from) noexcept {
    if (from.starts_with('+')) from.remove_prefix(1);
    const bool digits = std::all_of(from.begin(), from.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits ? from : std::string_view{};
}

TariffLists::~TariffLists() {
    for (auto& chunk : chunks_)
        delete chunk.load();
}

std::optional<TariffChoice> TariffLists::intern(std::vector<TariffEntry> entries) {
    if (entries.empty()) return TariffChoice{};
    if (entries.size() == 1 && entries[0].service == kVoice && entries[0].from_prefixes.empty()) {
        return TariffChoice{entries[0].tariff};
    }
    std::string content = content_of(entries);
    if (const auto found = indexes_.find(content); found != indexes_.end()) {
        return TariffChoice::list(found->second);
    }
    if (indexes_.size() == kTariffListsMax) return std::nullopt;
    List list;
    list.reserve(entries.size());
    for (auto& entry : entries) {
        PrefixSet callers{entry.from_prefixes};
        list.push_back({std::move(entry), std::move(callers)});
    }
    const auto index = static_cast<std::uint32_t>(indexes_.size());
    auto& chunk = chunks_[index / kChunkLists];
    if (index % kChunkLists == 0) {
        chunk.store(std::make_unique<Chunk>().release(), std::memory_order_release);
    }
    (*chunk.load(std::memory_order_relaxed))[index % kChunkLists] =
        std::make_unique<const List>(std::move(list));
    indexes_.emplace(std::move(content), index);
    return TariffChoice::list(index);
}

rating::TariffId TariffLists::match(TariffChoice choice, const CallTraits& call) const noexcept {
    if (!choice.is_list()) return call.service == kVoice ? choice.one() : rating::kNoTariff;
    for (const Matcher& matcher : get(choice.list_index())) {
        if (matcher.entry.service != call.service) continue;
        if (!matcher.entry.from_prefixes.empty() && matcher.callers.find(call.caller).empty()) continue;
        return matcher.entry.tariff;
    }
    return rating::kNoTariff;
}

std::vector<TariffEntry> TariffLists::entries(TariffChoice choice) const {
    std::vector<TariffEntry> entries;
    if (choice.is_list()) {
        for (const Matcher& matcher : get(choice.list_index()))
            entries.push_back(matcher.entry);
    } else if (!choice.none()) {
        entries.push_back({.service = std::string{kVoice}, .from_prefixes = {}, .tariff = choice.one()});
    }
    return entries;
}

bool TariffLists::names(TariffChoice choice, rating::TariffId tariff) const noexcept {
    if (!choice.is_list()) return !choice.none() && choice.one() == tariff;
    const List& list = get(choice.list_index());
    return std::any_of(list.begin(), list.end(),
                       [tariff](const Matcher& matcher) { return matcher.entry.tariff == tariff; });
}

}  // namespace tollgate::balance
