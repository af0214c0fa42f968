/// A disk in memory that loses power, fills up, fails and rots on command. Deterministic.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "balance/journal/disk.h"

namespace tollgate::tests {

/// What was not synced is remembered block by block, and creations, renames and removals until the directory
/// is synced; crash() keeps any subset of both. A sync that fails loses what it should have synced, as Linux
/// does: a later one succeeds and means nothing.
class SimDisk final : public balance::journal::Disk {
  public:
    using Errno = balance::journal::Errno;
    using File = balance::journal::File;
    using Random = std::mt19937_64;
    using Bytes = std::vector<std::byte>;

    static constexpr std::size_t kBlock = 4096;
    static constexpr std::size_t kHalf = 512;  ///< What a device writes whole at least.

    SimDisk() = default;

    /// The same disk once more, with all that is not synced yet. No file of it is open or locked.
    [[nodiscard]] std::unique_ptr<SimDisk> copy() const {
        const std::lock_guard lock{mutex_};
        auto other = std::make_unique<SimDisk>();
        std::map<const Inode*, std::shared_ptr<Inode>> copies;
        const auto copied = [&](const std::shared_ptr<Inode>& inode) {
            auto& place = copies[inode.get()];
            if (!place) place = std::make_shared<Inode>(*inode);
            return place;
        };
        for (const auto& [name, inode] : names_)
            other->names_[name] = copied(inode);
        for (const auto& [name, inode] : durable_)
            other->durable_[name] = copied(inode);
        for (const auto& change : pending_)
            other->pending_.push_back(
                {change.removed, change.added, change.inode ? copied(change.inode) : nullptr});
        other->capacity_ = capacity_;
        return other;
    }

    // ---- What goes wrong ----

    /// Power fails: of everything that is not synced any subset is kept. Files opened before are dead.
    void crash(Random& random) {
        const std::lock_guard lock{mutex_};
        ++generation_;
        locked_ = false;
        for (const auto& change : pending_) {
            if (random() % 2 == 0) continue;
            if (!change.removed.empty()) durable_.erase(change.removed);
            if (!change.added.empty()) durable_[change.added] = change.inode;
        }
        pending_.clear();
        names_ = durable_;
        for (auto& [name, inode] : names_)
            inode->crash(random);
    }
    /// The process dies, the machine goes on: nothing is lost, nothing is synced.
    void kill() {
        const std::lock_guard lock{mutex_};
        ++generation_;
        locked_ = false;
    }

    enum class Trouble : std::uint8_t {
        error,        ///< EIO.
        short_write,  ///< Half of it is written; what continues it succeeds.
        stuck_write,  ///< Half of it is written, and nothing more.
    };
    /// The n-th of these from now on, 1 being the next; only that one.
    void fail_write(std::uint64_t n, Trouble trouble = Trouble::error) {
        write_countdown_ = n;
        trouble_ = trouble;
        stuck_ = false;
    }
    void fail_sync(std::uint64_t n) { sync_countdown_ = n; }
    /// Any operation that can fail: writes, reads, syncs, opening, renaming, removing, listing.
    void fail_operation(std::uint64_t n) { operation_countdown_ = n; }

    /// So many bytes fit; what is there already counts.
    void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
    [[nodiscard]] std::uint64_t used() const {
        const std::lock_guard lock{mutex_};
        return used_bytes();
    }

    [[nodiscard]] std::uint64_t writes() const { return writes_; }
    [[nodiscard]] std::uint64_t syncs() const { return syncs_; }
    [[nodiscard]] std::uint64_t operations() const { return operations_; }

    /// The bytes of a file, to be looked at or spoilt; what is changed here counts as synced.
    Bytes& bytes(const std::string& name) { return names_.at(name)->data; }
    void flip(const std::string& name, std::uint64_t bit) {
        bytes(name)[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
    void cut(const std::string& name, std::uint64_t bytes_left) {
        Inode& inode = *names_.at(name);
        inode.data.resize(bytes_left);
        inode.sync();
    }
    void erase(const std::string& name) {
        names_.erase(name);
        durable_.erase(name);
    }
    [[nodiscard]] bool has(const std::string& name) const { return names_.contains(name); }

    // ---- Disk ----

    Errno open(const std::string& name, Mode mode, std::unique_ptr<File>& file) override {
        const std::lock_guard lock{mutex_};
        if (operation_fails()) return EIO;
        auto found = names_.find(name);
        if (mode == Mode::create) {
            if (found == names_.end()) {
                auto inode = std::make_shared<Inode>();
                pending_.push_back({"", name, inode});
                found = names_.emplace(name, std::move(inode)).first;
            } else {
                found->second->data.clear();
            }
        }
        if (found == names_.end()) return ENOENT;
        file = std::make_unique<SimFile>(*this, found->second, generation_);
        return 0;
    }
    Errno rename(const std::string& from, const std::string& to) override {
        const std::lock_guard lock{mutex_};
        if (operation_fails()) return EIO;
        const auto found = names_.find(from);
        if (found == names_.end()) return ENOENT;
        auto inode = found->second;
        names_.erase(found);
        names_[to] = inode;
        pending_.push_back({from, to, std::move(inode)});
        return 0;
    }
    Errno remove(const std::string& name) override {
        const std::lock_guard lock{mutex_};
        if (operation_fails()) return EIO;
        if (names_.erase(name) == 0) return ENOENT;
        pending_.push_back({name, "", nullptr});
        return 0;
    }
    Errno sync_directory() override {
        const std::lock_guard lock{mutex_};
        if (operation_fails() || sync_fails()) return EIO;
        durable_ = names_;
        pending_.clear();
        return 0;
    }
    Errno list(std::vector<std::string>& names) override {
        const std::lock_guard lock{mutex_};
        if (operation_fails()) return EIO;
        names.clear();
        for (const auto& [name, inode] : names_)
            names.push_back(name);
        return 0;
    }
    Errno size(const std::string& name, std::uint64_t& bytes) override {
        const std::lock_guard lock{mutex_};
        if (operation_fails()) return EIO;
        const auto found = names_.find(name);
        if (found == names_.end()) return ENOENT;
        bytes = found->second->data.size();
        return 0;
    }
    Errno lock(const std::string& /*name*/, std::unique_ptr<File>& lock, std::string& holder) override {
        const std::lock_guard guard{mutex_};
        if (operation_fails()) return EIO;
        if (locked_) {
            holder = "1";
            return EWOULDBLOCK;
        }
        locked_ = true;
        lock = std::make_unique<SimLock>(*this, generation_);
        return 0;
    }
    [[nodiscard]] std::string path(const std::string& name) const override { return "/sim/" + name; }

  private:
    using Block = std::array<std::byte, kBlock>;

    struct Inode {
        Bytes data;
        std::uint64_t synced_bytes = 0;
        std::map<std::uint64_t, Block> before;  // What was there at the last sync, of blocks written since.
        std::map<std::uint64_t, Block> lost;    // Of blocks whose sync failed: no sync brings them back.

        void write(std::uint64_t offset, std::span<const std::byte> bytes) {
            if (data.size() < offset + bytes.size()) data.resize(offset + bytes.size());
            for (std::uint64_t block = offset / kBlock; block * kBlock < offset + bytes.size(); ++block) {
                // What a failed sync has lost is there to be synced again once it is written again.
                if (auto again = lost.extract(block); again) before.insert(std::move(again));
                // What was beyond the end is cut off or zeros after a crash.
                if (!before.contains(block)) before[block] = content(block);
            }
            std::memcpy(data.data() + offset, bytes.data(), bytes.size());
        }
        [[nodiscard]] Block content(std::uint64_t block) const {
            Block bytes{};
            const std::uint64_t from = block * kBlock;
            if (from < synced_bytes && from < data.size())
                std::memcpy(bytes.data(), data.data() + from,
                            std::min<std::uint64_t>(kBlock, data.size() - from));
            return bytes;
        }
        void sync() {
            before.clear();
            synced_bytes = data.size();
        }
        void sync_failed() {
            lost.merge(before);
            before.clear();
        }
        void crash(Random& random) {
            lost.merge(before);
            for (const auto& [block, old] : lost) {
                const auto luck = random() % 4;
                if (luck == 0) continue;  // It made it.
                for (std::size_t half = 0; half < kBlock / kHalf; ++half) {
                    if (luck != 1 && random() % 2 == 0) continue;
                    const std::uint64_t at = block * kBlock + half * kHalf;
                    if (at >= data.size()) break;
                    std::memcpy(data.data() + at, old.data() + half * kHalf,
                                std::min<std::uint64_t>(kHalf, data.size() - at));
                }
            }
            lost.clear();
            before.clear();
            if (data.size() > synced_bytes && random() % 2 == 0)
                data.resize(synced_bytes + random() % (data.size() - synced_bytes + 1));
            synced_bytes = data.size();
        }
    };

    struct Change {
        std::string removed;
        std::string added;
        std::shared_ptr<Inode> inode;
    };

    class SimFile final : public File {
      public:
        SimFile(SimDisk& disk, std::shared_ptr<Inode> inode, std::uint64_t generation)
            : disk_(disk), inode_(std::move(inode)), generation_(generation) {}
        Moved write(std::uint64_t offset, std::span<const std::byte> bytes) override {
            const std::lock_guard lock{disk_.mutex_};
            if (generation_ != disk_.generation_ || disk_.operation_fails()) return {EIO, 0};
            ++disk_.writes_;
            std::size_t size = bytes.size();
            if (disk_.stuck_ && std::exchange(disk_.stuck_, false)) return {0, 0};
            if (disk_.write_countdown_ != 0 && --disk_.write_countdown_ == 0) {
                if (disk_.trouble_ == Trouble::error) return {EIO, 0};
                disk_.stuck_ = disk_.trouble_ == Trouble::stuck_write;
                size /= 2;
            }
            const std::uint64_t end = offset + size;
            if (end > inode_->data.size()) {
                const std::uint64_t used = disk_.used_bytes();
                const std::uint64_t room = used < disk_.capacity_ ? disk_.capacity_ - used : 0;
                const std::uint64_t growth = end - inode_->data.size();
                if (growth > room) size -= std::min<std::uint64_t>(size, growth - room);
                if (size == 0) return {ENOSPC, 0};
            }
            inode_->write(offset, bytes.first(size));
            return {0, size};
        }
        Moved read(std::uint64_t offset, std::span<std::byte> bytes) override {
            const std::lock_guard lock{disk_.mutex_};
            if (generation_ != disk_.generation_ || disk_.operation_fails()) return {EIO, 0};
            if (offset >= inode_->data.size()) return {0, 0};
            const auto size = std::min<std::uint64_t>(bytes.size(), inode_->data.size() - offset);
            std::memcpy(bytes.data(), inode_->data.data() + offset, size);
            return {0, size};
        }
        Errno sync() override {
            const std::lock_guard lock{disk_.mutex_};
            if (generation_ != disk_.generation_) return EIO;
            if (disk_.operation_fails() || disk_.sync_fails()) {
                inode_->sync_failed();
                return EIO;
            }
            inode_->sync();
            return 0;
        }

      private:
        SimDisk& disk_;
        std::shared_ptr<Inode> inode_;
        std::uint64_t generation_;
    };

    class SimLock final : public File {
      public:
        SimLock(SimDisk& disk, std::uint64_t generation) : disk_(disk), generation_(generation) {}
        ~SimLock() override {
            const std::lock_guard lock{disk_.mutex_};
            if (generation_ == disk_.generation_) disk_.locked_ = false;
        }
        Moved write(std::uint64_t, std::span<const std::byte>) override { return {EBADF, 0}; }
        Moved read(std::uint64_t, std::span<std::byte>) override { return {EBADF, 0}; }
        Errno sync() override { return EBADF; }

      private:
        SimDisk& disk_;
        std::uint64_t generation_;
    };

    bool operation_fails() {
        ++operations_;
        return operation_countdown_ != 0 && --operation_countdown_ == 0;
    }
    bool sync_fails() {
        ++syncs_;
        return sync_countdown_ != 0 && --sync_countdown_ == 0;
    }
    [[nodiscard]] std::uint64_t used_bytes() const {
        std::uint64_t sum = 0;
        for (const auto& [name, inode] : names_)
            sum += inode->data.size();
        return sum;
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Inode>> names_;    // As the kernel sees it.
    std::map<std::string, std::shared_ptr<Inode>> durable_;  // As it stands on the disk.
    std::vector<Change> pending_;
    std::uint64_t generation_ = 0;
    bool locked_ = false;
    bool stuck_ = false;
    Trouble trouble_ = Trouble::error;
    std::uint64_t capacity_ = ~std::uint64_t{0};
    std::uint64_t write_countdown_ = 0;
    std::uint64_t sync_countdown_ = 0;
    std::uint64_t operation_countdown_ = 0;
    std::uint64_t writes_ = 0;
    std::uint64_t syncs_ = 0;
    std::uint64_t operations_ = 0;
};

}  // namespace tollgate::tests
