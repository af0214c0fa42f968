/// The thread that passwords are hashed on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tollgate::daemon::access {

/// Runs what takes the time of a password, one after the other and behind everything else that the machine
/// has to do: a flood of logins costs whoever sends it their own time, never that of calls or of the
/// administration.
///
/// Any thread may call try_run at any time. It never waits.
class PasswordWorker {
  public:
    /// About three seconds of work. Who comes when so many wait is told to come again.
    static constexpr std::size_t kWaitingMax = 32;

    using Job = std::function<void()>;

    explicit PasswordWorker(std::size_t waiting_max = kWaitingMax);
    PasswordWorker(const PasswordWorker&) = delete;
    PasswordWorker& operator=(const PasswordWorker&) = delete;
    /// Waits for the job under way; those that wait are dropped, not run.
    ~PasswordWorker();

    /// False: too many wait, and this one never runs. A job must not throw.
    [[nodiscard]] bool try_run(Job job);

  private:
    void work();

    const std::size_t waiting_max_;
    std::mutex mutex_;  // For the two below; never held while a job runs.
    std::deque<Job> waiting_;
    bool stopping_ = false;
    std::condition_variable changed_;
    std::thread thread_;  // The last: it begins with everything above there.
};

}  // namespace tollgate::daemon::access
