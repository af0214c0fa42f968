#include "daemon/mail/templates.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::mail {
namespace {

constexpr std::array<std::string_view, 2> kPlaceholders = {"party", "owed"};

std::string fault_of(std::string_view text) {
    const auto parsed = Template::parse(text, kPlaceholders);
    const auto* fault = std::get_if<std::string>(&parsed);
    return fault == nullptr ? "(none)" : *fault;
}

Written fill(std::string_view text, std::span<const Value> values) {
    const auto parsed = Template::parse(text, kPlaceholders);
    const auto* made = std::get_if<Template>(&parsed);
    if (made == nullptr) {
        ADD_FAILURE() << std::get<std::string>(parsed);
        return {};
    }
    return made->fill(values);
}

TEST(Template, PutsValuesInTheirPlaces) {
    const std::array<Value, 2> values{{{"party", "acme"}, {"owed", "900.01"}}};
    const Written written =
        fill("Subject: {{party}} owes {{ owed }}\n\nDear {{party}},\nyou owe {{owed}}{{owed}}.\n", values);
    EXPECT_EQ(written.subject, "acme owes 900.01");
    EXPECT_EQ(written.text, "Dear acme,\nyou owe 900.01900.01.\n");
}

TEST(Template, ReadsLinesOfAnyKind) {
    const Written written = fill("Subject:a\r\n\r\nb\r\n", {});
    EXPECT_EQ(written.subject, "a");
    EXPECT_EQ(written.text, "b\r\n");
}

TEST(Template, WithoutAValueThereIsNothing) {
    EXPECT_EQ(fill("Subject: a\n\n<{{owed}}>", {}).text, "<>");
}

// Goal: a value is a value: it adds no line, and what looks like a placeholder in it is none.
TEST(Template, ValuesStayValues) {
    const std::array<Value, 2> values{{{"party", "a\r\nYou owe nothing.\n"}, {"owed", "{{party}}"}}};
    const Written written = fill("Subject: {{party}}\n\n{{party}}/{{owed}}\n", values);
    EXPECT_EQ(written.subject, "a  You owe nothing. ");
    EXPECT_EQ(written.text, "a  You owe nothing. /{{party}}\n");
}

TEST(Template, FaultsAreToldWithTheirLines) {
    EXPECT_EQ(fault_of("Subject: a\n\nb"), "(none)");
    EXPECT_EQ(fault_of("Subject: a\n\n{ {a} } }} {party}"), "(none)");
    EXPECT_EQ(fault_of(""), "line 1: expected \"Subject: …\"");
    EXPECT_EQ(fault_of("Subject: \n\na"), "line 1: expected \"Subject: …\"");
    EXPECT_EQ(fault_of("Hello\n\na"), "line 1: expected \"Subject: …\"");
    EXPECT_EQ(fault_of("Subject: a\nb\n"), "line 2: expected an empty line between the subject and the text");
    EXPECT_EQ(fault_of("Subject: a\n\n"), "line 3: there is no text");
    EXPECT_EQ(fault_of("Subject: a\n\nb\n{{owes}}\n"),
              "line 4: {{owes}} is not known here; there are party, owed");
    EXPECT_EQ(fault_of("Subject: {{}}\n\nb"), "line 1: {{}} is not known here; there are party, owed");
    EXPECT_EQ(fault_of("Subject: a\n\n{{party}}\n{{owed"), "line 4: {{ has no }}");
    EXPECT_EQ(fault_of("Subject: a\n\n" + std::string(kTemplateBytesMax, 'a')),
              "it has more than 65536 bytes");
}

class Folder : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "tollgate-templates-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream{folder_ / name, std::ios::binary} << text;
    }
    [[nodiscard]] std::string complaint() const {
        try {
            const Templates templates{folder_.string()};
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "(none)";
    }

    std::filesystem::path folder_;
};

TEST(Templates, BuiltInOnesAreThere) {
    const Templates templates;
    for (const Templates::Kind& kind : Templates::kinds()) {
        std::vector<Value> values;
        for (const std::string_view placeholder : kind.placeholders)
            values.push_back({placeholder, "<" + std::string{placeholder} + ">"});
        const Written written = templates.fill(kind.name, "", values);
        EXPECT_FALSE(written.subject.empty()) << kind.name;
        EXPECT_EQ(written.text.find("{{"), std::string::npos) << kind.name;
        EXPECT_NE(written.text.find("<party>"), std::string::npos) << kind.name;
    }
}

TEST_F(Folder, ReplacesBuiltInOnes) {
    write("threshold.txt", "Subject: own\n\nown\n");
    write("threshold.de.txt", "Subject: eigene\n\neigene\n");
    write("notes.md", "not a template");
    const Templates templates{folder_.string()};
    EXPECT_EQ(templates.fill("threshold", "", {}).subject, "own");
    EXPECT_EQ(templates.fill("threshold", "fr", {}).subject, "own");
    EXPECT_EQ(templates.fill("threshold", "de", {}).subject, "eigene");
    EXPECT_EQ(templates.fill("threshold", "de-AT", {}).subject, "eigene");
    EXPECT_EQ(templates.fill("password_changed", "de", {}).subject, "The password of  was changed");
}

TEST_F(Folder, FaultsAreToldAllAtOnce) {
    EXPECT_EQ(complaint(), "(none)");
    write("password_changed.txt", "Subject: a\n\n{{owed}}\n");
    write("thresholds.txt", "Subject: a\n\nb\n");
    write("threshold.d e.txt", "Subject: a\n\nb\n");
    const std::string folder = folder_.string();
    EXPECT_EQ(complaint(),
              folder +
                  "/password_changed.txt: line 3: {{owed}} is not known here; there are party, name, "
                  "login, changed_by, time\n" +
                  folder +
                  "/threshold.d e.txt: no mail is called so; expected NAME.txt or NAME.LANGUAGE.txt "
                  "with one of threshold, password_changed\n" +
                  folder +
                  "/thresholds.txt: no mail is called so; expected NAME.txt or NAME.LANGUAGE.txt with "
                  "one of threshold, password_changed");
}

TEST(Templates, AFolderMustBeThere) {
    EXPECT_THROW(Templates{"/nowhere/at/all"}, std::runtime_error);
}

}  // namespace
}  // namespace tollgate::daemon::mail
