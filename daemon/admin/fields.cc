#include "daemon/admin/fields.h"

namespace tollgate::daemon::admin {

std::vector<std::string> read_texts(const JsonValue& value, std::size_t most,
                                    bool (*is_one)(std::string_view) noexcept, std::string_view expected,
                                    FieldFaults& faults) {
    std::vector<std::string> texts;
    if (value.kind != JsonValue::Kind::list) {
        faults.add(value.name, shown(value) + ": expected a list of " + std::string{expected});
        return texts;
    }
    for (const JsonValue& text : value.children()) {
        if (text.kind != JsonValue::Kind::string || !is_one(text.text)) {
            faults.add(value.name, shown(text) + ": expected " + std::string{expected});
            return texts;
        }
        texts.emplace_back(text.text);
    }
    if (texts.size() > most) {
        faults.add(value.name,
                   std::to_string(texts.size()) + " of them; expected at most " + std::to_string(most));
    }
    return texts;
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
    json.name(name).open_list();
    for (const auto& text : texts)
        json.text(text);
    json.close_list();
}

}  // namespace tollgate::daemon::admin
