#define _GNU_SOURCE
#include "CRegion.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NANOSECONDS = 1000000000 };

int cr_mutex_make(void *at) {
  pthread_mutexattr_t attributes;
  int result = pthread_mutexattr_init(&attributes);
  if (result != 0) return result;
  result = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  if (result == 0) result = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  // Error checking: taking it twice on one thread is a mistake that says so.
  if (result == 0) result = pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  if (result == 0) result = pthread_mutex_init(at, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return result;
}

int cr_mutex_lock(void *at, uint64_t timeout_nanoseconds) {
  int result = pthread_mutex_trylock(at);
  if (result != EBUSY) return result;
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  uint64_t nanoseconds = (uint64_t)until.tv_nsec + timeout_nanoseconds % NANOSECONDS;
  until.tv_sec += (time_t)(timeout_nanoseconds / NANOSECONDS + nanoseconds / NANOSECONDS);
  until.tv_nsec = (long)(nanoseconds % NANOSECONDS);
  return pthread_mutex_clocklock(at, CLOCK_MONOTONIC, &until);
}

int cr_mutex_try(void *at) { return pthread_mutex_trylock(at); }
int cr_mutex_unlock(void *at) { return pthread_mutex_unlock(at); }
int cr_mutex_consistent(void *at) { return pthread_mutex_consistent(at); }

void cr_futex_wait(const void *word, uint32_t seen, uint64_t timeout_nanoseconds) {
  struct timespec timeout = {.tv_sec = (time_t)(timeout_nanoseconds / NANOSECONDS),
                             .tv_nsec = (long)(timeout_nanoseconds % NANOSECONDS)};
  syscall(SYS_futex, word, FUTEX_WAIT, seen, &timeout, 0, 0);
}

void cr_futex_wake(const void *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, 0, 0, 0); }

uint64_t cr_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}
