#include <stdexcept>

#include <gtest/gtest.h>

#include "daemon/flush/postgres_connection.h"
#include "daemon/flush/webhook_sink.h"

namespace tollgate::daemon::flush {
namespace {

constexpr const char* kKey = "postgres.url";

/// What is said of it; empty: it is good.
template <typename Check>
std::string said_of(const Check& check) {
    try {
        check();
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return {};
}
std::string said_of_postgres(const std::string& url) {
    return said_of([&url] { check_postgres_url(kKey, url); });
}
std::string said_of_webhook(const std::string& url) {
    return said_of([&url] { check_webhook_url(url); });
}

void expect_no_secret(const std::string& said) {
    for (const char* const part : {"hun", "ter", "2"})
        EXPECT_EQ(said.substr(0, said.find(';')).find(part), std::string::npos) << said;
}

TEST(PostgresUrl, IsWhatLibpqTakes) {
    for (const char* const url :
         {"postgresql://ann@db/x", "postgres://ann:hunter2@db:5432/x?sslmode=prefer",
          "postgresql:///x?host=/run/pg", "postgresql://ann:hun%2Fter%402@db,other:5433/x",
          "postgresql://[::1]:5432/x", "host=db dbname=x user=ann", "host=db password='hun ter@2'",
          "host=db password='hun://t/er@2'", "dbname=x", "x", "service=billing", "postgresql://ann:a?b@db/x"})
        EXPECT_EQ(said_of_postgres(url), "") << url;
}

// Goal: what libpq would take for something else than it is meant is refused, and no part of a password
// shown.
TEST(PostgresUrl, IsRefusedWithoutItsPassword) {
    for (const char* const url :
         {"postgresql://ann:hun/ter2@db:5433/x", "postgresql://ann:hun@ter2@db/x",
          "postgresql://ann:hun?ter/2@b@db/x", "postgresql:/ann:hunter2@db/x",
          "postgresql://ann:hunter2@db:port/x", "postgresql://ann:hunter2@db:0/x", "mysql://ann:hunter2@db/x",
          "postgresql://ann:hunter2@db/x?color=hunter2", "host=db password=hun ter2",
          "host=db port=x password=hunter2", "host=ann:hunter2@db",
          "host=db dbname=postgresql://ann:hunter2@db/x", "ann:hunter2@db/x",
          "postgresql://ann:hunter2@[db/x", "/run/pg", "postgresql://ann:hunter2"}) {
        const std::string said = said_of_postgres(url);
        EXPECT_EQ(said.find("postgres.url: \""), 0U) << url << ": " << said;
        EXPECT_NE(said.find("; expected postgresql://"), std::string::npos) << said;
        expect_no_secret(said);
    }
}

TEST(WebhookUrl, IsHttp) {
    for (const char* const url : {"http://127.0.0.1:8080/hook", "https://hooks.example.com/a/@b?c=d",
                                  "https://ann:hunter2@hooks/x", "http://[::1]/"})
        EXPECT_EQ(said_of_webhook(url), "") << url;
}

TEST(WebhookUrl, IsRefusedWithoutItsPassword) {
    for (const char* const url :
         {"ftp://ann:hunter2@hooks/", "hooks.example.com", "https://", "https://ann:hun/ter2@hooks/x",
          "http://ann:hunter2@hooks:port/", "http://ann:hunter2@hooks:70000/", "http://ann:hun ter2@hooks/",
          "hooks.example.com/services/hunter2", "https://hooks:99999/services/hunter2", "ftp://hooks/hunter2",
          "/hunter2"}) {
        const std::string said = said_of_webhook(url);
        EXPECT_EQ(said.find("webhook.url: \""), 0U) << url << ": " << said;
        EXPECT_NE(said.find("; expected http://"), std::string::npos) << said;
        expect_no_secret(said);
    }
}

}  // namespace
}  // namespace tollgate::daemon::flush
