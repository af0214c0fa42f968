/// The commands at the front of a connection's input, taken apart together, so that what they will touch can
/// be fetched together.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/foresight.h"
#include "protocol/resp_parser.h"

namespace tollgate::daemon::net {

/// Kept by a worker for its memory, and used by one connection at a time.
class Batch {
  public:
    static constexpr std::size_t kCommandsMax = Foresight::kCallsMax;

    struct Command {
        std::span<const std::string_view> words;  ///< Views into the input; none asks for nothing.
        std::size_t bytes;
    };

    explicit Batch(std::size_t arguments_max) { set_arguments_max(arguments_max); }
    void set_arguments_max(std::size_t arguments_max) { words_.resize(kWordsAhead + arguments_max); }

    /// Takes the first command apart and, up to `most` in all, those behind it that are there whole and may
    /// be taken apart a second time: arrays, which doing so leaves unchanged. What became of the first is
    /// returned; the commands are good until the next call. Requires: most > 0.
    [[nodiscard]] protocol::Parsed take(std::span<char> input, const protocol::RespLimits& limits,
                                        std::size_t most) noexcept {
        most = std::min(most, kCommandsMax);
        count_ = 0;
        std::span<std::string_view> room{words_};
        const protocol::Parsed first = take_one(input, limits, room);
        while (count_ > 0 && count_ < most && !input.empty() && input.front() == '*' &&
               room.size() >= limits.arguments_max) {
            if (take_one(input, limits, room).status != protocol::ParseStatus::complete) break;
        }
        return first;
    }
    [[nodiscard]] std::span<const Command> commands() const noexcept {
        return std::span{commands_}.first(count_);
    }

  private:
    /// Of all but the first: what calls send has eight words or fewer.
    static constexpr std::size_t kWordsAhead = kCommandsMax * 8;

    protocol::Parsed take_one(std::span<char>& input, const protocol::RespLimits& limits,
                              std::span<std::string_view>& room) noexcept {
        const protocol::Parsed parsed = protocol::parse_command(input, limits, room);
        if (parsed.status != protocol::ParseStatus::complete) return parsed;
        commands_[count_++] = {room.first(parsed.argument_count), parsed.consumed};
        room = room.subspan(parsed.argument_count);
        input = input.subspan(parsed.consumed);
        return parsed;
    }

    std::vector<std::string_view> words_;
    std::array<Command, kCommandsMax> commands_{};
    std::size_t count_ = 0;
};

}  // namespace tollgate::daemon::net
