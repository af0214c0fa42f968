#include "daemon/admin/etag.h"

#include <gtest/gtest.h>

namespace tollgate::daemon::admin {
namespace {

unsigned status(std::string if_match, std::string_view etag) {
    Request request;
    request.if_match = std::move(if_match);
    const auto refusal = refusal_of(request, etag);
    return refusal ? refusal->status : 200;
}

TEST(ETag, IsTheSameForTheSameBytes) {
    EXPECT_EQ(etag_of("a"), etag_of("a"));
    EXPECT_NE(etag_of("a"), etag_of("b"));
    EXPECT_EQ(etag_of("").size(), 18U);
    EXPECT_EQ(etag_of("").front(), '"');
    EXPECT_EQ(etag_of("").back(), '"');
}

TEST(ETag, OneOfTheTagsOfIfMatchIsEnough) {
    EXPECT_EQ(status("", "\"1\""), 200U);
    EXPECT_EQ(status("*", "\"1\""), 200U);
    EXPECT_EQ(status("\"1\"", "\"1\""), 200U);
    EXPECT_EQ(status("\"2\", \"1\" ,\"3\"", "\"1\""), 200U);
    EXPECT_EQ(status("\"2\"", "\"1\""), 412U);
    EXPECT_EQ(status("W/\"1\"", "\"1\""), 412U);
    EXPECT_EQ(status("1", "\"1\""), 412U);
    EXPECT_EQ(status(",", "\"1\""), 412U);
}

}  // namespace
}  // namespace tollgate::daemon::admin
