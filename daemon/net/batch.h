/// The commands at the front of connections' inputs, taken apart together, so that what they will touch can
/// be fetched together.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/foresight.h"
#include "protocol/resp_parser.h"

namespace tollgate::daemon::net {

/// Kept by a worker for its memory.
class Batch {
  public:
    static constexpr std::size_t kCommandsMax = Foresight::kCallsMax;

    struct Command {
        std::span<const std::string_view> words;  ///< Views into the input; none asks for nothing.
        std::size_t bytes;
    };

    explicit Batch(std::size_t arguments_max) { set_arguments_max(arguments_max); }
    void set_arguments_max(std::size_t arguments_max) { words_.resize(kWordsAhead + arguments_max); }

    struct Taken {
        protocol::Parsed first;             ///< What became of the first.
        std::span<const Command> commands;  ///< None unless that is complete. Good until clear().
    };

    void clear() noexcept {
        count_ = 0;
        words_taken_ = 0;
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    /// Whether the commands of one more input may be taken.
    [[nodiscard]] bool has_room(const protocol::RespLimits& limits) const noexcept {
        return count_ < kCommandsMax && words_.size() - words_taken_ >= limits.arguments_max;
    }
    /// Takes the first command of an input apart and, up to `most` in all, those behind it that are there
    /// whole and may be taken apart a second time: arrays, which doing so leaves unchanged. Requires: room,
    /// most > 0.
    [[nodiscard]] Taken take(std::span<char> input, const protocol::RespLimits& limits,
                             std::size_t most) noexcept {
        const std::size_t begin = count_;
        const protocol::Parsed first = take_one(input, limits);
        while (count_ > begin && count_ - begin < most && !input.empty() && input.front() == '*' &&
               has_room(limits)) {
            if (take_one(input, limits).status != protocol::ParseStatus::complete) break;
        }
        return {first, std::span{commands_}.subspan(begin, count_ - begin)};
    }

  private:
    /// Of all but the first: what calls send has eight words or fewer.
    static constexpr std::size_t kWordsAhead = kCommandsMax * 8;

    protocol::Parsed take_one(std::span<char>& input, const protocol::RespLimits& limits) noexcept {
        const auto room = std::span{words_}.subspan(words_taken_);
        const protocol::Parsed parsed = protocol::parse_command(input, limits, room);
        if (parsed.status != protocol::ParseStatus::complete) return parsed;
        commands_[count_++] = {room.first(parsed.argument_count), parsed.consumed};
        words_taken_ += parsed.argument_count;
        input = input.subspan(parsed.consumed);
        return parsed;
    }

    std::vector<std::string_view> words_;
    std::size_t words_taken_ = 0;
    std::array<Command, kCommandsMax> commands_{};
    std::size_t count_ = 0;
};

}  // namespace tollgate::daemon::net
