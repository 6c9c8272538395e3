#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "CUring.h"

const int cu_o_direct = O_DIRECT;
const int cu_seek_data = SEEK_DATA;
const int cu_seek_hole = SEEK_HOLE;
const int cu_falloc_keep_size = 1;
const int cu_falloc_punch_hole = 2;
const int cu_falloc_zero_range = 16;
#ifndef RWF_DSYNC
#define RWF_DSYNC 2
#endif
const int cu_rwf_dsync = (int)RWF_DSYNC;

int cu_direct_alignment(int fd, struct cu_alignment *result) {
  struct statx sx = {0};
  result->memory = result->offset = 0;
#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000U
#endif
  if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) != 0) return -errno;
  if (!(sx.stx_mask & STATX_DIOALIGN)) {
    // FUSE and NFS do direct I/O at any offset and do not say so; a page suits every server.
    struct statfs fs;
    if (fstatfs(fd, &fs) == 0 && (fs.f_type == FUSE_SUPER_MAGIC || fs.f_type == NFS_SUPER_MAGIC)) {
      result->memory = result->offset = 4096;
    }
    return 0;
  }
  // The two fields follow stx_mnt_id; older headers have them as spare room.
  const uint32_t *fields = (const uint32_t *)((const char *)&sx + 0x98);
  result->memory = fields[0];
  result->offset = fields[1];
  return 0;
}

int64_t cu_block_device_size(int fd) {
  uint64_t size = 0;
  return ioctl(fd, BLKGETSIZE64, &size) == 0 ? (int64_t)size : -errno;
}

int cu_block_device_logical_block(int fd) {
  int size = 0;
  return ioctl(fd, BLKSSZGET, &size) == 0 ? size : -errno;
}

int cu_pin_thread(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

void cu_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int cu_wake_up(void) {
  const int fd = eventfd(0, EFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

void *cu_map_arena(size_t bytes) {
  const size_t huge = 2u << 20;
  char *at = mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return NULL;
  const size_t before = (huge - ((uintptr_t)at & (huge - 1))) & (huge - 1);
  if (before) munmap(at, before);
  if (huge - before) munmap(at + before + bytes, huge - before);
  at += before;
  madvise(at, bytes, MADV_HUGEPAGE);
  madvise(at, bytes, MADV_DONTFORK);
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
  if (madvise(at, bytes, MADV_POPULATE_WRITE) != 0) {
    const long page = sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < bytes; i += (size_t)page) ((volatile char *)at)[i] = 0;
  }
  return at;
}

uint64_t cu_huge_page_bytes(const void *base) {
  FILE *file = fopen("/proc/self/smaps", "re");
  if (!file) return 0;
  char line[512];
  int inside = 0;
  unsigned long low, high, kib = 0;
  while (fgets(line, sizeof line, file)) {
    // Only the first line of a mapping begins with a small letter or a digit.
    if (line[0] < 'A' || line[0] > 'Z') {
      if (sscanf(line, "%lx-%lx ", &low, &high) == 2)
        inside = low <= (uintptr_t)base && (uintptr_t)base < high;
    } else if (inside && sscanf(line, "AnonHugePages: %lu kB", &kib) == 1) {
      break;
    }
  }
  fclose(file);
  return (uint64_t)kib << 10;
}
