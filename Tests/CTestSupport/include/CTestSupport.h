#pragma once
#include <stdint.h>

/// Calls of the allocator by the calling thread so far; -1 where they cannot be counted (sanitizers
/// bring their own allocator).
int64_t ct_allocation_count(void);

/// Turns the calling thread, and only it, into one of an ordinary user, whose soft limit for locked
/// memory (the process's) is `locked` bytes. 0 or -errno.
int ct_become_ordinary(uint64_t locked);
