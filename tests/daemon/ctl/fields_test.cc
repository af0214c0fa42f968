#include "daemon/ctl/fields.h"

#include <string>
#include <vector>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace tollgate::daemon::ctl {
namespace {

std::string read(const std::vector<std::string>& words) {
    const FieldWords fields = read_fields(words);
    return fields.fault.empty() ? boost::json::serialize(fields.object) : fields.fault;
}

TEST(ReadFields, GivesEachFieldItsKind) {
    EXPECT_EQ(read({}), "{}");
    EXPECT_EQ(read({"name=A=B c", "credit_limit=12.50"}), R"({"name":"A=B c","credit_limit":"12.50"})");
    EXPECT_EQ(read({"max_calls=30", "disabled=true"}), R"({"max_calls":30,"disabled":true})");
    EXPECT_EQ(read({"opened_countries=GB,FR,", "permissions=view"}),
              R"({"opened_countries":["GB","FR"],"permissions":["view"]})");
    EXPECT_EQ(read({"name=007"}), R"({"name":"007"})");
}

TEST(ReadFields, AnEmptyOneTakesAway) {
    EXPECT_EQ(read({"class=", "max_calls=", "opened_countries="}),
              R"({"class":null,"max_calls":null,"opened_countries":null})");
}

TEST(ReadFields, TakesJsonAsItStands) {
    EXPECT_EQ(read({"windows:=[{\"name\":\"a\"}]", "name:=null", "opened_countries:=[]"}),
              R"({"windows":[{"name":"a"}],"name":null,"opened_countries":[]})");
}

TEST(ReadFields, SaysWhatIsWrong) {
    EXPECT_EQ(read({"name"}), "\"name\" is not FIELD=VALUE");
    EXPECT_EQ(read({"=x"}), "\"=x\" is not FIELD=VALUE");
    EXPECT_EQ(read({"max_calls=many"}), "max_calls: \"many\" is not a whole number");
    EXPECT_EQ(read({"max_calls=1.5"}), "max_calls: \"1.5\" is not a whole number");
    EXPECT_EQ(read({"disabled=yes"}), "disabled: \"yes\" is not true or false");
    EXPECT_NE(read({"a:=[1"}).find("a: \"[1\" is not JSON"), std::string::npos);
}

}  // namespace
}  // namespace tollgate::daemon::ctl
