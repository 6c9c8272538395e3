// Preloaded into a program that runs under callgrind: valgrind runs one thread at a time and does not
// know that io_uring_enter may sleep, so a thread that waits for completions would keep all others from
// running for ever. Here the wait is made of short ones, between which the others run. What is
// executed in this file is not counted (see counts.py).
#define _GNU_SOURCE
#include <errno.h>
#include <liburing.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_NS = 200000 };

static int call(unsigned fd, unsigned submit, unsigned wait, unsigned flags, void *argument,
                size_t size) {
  long result = syscall(__NR_io_uring_enter, fd, submit, wait, flags, argument, size);
  return result < 0 ? -errno : (int)result;
}

int io_uring_enter2(unsigned fd, unsigned submit, unsigned wait, unsigned flags, sigset_t *argument,
                    size_t size) {
  (void)size;
  int submitted = 0;
  if (submit) {
    submitted = call(fd, submit, 0, flags & ~(IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG), NULL,
                     _NSIG / 8);
    if (submitted < 0 || !(flags & IORING_ENTER_GETEVENTS)) return submitted;
  }
  long long left = -1;
  if (flags & IORING_ENTER_EXT_ARG) {
    const struct io_uring_getevents_arg *asked = (const void *)argument;
    const struct __kernel_timespec *limit = (const void *)(uintptr_t)asked->ts;
    if (limit) left = limit->tv_sec * 1000000000ll + limit->tv_nsec;
  }
  for (;;) {
    struct __kernel_timespec slice = {.tv_nsec = left >= 0 && left < SLICE_NS ? left : SLICE_NS};
    struct io_uring_getevents_arg slices = {.ts = (uintptr_t)&slice};
    int result = call(fd, 0, wait, flags | IORING_ENTER_EXT_ARG, &slices, sizeof slices);
    if (result != -ETIME || wait == 0) return submitted ? submitted : result;
    if (left >= 0 && (left -= slice.tv_nsec) <= 0) return submitted ? submitted : -ETIME;
    nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
  }
}
