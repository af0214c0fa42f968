#include "daemon/admin/listing.h"

#include <gtest/gtest.h>

#include "daemon/partners/people.h"

namespace tollgate::daemon::admin {
namespace {

Listing listing_of(std::string_view query, std::string accept = {}) {
    Request request;
    EXPECT_TRUE(request.set_target("/v1/x?" + std::string{query}));
    request.accept = std::move(accept);
    return Listing::read(request, {"state", "q"});
}

TEST(Listing, SaysWhatIsWanted) {
    const Listing plain = listing_of("");
    EXPECT_FALSE(plain.refusal);
    EXPECT_EQ(plain.limit, kRowsDefault);
    EXPECT_EQ(plain.cursor, "");
    EXPECT_FALSE(plain.csv);
    const Listing full = listing_of("limit=7&cursor=x.1&state=spare", "text/csv");
    EXPECT_FALSE(full.refusal);
    EXPECT_EQ(full.limit, 7U);
    EXPECT_EQ(full.cursor, "x.1");
    EXPECT_EQ(full.filter("state"), "spare");
    EXPECT_EQ(full.filter("q"), "");
    EXPECT_TRUE(full.csv);
}

// A filter that was misspelt would show everything.
TEST(Listing, RefusesWhatItDoesNotKnow) {
    for (const char* query : {"limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1&limit=2",
                              "cursor=a&cursor=b", "state=a&state=b"}) {
        const Listing listing = listing_of(query);
        ASSERT_TRUE(listing.refusal) << query;
        EXPECT_EQ(listing.refusal->status, 422U) << query;
    }
    for (const char* query : {"stat=spare", "State=a", "=1"}) {
        const Listing listing = listing_of(query);
        ASSERT_TRUE(listing.refusal) << query;
        EXPECT_EQ(listing.refusal->status, 400U) << query;
    }
}

TEST(BookPage, GoesOnBehindTheLastRecord) {
    RecordBook<Token> book;
    balance::JointEvent joint;
    balance::EventRelay log;
    for (const char* id : {"a", "b", "c", "d"}) {
        Token token;
        token.id = id;
        book.put(joint, token, {});
    }
    joint.write(log, {});
    const auto page = [&book](std::string cursor, std::size_t limit) {
        Listing listing;
        listing.cursor = std::move(cursor);
        listing.limit = limit;
        return book_page(
                   book, listing, "tokens", [](const Token& token) { return token.id != "b"; },
                   [](JsonWriter& json, const Token& token) { json.text(token.id); })
            .body;
    };
    EXPECT_EQ(page("", 2), "{\"tokens\":[\"a\",\"c\"],\"next\":\"c\"}\n");
    EXPECT_EQ(page("c", 2), "{\"tokens\":[\"d\"],\"next\":null}\n");
    EXPECT_EQ(page("", 3), "{\"tokens\":[\"a\",\"c\",\"d\"],\"next\":null}\n");
    EXPECT_EQ(page("d", 2), "{\"tokens\":[],\"next\":null}\n");
}

}  // namespace
}  // namespace tollgate::daemon::admin
