#include "daemon/access/password_worker.h"

#include <utility>

#include "daemon/background.h"

namespace tollgate::daemon::access {

PasswordWorker::PasswordWorker(std::size_t waiting_max)
    : waiting_max_(waiting_max), thread_([this] { work(); }) {}

PasswordWorker::~PasswordWorker() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

bool PasswordWorker::try_run(Job job) {
    {
        const std::lock_guard lock{mutex_};
        if (waiting_.size() >= waiting_max_) return false;
        waiting_.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
}

void PasswordWorker::work() {
    work_in_background();
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        Job job = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        job();
        job = nullptr;  // What it holds goes before the next is waited for.
        lock.lock();
    }
}

}  // namespace tollgate::daemon::access
