#include "daemon/admin/record_json.h"

#include <gtest/gtest.h>

#include "daemon/partners/profile.h"

namespace tollgate::daemon::admin {
namespace {

std::vector<RequestFault> read(const char* text, Profile& profile, RecordUse use = RecordUse::make) {
    JsonReader reader;
    const JsonValue* const object = reader.read(text);
    EXPECT_NE(object, nullptr) << reader.error();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    if (object != nullptr) read_record(*object, profile, use, faults);
    return all;
}

TEST(RecordJson, TakesWhatTheTableSays) {
    Profile profile;
    EXPECT_TRUE(read(R"({"name":"Ann","email":"ann@example.org","sales_commission":"12.5","grace_days":7,
                         "permissions":["view"],"invoices_by_email":false,"mint_limit":5})",
                     profile)
                    .empty());
    EXPECT_EQ(profile.name, "Ann");
    EXPECT_EQ(profile.sales_commission, rating::Percent::from_millionths(125'000));
    EXPECT_EQ(profile.grace_days, 7);
    EXPECT_EQ(profile.invoices_by_email, false);
    EXPECT_EQ(profile.mint_limit, rating::Money::from_micros(5'000'000));
}

TEST(RecordJson, NamesEveryFault) {
    Profile profile;
    const auto faults = read(R"({"email":"ann","sales_commission":101,"grace_days":-1,"permissions":"all",
                                 "nonsense":1,"name":"a","name":"b","distributor":"d","language":7})",
                             profile);
    std::string fields;
    for (const auto& fault : faults)
        fields += fault.place + " ";
    EXPECT_EQ(fields, "email sales_commission grace_days permissions nonsense name distributor language ");
    EXPECT_EQ(faults[0].message, "\"ann\": expected an address such as ann@example.org");
}

TEST(RecordJson, APatchChangesWhatIsNamedAndTakesAwayWhatIsNull) {
    Profile profile;
    profile.name = "Ann";
    profile.email = "ann@example.org";
    profile.grace_days = 7;
    EXPECT_TRUE(read(R"({"name":"Anne","grace_days":null})", profile, RecordUse::change).empty());
    EXPECT_EQ(profile.name, "Anne");
    EXPECT_EQ(profile.grace_days, std::nullopt);
    EXPECT_EQ(profile.email, "ann@example.org");
    EXPECT_EQ(read(R"({"came_with":"x"})", profile, RecordUse::change).size(), 1U);
}

TEST(RecordJson, ShowsWhatItTakes) {
    CustomerClass one;
    one.id = "gold";
    one.grace_days = 0;
    JsonWriter json;
    json.open_object();
    write_fields(json, one);
    json.close_object();
    EXPECT_EQ(
        json.take(),
        R"({"id":"gold","name":null,"billing_period":null,"payment_collection":null,"grace_days":0,)"
        R"("invoice_template":null,"statistics":null,"invoices_by_email":null,"language":null,"owner":null})"
        "\n");
}

}  // namespace
}  // namespace tollgate::daemon::admin
