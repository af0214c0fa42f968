#include "daemon/ctl/exchange.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <ostream>
#include <random>
#include <thread>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace tollgate::daemon::ctl {
namespace {

namespace json = boost::json;

/// How often a movement of money is tried where nobody answers.
constexpr int kAttempts = 3;
constexpr std::chrono::seconds kPause{1};
/// So many rows a request where all are wanted.
constexpr std::string_view kPageRows = "1000";
/// A row of a list shows so many faults; a deck may have thousands.
constexpr std::size_t kFaultsShown = 100;

json::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

std::string fresh_key() {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::random_device device;
    std::string key = "ctl-";
    for (int i = 0; i < 4; ++i) {
        std::uint32_t bits = device();
        for (int j = 0; j < 8; ++j, bits >>= 4U)
            key += kHex[bits & 0xfU];
    }
    return key;
}

void print_faults(Call& call, const json::object& problem) {
    const json::value* const errors = problem.if_contains("errors");
    if (errors == nullptr || !errors->is_array()) return;
    std::size_t shown = 0;
    for (const json::value& error : errors->get_array()) {
        if (!error.is_object() || shown++ == kFaultsShown) break;
        std::string line = " ";
        const json::object& fault = error.get_object();
        if (fault.contains("line")) line += " line " + text_of(fault, "line") + ',';
        for (const std::string_view place : {"field", "column"}) {
            if (fault.contains(view(place))) line += ' ' + text_of(fault, place) + ':';
        }
        call.errors << printable(line + ' ' + text_of(fault, "message")) << '\n';
    }
    const json::value* const count = problem.if_contains("error_count");
    const std::size_t all = count != nullptr && count->is_int64()
                                ? static_cast<std::size_t>(count->get_int64())
                                : errors->get_array().size();
    if (all > std::min(kFaultsShown, errors->get_array().size())) call.errors << "  … " << all << " in all\n";
}

void add_row(Table& table, const json::value& row, std::span<const Shown> columns) {
    std::vector<std::string> cells;
    for (const Shown& column : columns)
        cells.push_back(row.is_object() ? text_of(row.get_object(), column.field) : std::string{"-"});
    table.add(cells);
}

Table table_of(std::span<const Shown> columns) {
    std::vector<Table::Column> made;
    for (const Shown& column : columns)
        made.push_back({std::string{column.title}, column.is_figure});
    return Table{std::move(made)};
}

const json::array* rows_of(const json::value& page, std::string_view rows) {
    const json::value* const found = page.is_object() ? page.get_object().if_contains(view(rows)) : nullptr;
    return found != nullptr && found->is_array() ? &found->get_array() : nullptr;
}

}  // namespace

std::string text_of(const json::value& value) {
    if (value.is_null()) return "-";
    if (value.is_string()) return {value.get_string().data(), value.get_string().size()};
    if (value.is_array()) {
        std::string list;
        for (const json::value& entry : value.get_array())
            list += (list.empty() ? "" : ",") + text_of(entry);
        return list.empty() ? "-" : list;
    }
    return json::serialize(value);
}

std::string text_of(const json::object& object, std::string_view field) {
    const json::value* const value = object.if_contains(view(field));
    return value == nullptr ? "-" : text_of(*value);
}

int wrong_usage(Call& call, const std::string& what) {
    call.errors << "tollgatectl: " << printable(what) << '\n';
    return kExitUsage;
}

json::value json_of(const Answer& answer) {
    json::error_code error;
    json::value value = json::parse(view(answer.body), error);
    return error ? json::value{} : value;
}

int refused(Call& call, const Answer& answer) {
    if (answer.status == 0) {
        call.errors << "tollgatectl: " << printable(call.url) << ": " << printable(answer.error) << '\n';
        return kExitUnreachable;
    }
    const json::value said = json_of(answer);
    if (said.is_object() && said.get_object().contains("title")) {
        const json::object& problem = said.get_object();
        call.errors << "tollgatectl: " << answer.status << ' ' << printable(text_of(problem, "title")) << ": "
                    << printable(text_of(problem, "detail")) << '\n';
        print_faults(call, problem);
    } else {
        call.errors << "tollgatectl: " << answer.status << ' ' << printable(answer.body.substr(0, 1000))
                    << '\n';
    }
    if (answer.status == 401) call.errors << "  log in:  tollgatectl login LOGIN\n";
    return kExitRefused;
}

Answer ask(Call& call, const std::string& method, const std::string& target, const json::value& value,
           const Headers& headers) {
    Headers all = headers;
    if (!value.is_null()) all.emplace_back("Content-Type", "application/json");
    return call.client.send(method, target, value.is_null() ? std::string{} : json::serialize(value), all);
}

int show(Call& call, const Answer& answer) {
    if (!answer.good()) return refused(call, answer);
    const json::value said = json_of(answer);
    if (call.json) {
        if (!answer.body.empty()) call.out << answer.body << (answer.body.ends_with('\n') ? "" : "\n");
        return kExitDone;
    }
    if (!said.is_object()) {
        print_lines(call.out, answer.body.empty() ? "done" : answer.body);
        return kExitDone;
    }
    std::size_t width = 0;
    for (const auto& field : said.get_object())
        width = std::max(width, field.key().size());
    for (const auto& field : said.get_object()) {
        const std::string name{field.key().data(), field.key().size()};
        call.out << printable(name) << std::string(width + 2 - name.size(), ' ')
                 << printable(text_of(field.value())) << '\n';
    }
    return kExitDone;
}

int show_rows(Call& call, const Answer& answer, std::string_view rows, std::span<const Shown> columns) {
    if (!answer.good()) return refused(call, answer);
    if (call.json) return show(call, answer);
    const json::value page = json_of(answer);
    Table table = table_of(columns);
    if (const json::array* const found = rows_of(page, rows)) {
        for (const json::value& row : *found)
            add_row(table, row, columns);
    }
    table.print(call.out);
    return kExitDone;
}

int show_list(Call& call, const std::string& path,
              std::vector<std::pair<std::string, std::string>> parameters, std::string_view rows,
              std::span<const Shown> columns) {
    const bool is_all = call.has("all");
    std::string cursor = call.option("cursor");
    Table table = table_of(columns);
    json::array all;
    parameters.emplace_back("limit", is_all ? std::string{kPageRows} : call.option("limit"));
    parameters.emplace_back("cursor", "");
    for (;;) {
        parameters.back().second = cursor;
        const Answer answer = call.client.send("GET", path + query_of(parameters));
        if (!answer.good()) return refused(call, answer);
        if (call.json && !is_all) return show(call, answer);
        const json::value page = json_of(answer);
        if (const json::array* const found = rows_of(page, rows)) {
            for (const json::value& row : *found) {
                if (call.json) {
                    all.push_back(row);
                } else {
                    add_row(table, row, columns);
                }
            }
        }
        const json::value* const next = page.is_object() ? page.get_object().if_contains("next") : nullptr;
        cursor = next != nullptr && next->is_string() ? text_of(*next) : std::string{};
        if (!is_all || cursor.empty()) break;
    }
    if (call.json) {
        json::object whole;
        whole[view(rows)] = std::move(all);
        whole["next"] = nullptr;
        call.out << json::serialize(whole) << '\n';
        return kExitDone;
    }
    table.print(call.out);
    if (!cursor.empty()) call.errors << "there are more: --all, or --cursor " << printable(cursor) << '\n';
    return kExitDone;
}

int move_money(Call& call, const std::string& target, const json::object& body) {
    const std::string key = call.option("key").empty() ? fresh_key() : call.option("key");
    Answer answer;
    for (int attempt = 1; attempt <= kAttempts; ++attempt) {
        if (attempt > 1) std::this_thread::sleep_for(kPause);
        answer = ask(call, "POST", target, body, {{"Idempotency-Key", key}});
        // Busy is as good as no answer: nothing was done, or what was done is answered again.
        if (answer.status != 0 && answer.status != 503) break;
    }
    const int code = show(call, answer);
    if (answer.status == 0 || answer.status >= 500)
        call.errors << "  whether it was done is not known; to be sure, do it again with --key " << key
                    << '\n';
    return code;
}

int send_file(Call& call, const std::string& method, const std::string& target, const std::string& file,
              const std::string& content_type, int (*show_answer)(Call&, const Answer&)) {
    using Clock = std::chrono::steady_clock;
    ProgressBar bar{call.errors, std::filesystem::path{file}.filename().string()};
    const auto tell = [&](std::uint64_t sent, std::uint64_t size) {
        if (call.show_progress) bar.show(sent, size, Clock::now());
    };
    Headers headers{{"Content-Type", content_type}};
    if (file.ends_with(".gz")) headers.emplace_back("Content-Encoding", "gzip");
    const Answer answer = call.client.upload(method, target, file, headers, tell);
    bar.finish();
    return show_answer(call, answer);
}

}  // namespace tollgate::daemon::ctl
