#include "daemon/admin/deck_upload.h"

#include "daemon/admin/bodies.h"

namespace tollgate::daemon::admin {

DeckUpload::DeckUpload(const rating::DeckLimits& limits, std::string_view content_encoding,
                       std::size_t bytes_max)
    : reader_(limits), bytes_max_(bytes_max) {
    if (says_gzip(content_encoding)) {
        unpacker_.emplace(bytes_max_);
        begun_ = true;
    }
}

bool DeckUpload::feed(std::string_view piece) {
    if (begun_) return read(piece);
    if (first_bytes_.empty() && piece.size() >= kGzipMagicBytes) {
        if (is_gzip(piece)) unpacker_.emplace(bytes_max_);
        begun_ = true;
        return read(piece);
    }
    first_bytes_.append(piece);
    if (first_bytes_.size() >= kGzipMagicBytes) begin();
    return status_ == GunzipStatus::unpacked;
}

/// Goes on with the first bytes, which came in pieces too small to say what they are, or are all there is.
void DeckUpload::begin() {
    if (is_gzip(first_bytes_)) unpacker_.emplace(bytes_max_);
    begun_ = true;
    read(first_bytes_);
}

bool DeckUpload::read(std::string_view piece) {
    if (unpacker_) {
        if (status_ == GunzipStatus::unpacked) {
            status_ = unpacker_->feed(piece, [this](std::string_view text) { reader_.feed(text); });
        }
        return status_ == GunzipStatus::unpacked;
    }
    checksum_ = checksum_of(piece, checksum_);
    reader_.feed(piece);
    return true;
}

DeckUpload::Result DeckUpload::finish() {
    if (!begun_) begin();
    if (unpacker_ && status_ == GunzipStatus::unpacked) status_ = unpacker_->finish();
    if (status_ != GunzipStatus::unpacked) return {{}, 0, refusal_of(status_, bytes_max_)};
    return {reader_.finish(), unpacker_ ? unpacker_->checksum() : checksum_, std::nullopt};
}

}  // namespace tollgate::daemon::admin
