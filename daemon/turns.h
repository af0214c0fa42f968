/// How soon threads get a processor that others want, too.
#pragma once

namespace tollgate::daemon {

/// From now on the calling thread, and those that it starts, ask for short turns: on Linux 6.12 and later
/// whoever does gets the processor sooner when something arrives for him, at the cost of giving it up sooner.
/// Before that nothing changes, nor where the operator chose another policy. Needs no rights.
void work_promptly() noexcept;

/// For work that somebody waits for and that calls must not wait for, such as passwords: from now on the
/// calling thread gets about a tenth of what a thread gets that answers calls.
void work_behind_calls() noexcept;

/// For work that can wait: decks, imports, stores, freeing what they replaced. From now on the calling thread
/// runs where nobody else wants the processor, but for a small share: calls must not wait for a deck to be
/// read. Linux keeps this a thread.
void work_in_background() noexcept;

}  // namespace tollgate::daemon
