/// A rate deck on its way in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/admin/gzip.h"
#include "daemon/admin/router.h"
#include "rating/deck_csv.h"

namespace tollgate::daemon::admin {

/// Unpacks, sums up and reads a deck piece by piece as it arrives, so that neither the file nor its text is
/// ever held as a whole. One thread at a time.
class DeckUpload {
  public:
    /// Packed with gzip where `content_encoding` says so or the first bytes do. `bytes_max`: of the text.
    /// Requires: refusal_of_encoding has nothing against it.
    DeckUpload(const rating::DeckLimits& limits, std::string_view content_encoding, std::size_t bytes_max);

    /// False: nothing that may still come can make it a deck.
    bool feed(std::string_view piece);

    struct Result {
        rating::DeckReading reading;
        std::uint32_t checksum = 0;       ///< CRC-32 of the text.
        std::optional<Response> refusal;  ///< 413 or 422 for what could not be unpacked.
    };
    /// The end of the file. It is spent.
    [[nodiscard]] Result finish();

  private:
    void begin();
    bool read(std::string_view piece);

    rating::DeckReader reader_;
    std::size_t bytes_max_;
    std::string first_bytes_;  ///< Until it is clear whether they are packed.
    bool begun_ = false;
    std::optional<Gunzip> unpacker_;
    GunzipStatus status_ = GunzipStatus::unpacked;
    std::uint32_t checksum_ = 0;  ///< Unless it is packed: then the unpacker knows.
};

}  // namespace tollgate::daemon::admin
