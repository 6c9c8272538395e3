#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "CUring.h"

int cu_enter(int ring_fd, unsigned submit, unsigned wait, unsigned flags,
             const struct __kernel_timespec *timeout) {
  if (!timeout) return io_uring_enter2(ring_fd, submit, wait, flags, NULL, _NSIG / 8);
  struct io_uring_getevents_arg argument = {.ts = (uintptr_t)timeout};
  return io_uring_enter2(ring_fd, submit, wait, flags | IORING_ENTER_EXT_ARG,
                         (sigset_t *)(void *)&argument, sizeof argument);
}

struct cu_memory_ring *cu_memory_ring_new(unsigned entries) {
  struct cu_memory_ring *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  m->sq_entries = entries;
  m->sq_mask = entries - 1;
  m->cq_entries = entries * 4;
  m->cq_mask = entries * 4 - 1;
  struct io_uring *r = &m->ring;
  r->ring_fd = r->enter_ring_fd = -1;
  r->sq.khead = &m->sq_head;
  r->sq.ktail = &m->sq_tail;
  r->sq.kring_mask = &m->sq_mask;
  r->sq.kring_entries = &m->sq_entries;
  r->sq.kflags = &m->sq_flags;
  r->sq.kdropped = &m->sq_dropped;
  r->sq.sqes = calloc(entries, sizeof(struct io_uring_sqe));
  r->sq.ring_mask = m->sq_mask;
  r->sq.ring_entries = entries;
  r->cq.khead = &m->cq_head;
  r->cq.ktail = &m->cq_tail;
  r->cq.kring_mask = &m->cq_mask;
  r->cq.kring_entries = &m->cq_entries;
  r->cq.koverflow = &m->cq_overflow;
  r->cq.cqes = calloc(m->cq_entries, sizeof(struct io_uring_cqe));
  r->cq.ring_mask = m->cq_mask;
  r->cq.ring_entries = m->cq_entries;
  if (!r->sq.sqes || !r->cq.cqes) {
    cu_memory_ring_free(m);
    return NULL;
  }
  return m;
}

void cu_memory_ring_free(struct cu_memory_ring *m) {
  if (!m) return;
  free(m->ring.sq.sqes);
  free(m->ring.cq.cqes);
  free(m);
}

int cu_memory_ring_take(struct cu_memory_ring *m, struct io_uring_sqe *out) {
  if (m->sq_head == m->sq_tail) return 0;
  *out = m->ring.sq.sqes[m->sq_head & m->sq_mask];
  m->sq_head++;
  return 1;
}

int cu_memory_ring_post(struct cu_memory_ring *m, uint64_t user_data, int32_t result) {
  if (m->cq_tail - m->cq_head >= m->cq_entries) return 0;
  struct io_uring_cqe *cqe = &m->ring.cq.cqes[m->cq_tail & m->cq_mask];
  memset(cqe, 0, sizeof *cqe);
  cqe->user_data = user_data;
  cqe->res = result;
  m->cq_tail++;
  return 1;
}
