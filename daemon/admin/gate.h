/// Who may come in, and to what: the one place where an operation is refused to somebody.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/access/directory.h"
#include "daemon/admin/json.h"
#include "daemon/admin/operations.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. Every request is asked about twice: when its headers are there, so that
/// nobody's body is read for nothing, and again before it is carried out, so that what was taken away
/// meanwhile counts.
///
/// docs/access.md has the rules. Two things hold whatever the operation: what lies outside somebody's room is
/// answered exactly as what does not exist; and what a request names in its body is looked at as what it
/// names in its path is.
class Gate final : public Door {
  public:
    Gate(Services services, std::shared_ptr<const access::Directory> directory)
        : services_(std::move(services)), directory_(std::move(directory)) {}

    [[nodiscard]] bool is_for_this_machine() const override { return directory_->is_empty(); }
    [[nodiscard]] std::optional<Response> admit(Request& request, const ContractOperation& operation,
                                                std::string_view id, Stage stage) const override;
    void note(const Request& request, const ContractOperation& operation, std::string_view id,
              const Response* before) const override;

  private:
    using Party = balance::PartyId;
    struct Target {
        Party party = balance::kNoParty;
        bool himself = false;  ///< The record is about whoever asks.
    };

    [[nodiscard]] std::optional<Response> identify(Request& request) const;
    [[nodiscard]] std::optional<Response> check(const Request& request, const ContractOperation& operation,
                                                std::string_view id) const;
    [[nodiscard]] std::optional<Response> check_body(const Request& request,
                                                     const ContractOperation& operation,
                                                     std::string_view id) const;
    [[nodiscard]] std::optional<Response> check_query(const Request& request,
                                                      const ContractOperation& operation) const;
    [[nodiscard]] Target target_of(const Request& request, const ContractOperation& operation,
                                   std::string_view id) const;
    [[nodiscard]] Party party(std::string_view id) const;
    [[nodiscard]] std::optional<Response> visible(const Request& request, std::string_view party) const;

    [[nodiscard]] std::optional<Response> check_draft(const Request& request, const JsonValue& body) const;
    [[nodiscard]] std::optional<Response> check_new_party(const Request& request,
                                                          const JsonValue& body) const;
    [[nodiscard]] std::optional<Response> check_party_change(const Request& request, std::string_view id,
                                                             const JsonValue& body) const;
    [[nodiscard]] std::optional<Response> check_priced(const Request& request, const JsonValue& body) const;
    [[nodiscard]] std::optional<Response> check_seller(const Request& request, std::string_view party) const;

    [[nodiscard]] std::optional<Response> check_reasons(const Request& request, Party target,
                                                        const JsonValue& status) const;

    Services services_;
    std::shared_ptr<const access::Directory> directory_;
};

}  // namespace tollgate::daemon::admin
