#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CTestSupport.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FOREIGN_ALLOCATOR 1
#endif
#endif

#ifdef FOREIGN_ALLOCATOR

int64_t ct_allocation_count(void) { return -1; }

#else

static __thread int64_t count __attribute__((tls_model("initial-exec")));

int64_t ct_allocation_count(void) { return count; }

// glibc calls these in place of its own; its own stay reachable by their other names.
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
  count++;
  return __libc_malloc(size);
}
void *calloc(size_t number, size_t size) {
  count++;
  return __libc_calloc(number, size);
}
void *realloc(void *old, size_t size) {
  count++;
  return __libc_realloc(old, size);
}
void *memalign(size_t alignment, size_t size) {
  count++;
  return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  count++;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  count++;
  void *at = __libc_memalign(alignment, size);
  if (!at) return ENOMEM;
  *result = at;
  return 0;
}

#endif

int ct_become_ordinary(uint64_t locked) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return -errno;
  limit.rlim_cur = locked < limit.rlim_max ? locked : limit.rlim_max;
  if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return -errno;
  if (geteuid() != 0) return 0;
  // The system call itself: glibc's function would change every thread.
  return syscall(SYS_setresuid, 65534, 65534, 65534) == 0 ? 0 : -errno;
}
