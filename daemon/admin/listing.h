/// Lists: pages of rows as JSON, or all that was searched as CSV (daemon/admin/csv.h).
///
///     auto listing = Listing::read(request, {"state", "country"});
///     if (listing.refusal) return *std::move(listing.refusal);
///     if (listing.filter("state") == "spare") …
///     return book_page(registry.numbers, listing, "numbers", is_wanted, write_row);
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/admin/csv.h"
#include "daemon/admin/json.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/router.h"
#include "daemon/partners/record_book.h"

namespace tollgate::daemon::admin {

inline constexpr std::size_t kRowsDefault = 100;
inline constexpr std::size_t kRowsMax = 1'000;
/// Of one CSV: what has more is read page by page.
inline constexpr std::size_t kCsvRowsMax = 1'000'000;
/// So many records of a book are looked at for a page: where few belong to it, it is short, and there is a
/// next one.
inline constexpr std::size_t kBookLooksMax = 20'000;

/// What a request says of the list that it wants.
struct Listing {
    /// `filters` are the names of what else may stand in the query.
    [[nodiscard]] static Listing read(const Request& request,
                                      std::initializer_list<std::string_view> filters);

    /// 400: a name that the list does not know; 422: one that stands there twice, or no such limit.
    std::optional<Response> refusal;
    std::size_t limit = kRowsDefault;
    std::string cursor;  ///< Empty: from the beginning.
    bool csv = false;    ///< All of it as CSV; a limit, where one was named, holds all the same.
    bool limited = false;

    /// Empty where the request does not name it.
    [[nodiscard]] std::string_view filter(std::string_view name) const noexcept;

    std::vector<std::pair<std::string, std::string>> filters;
};

/// 422 for a cursor that no page of the list ended with.
[[nodiscard]] Response wrong_cursor(std::string_view cursor);
/// 422 that names one field of the query.
[[nodiscard]] Response wrong_filter(std::string_view name, std::string message);

/// `{"NAME":[…],"next":…}` around rows.
class PageWriter {
  public:
    explicit PageWriter(std::string_view name) { json_.open_object().name(name).open_list(); }
    /// Where the next row goes.
    [[nodiscard]] JsonWriter& row() noexcept { return json_; }
    /// `next`: the cursor; empty where this is the last page.
    [[nodiscard]] Response done(std::string_view next) {
        json_.close_list().name("next").text_or_null(next).close_object();
        return json_response(200, json_.take());
    }

  private:
    JsonWriter json_;
};

[[nodiscard]] Response csv_response(CsvWriter& csv);

/// A page of a book, in the order of ids, of which the last looked at is the cursor: the records of which
/// `belongs(record)` says so, each as `write(json, record)` has it.
template <typename T, typename Belongs, typename Write>
[[nodiscard]] Response book_page(const RecordBook<T>& book, const Listing& listing, std::string_view name,
                                 const Belongs& belongs, const Write& write) {
    PageWriter page{name};
    std::string last;
    std::size_t looks = 0;
    std::size_t rows = 0;
    bool more = false;
    book.visit(listing.cursor, [&](const T& record) {
        if (rows == listing.limit || looks == kBookLooksMax) {
            more = true;
            return false;
        }
        ++looks;
        last = record.id;
        if (!belongs(record)) return true;
        ++rows;
        write(page.row(), record);
        return true;
    });
    return page.done(more ? std::string_view{last} : std::string_view{});
}

}  // namespace tollgate::daemon::admin
