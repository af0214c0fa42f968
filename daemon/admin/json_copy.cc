#include "daemon/admin/json_copy.h"

namespace tollgate::daemon::admin {

void write_value(JsonWriter& json, const JsonValue& value) {
    switch (value.kind) {
        case JsonValue::Kind::null:
            json.null();
            return;
        case JsonValue::Kind::boolean:
            json.flag(value.text == "true");
            return;
        case JsonValue::Kind::number:
            json.number(value.text);
            return;
        case JsonValue::Kind::string:
            json.text(value.text);
            return;
        case JsonValue::Kind::list:
            json.open_list();
            for (const JsonValue& element : value.children())
                write_value(json, element);
            json.close_list();
            return;
        case JsonValue::Kind::object:
            json.open_object();
            for (const JsonValue& field : value.children()) {
                json.name(field.name);
                write_value(json, field);
            }
            json.close_object();
            return;
    }
}

}  // namespace tollgate::daemon::admin
