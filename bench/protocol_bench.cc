// Bytes to words and answers to bytes, beside what others do for it.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <hiredis/read.h>

#include "daemon/commands/answer.h"
#include "protocol/resp_parser.h"

namespace tollgate::bench {
namespace {

using protocol::ParseStatus;

constexpr std::size_t kPipelined = 16;

/// So many commands as a switch sends them, AUTHORIZE and STOP in turn.
std::string pipelined() {
    std::string input;
    const auto command = [&input](std::initializer_list<std::string_view> words) {
        input.append("*").append(std::to_string(words.size())).append("\r\n");
        for (const std::string_view word : words)
            input.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
    };
    for (std::size_t i = 0; i < kPipelined; i += 2) {
        const std::string id = "8f2c11d0-77aa-4c1e-" + std::to_string(1'000 + i) + "@switch";
        command({"AUTHORIZE", "u" + std::to_string(70'000 + i), "441632960123", id, "WANT", "300"});
        command({"STOP", id, "127"});
    }
    return input;
}

// Sixteen commands that lie in the buffer, words being views of it. Guess: 60 ns a command, some four words
// each: ten bytes of framing a word, looked at one by one.
void BM_RespParser_Parse(benchmark::State& state) {
    std::string input = pipelined();
    std::array<std::string_view, protocol::kArgumentsMax> words;
    for ([[maybe_unused]] auto _ : state) {
        std::size_t at = 0;
        while (at < input.size()) {
            const auto parsed =
                protocol::parse_command(std::span{input}.subspan(at), protocol::kLimitsAfterAuth, words);
            if (parsed.status != ParseStatus::complete) return state.SkipWithError("not a command");
            benchmark::DoNotOptimize(words.data());
            at += parsed.consumed;
        }
    }
    state.SetItemsProcessed(state.iterations() * std::int64_t{kPipelined});
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.size()));
}
BENCHMARK(BM_RespParser_Parse);

// One that comes alone, or in two pieces: what is read first is looked at twice. Guess: 70 and 110 ns.
void BM_RespParser_ParsePieces(benchmark::State& state) {
    std::string input = pipelined();
    input.resize(input.find("*3"));
    const auto pieces = static_cast<std::size_t>(state.range(0));
    std::array<std::string_view, protocol::kArgumentsMax> words;
    for ([[maybe_unused]] auto _ : state) {
        for (std::size_t piece = 1; piece <= pieces; ++piece) {
            const auto parsed = protocol::parse_command(std::span{input}.first(input.size() * piece / pieces),
                                                        protocol::kLimitsAfterAuth, words);
            if ((parsed.status == ParseStatus::complete) != (piece == pieces))
                return state.SkipWithError("not a command");
        }
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_RespParser_ParsePieces)->ArgName("pieces")->Arg(1)->Arg(2);

// What most clients in C read RESP with. `objects:0` makes none of them: it finds where words are, as ours
// does, but copies what it is fed. With 1 each word is an object of its own. Guess: 250 and 600 ns a command.
void BM_Hiredis_Read(benchmark::State& state) {
    struct Objects {
        static void* string(const redisReadTask* task, char* text, std::size_t size) {
            auto made = std::make_unique<std::string>(text, size);
            return task->parent == nullptr ? static_cast<void*>(new std::vector<std::unique_ptr<std::string>>)
                                           : add(task, std::move(made));
        }
        static void* add(const redisReadTask* task, std::unique_ptr<std::string> word) {
            auto& words = *static_cast<std::vector<std::unique_ptr<std::string>>*>(task->parent->obj);
            words[static_cast<std::size_t>(task->idx)] = std::move(word);
            return words[static_cast<std::size_t>(task->idx)].get();
        }
        static void release(void* words) {
            delete static_cast<std::vector<std::unique_ptr<std::string>>*>(words);
        }
    };
    static redisReplyObjectFunctions functions{};
    functions.createString = [](const redisReadTask* task, char* text, std::size_t size) {
        return Objects::string(task, text, size);
    };
    functions.createArray = [](const redisReadTask*, int count) -> void* {
        return new std::vector<std::unique_ptr<std::string>>(static_cast<std::size_t>(count));
    };
    functions.freeObject = Objects::release;
    redisReader* const reader = ::redisReaderCreateWithFunctions(state.range(0) != 0 ? &functions : nullptr);
    const std::string input = pipelined();
    for ([[maybe_unused]] auto _ : state) {
        ::redisReaderFeed(reader, input.data(), input.size());
        for (std::size_t i = 0; i < kPipelined; ++i) {
            void* reply = nullptr;
            if (::redisReaderGetReply(reader, &reply) != REDIS_OK || reply == nullptr)
                state.SkipWithError("not a command");
            if (state.range(0) != 0) Objects::release(reply);
        }
    }
    ::redisReaderFree(reader);
    state.SetItemsProcessed(state.iterations() * std::int64_t{kPipelined});
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.size()));
}
BENCHMARK(BM_Hiredis_Read)->ArgName("objects")->Arg(0)->Arg(1);

const rating::Money kHeld = rating::Money::from_micros(1'234'567);

// What AUTHORIZE answers, sixteen times into a buffer that is emptied. Guess: 120 ns an answer: twelve bulk
// strings of 6 ns, and 20 ns for an amount.
void BM_Answer_Write(benchmark::State& state) {
    std::string out;
    for ([[maybe_unused]] auto _ : state) {
        out.clear();
        for (std::size_t i = 0; i < kPipelined; ++i) {
            daemon::commands::Answer answer{out, false, "OK", "300", 5};
            answer.pair("final", false);
            answer.pair("held", kHeld);
            answer.pair("currency", "EUR");
            answer.pair("validity", std::int64_t{540});
            answer.pair("limiting", "c70123");
        }
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations() * std::int64_t{kPipelined});
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(BM_Answer_Write);

// The same by one snprintf an answer, the lengths being known or counted before. Guess: 500 ns.
void BM_Printf_Write(benchmark::State& state) {
    std::string out;
    std::array<char, 512> room;
    std::array<char, 32> held;
    for ([[maybe_unused]] auto _ : state) {
        out.clear();
        for (std::size_t i = 0; i < kPipelined; ++i) {
            const auto micros = static_cast<long long>(kHeld.micros());
            const int digits = std::snprintf(held.data(), held.size(), "%lld.%06lld", micros / 1'000'000,
                                             micros % 1'000'000);
            const int size =
                std::snprintf(room.data(), room.size(),
                              "*12\r\n$2\r\nOK\r\n$3\r\n%d\r\n$5\r\nfinal\r\n$1\r\n%d\r\n$4\r\nheld\r\n$%"
                              "d\r\n%s\r\n$8\r\ncurrency\r\n"
                              "$3\r\n%s\r\n$8\r\nvalidity\r\n$3\r\n%d\r\n$8\r\nlimiting\r\n$6\r\n%s\r\n",
                              300, 0, digits, held.data(), "EUR", 540, "c70123");
            out.append(room.data(), static_cast<std::size_t>(size));
        }
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations() * std::int64_t{kPipelined});
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(BM_Printf_Write);

}  // namespace
}  // namespace tollgate::bench
