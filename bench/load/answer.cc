#include "bench/load/answer.h"

#include <cstring>

namespace tollgate::bench::load {
namespace {

/// Reads lines and bulk strings from front to back.
class Cursor {
  public:
    explicit Cursor(std::string_view text) noexcept : text_(text) {}

    /// The line at hand without its CR LF; its first byte is the kind.
    Answer::Status line(std::string_view& line) noexcept {
        if (at_ >= text_.size()) return Answer::Status::incomplete;
        const void* const end = std::memchr(text_.data() + at_, '\n', text_.size() - at_);
        if (end == nullptr)
            return text_.size() - at_ > kAnswerBytesMax ? Answer::Status::malformed
                                                        : Answer::Status::incomplete;
        const auto length = static_cast<std::size_t>(static_cast<const char*>(end) - text_.data()) - at_;
        if (length < 2 || text_[at_ + length - 1] != '\r') return Answer::Status::malformed;
        line = text_.substr(at_, length - 1);
        at_ += length + 1;
        return Answer::Status::complete;
    }

    Answer::Status bulk(std::string_view& value) noexcept {
        std::string_view head;
        const auto status = line(head);
        if (status != Answer::Status::complete) return status;
        if (head == "$-1") {
            value = {};
            return Answer::Status::complete;
        }
        std::size_t size = 0;
        if (head.front() != '$' || !number(head, size)) return Answer::Status::malformed;
        if (text_.size() - at_ < size + 2) return Answer::Status::incomplete;
        value = text_.substr(at_, size);
        at_ += size + 2;
        return Answer::Status::complete;
    }

    /// A bulk string, or what others write into arrays: an integer or a status.
    Answer::Status element(std::string_view& value) noexcept {
        if (at_ < text_.size() && (text_[at_] == ':' || text_[at_] == '+')) {
            const auto status = line(value);
            if (status == Answer::Status::complete) value.remove_prefix(1);
            return status;
        }
        return bulk(value);
    }

    /// What stands behind the kind.
    static bool number(std::string_view line, std::size_t& value) noexcept {
        value = 0;
        for (const char c : line.substr(1)) {
            if (c < '0' || c > '9') return false;
            value = value * 10 + static_cast<std::size_t>(c - '0');
            if (value > kAnswerBytesMax) return false;
        }
        return line.size() > 1;
    }

    [[nodiscard]] std::size_t at() const noexcept { return at_; }

  private:
    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

Answer::Status Answer::read(std::string_view text) noexcept {
    if (text.empty()) return Status::incomplete;
    Cursor cursor{text};
    count_ = 1;
    consumed_ = 0;
    auto status = Status::complete;
    if (text.front() == '$') {
        kind_ = Kind::bulk;
        status = cursor.bulk(elements_[0]);
        consumed_ = cursor.at();
        return status;
    }
    std::string_view head;
    status = cursor.line(head);
    if (status != Status::complete) return status;
    switch (head.front()) {
        case '*': {
            kind_ = Kind::array;
            if (!Cursor::number(head, count_) || count_ > kElementsMax || count_ == 0)
                return Status::malformed;
            for (std::size_t i = 0; i < count_; ++i) {
                status = cursor.element(elements_[i]);
                if (status != Status::complete) return status;
            }
            break;
        }
        case '+':
            kind_ = Kind::simple;
            elements_[0] = head.substr(1);
            break;
        case '-':
            kind_ = Kind::error;
            elements_[0] = head.substr(1);
            break;
        case ':':
            kind_ = Kind::integer;
            elements_[0] = head.substr(1);
            break;
        default:
            return Status::malformed;
    }
    consumed_ = cursor.at();
    return Status::complete;
}

}  // namespace tollgate::bench::load
