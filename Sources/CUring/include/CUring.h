#pragma once
// <features.h> first and without _GNU_SOURCE, so that glibc's types stay those of Swift's Glibc;
// what only GNU mode declares is exported below as constants.
#include <features.h>
#include <stdint.h>

#include <liburing.h>

extern const int cu_o_direct;
extern const int cu_seek_data;
extern const int cu_seek_hole;
extern const int cu_falloc_keep_size;
extern const int cu_falloc_punch_hole;
extern const int cu_falloc_zero_range;
extern const int cu_rwf_dsync;

static const unsigned cu_sqe_fixed_file = 1U << 0;

/// Direct I/O alignment of an open file. 0 where direct I/O is not possible or not known.
struct cu_alignment {
  uint32_t memory;
  uint32_t offset;
};
int cu_direct_alignment(int fd, struct cu_alignment *result);

/// Size in bytes of an open block device, or -errno.
int64_t cu_block_device_size(int fd);
/// Logical block size of an open block device, or -errno.
int cu_block_device_logical_block(int fd);

/// Pins the calling thread to a processor; 0 or -errno.
int cu_pin_thread(int processor);
/// Names the calling thread, at most 15 bytes.
void cu_name_thread(const char *name);

/// A counter that wakes a ring; a descriptor or -errno.
int cu_wake_up(void);

/// Maps `bytes` (a multiple of 2 MiB) of anonymous memory on a 2 MiB border, asks for huge pages,
/// touches every page and keeps it out of forked children. NULL with errno set on failure.
void *cu_map_arena(size_t bytes);

/// How many bytes of the mapping at `base` lie in transparent huge pages, as smaps tells it.
uint64_t cu_huge_page_bytes(const void *base);

/// Publishes the prepared submission entries to the kernel's side of the ring and returns how many
/// there are that it has not taken yet.
static inline unsigned cu_publish(struct io_uring *ring) {
  struct io_uring_sq *sq = &ring->sq;
  __atomic_store_n(sq->ktail, sq->sqe_tail, __ATOMIC_RELEASE);
  return sq->sqe_tail - __atomic_load_n(sq->khead, __ATOMIC_ACQUIRE);
}

/// Copies completions out of the ring and frees their places.
static inline unsigned cu_reap(struct io_uring *ring, struct io_uring_cqe *out, unsigned max) {
  const unsigned head = *ring->cq.khead;
  const unsigned tail = __atomic_load_n(ring->cq.ktail, __ATOMIC_ACQUIRE);
  unsigned n = tail - head;
  if (n > max) n = max;
  for (unsigned i = 0; i < n; i++) out[i] = ring->cq.cqes[(head + i) & *ring->cq.kring_mask];
  __atomic_store_n(ring->cq.khead, head + n, __ATOMIC_RELEASE);
  return n;
}

static inline unsigned cu_flags(const struct io_uring *ring) {
  return __atomic_load_n(ring->sq.kflags, __ATOMIC_RELAXED);
}

/// One call of io_uring_enter. `timeout` may be NULL: wait without end.
int cu_enter(int ring_fd, unsigned submit, unsigned wait, unsigned flags,
             const struct __kernel_timespec *timeout);

// A ring in plain memory, for a simulated kernel: liburing's preparation functions work on it.
struct cu_memory_ring {
  struct io_uring ring;
  unsigned sq_head, sq_tail, sq_mask, sq_entries, sq_flags, sq_dropped;
  unsigned cq_head, cq_tail, cq_mask, cq_entries, cq_overflow;
};
/// `entries` is a power of 2; the completion side has 4 times as many. NULL where memory ran out.
struct cu_memory_ring *cu_memory_ring_new(unsigned entries);
void cu_memory_ring_free(struct cu_memory_ring *ring);
/// Takes the next published submission entry; 0 where there is none.
int cu_memory_ring_take(struct cu_memory_ring *ring, struct io_uring_sqe *out);
/// The published submission entry that would be taken after `index` others; NULL where there is none.
static inline const struct io_uring_sqe *cu_memory_ring_peek(const struct cu_memory_ring *ring,
                                                             unsigned index) {
  if (index >= ring->sq_tail - ring->sq_head) return 0;
  return &ring->ring.sq.sqes[(ring->sq_head + index) & ring->sq_mask];
}
/// Posts one completion; 0 where the completion side is full.
int cu_memory_ring_post(struct cu_memory_ring *ring, uint64_t user_data, int32_t result);

/// The offset and the buffer index of a submission entry: members of unnamed unions.
static inline uint64_t cu_sqe_offset(const struct io_uring_sqe *sqe) { return sqe->off; }
static inline uint64_t cu_sqe_address(const struct io_uring_sqe *sqe) { return sqe->addr; }
static inline unsigned cu_sqe_buffer(const struct io_uring_sqe *sqe) { return sqe->buf_index; }
static inline int cu_sqe_transfer_flags(const struct io_uring_sqe *sqe) { return sqe->rw_flags; }
static inline void cu_sqe_set_transfer_flags(struct io_uring_sqe *sqe, int flags) {
  sqe->rw_flags = flags;
}

/// Completions that were posted and not yet reaped.
static inline unsigned cu_memory_ring_ready(const struct cu_memory_ring *ring) {
  return ring->cq_tail - ring->cq_head;
}

/// The ring that liburing's preparation functions work on.
static inline struct io_uring *cu_memory_ring_io_uring(struct cu_memory_ring *ring) {
  return &ring->ring;
}

// Tape drives of the st driver: MTIOCTOP, MTIOCPOS and MTIOCGET. Each call may take minutes.
extern const int cu_tape_write_filemarks;
extern const int cu_tape_write_filemarks_immediately;
extern const int cu_tape_forward_filemarks;
extern const int cu_tape_backward_filemarks;
extern const int cu_tape_forward_records;
extern const int cu_tape_backward_records;
extern const int cu_tape_end_of_data;
extern const int cu_tape_locate;
extern const int cu_tape_rewind;
extern const int cu_tape_set_block;
/// 0 or -errno.
int cu_tape_command(int fd, int operation, int count);
/// Number of the next object, or -errno.
int64_t cu_tape_position(int fd);
struct cu_tape_status {
  int64_t residual;
  uint8_t filemark, end_of_data, beginning, end_of_medium, write_protected, online;
};
/// What the driver knows, without asking the drive: 0 or -errno.
int cu_tape_status(int fd, struct cu_tape_status *result);
