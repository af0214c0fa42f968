/// Threads whose work can wait: decks, imports, freeing what they replaced.
#pragma once

namespace tollgate::daemon {

/// From now on the calling thread runs where nobody else wants the processor, but for a small share: calls
/// must not wait for a deck to be read. Linux keeps this a thread.
void work_in_background() noexcept;

}  // namespace tollgate::daemon
