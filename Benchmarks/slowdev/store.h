// The files of the device: a flat table of paths, and one pool of chunks that holds their bytes.
// Data moves under the read lock of `tree`; anything else changes under its write lock.
#ifndef SLOWDEV_STORE_H
#define SLOWDEV_STORE_H
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

enum { CHUNK_BYTES = 1 << 20, MAXIMUM_NODES = 256, MAXIMUM_PATH = 256 };
static const uint32_t HOLE = UINT32_MAX;

struct node {
  bool used, directory;
  mode_t mode;
  uid_t owner;
  gid_t group;
  off_t size;
  uint32_t *chunks, chunk_count;  // chunks[i]: place in the pool, or HOLE
  struct timespec changed;
  char path[MAXIMUM_PATH];
};

static pthread_rwlock_t tree = PTHREAD_RWLOCK_INITIALIZER;
static struct node nodes[MAXIMUM_NODES];
static char *pool;
static uint32_t pool_chunks, *free_chunks, free_count;

static char *chunk_at(uint32_t place) { return pool + (size_t)place * CHUNK_BYTES; }

static struct node *find(const char *path) {
  for (int i = 0; i < MAXIMUM_NODES; i++)
    if (nodes[i].used && !strcmp(nodes[i].path, path)) return &nodes[i];
  return NULL;
}

static int add(
    const char *path, mode_t mode, bool directory, uid_t owner, gid_t group, struct node **added) {
  if (strlen(path) >= MAXIMUM_PATH) return -ENAMETOOLONG;
  if (find(path)) return -EEXIST;
  for (int i = 0; i < MAXIMUM_NODES; i++) {
    struct node *n = &nodes[i];
    if (n->used) continue;
    *n = (struct node){
        .used = true, .directory = directory, .mode = mode, .owner = owner, .group = group};
    clock_gettime(CLOCK_REALTIME, &n->changed);
    strcpy(n->path, path);
    if (added) *added = n;
    return 0;
  }
  return -ENOSPC;
}

static void release_from(struct node *n, uint32_t first_chunk) {
  for (uint32_t i = first_chunk; i < n->chunk_count; i++) {
    if (n->chunks[i] == HOLE) continue;
    memset(chunk_at(n->chunks[i]), 0, CHUNK_BYTES);
    free_chunks[free_count++] = n->chunks[i];
    n->chunks[i] = HOLE;
  }
}

static int cover(struct node *n, off_t begin, off_t end, bool allocate) {
  uint64_t wanted = ((uint64_t)end + CHUNK_BYTES - 1) / CHUNK_BYTES;
  if (wanted > 16u * 1024 * 1024) return -EFBIG;
  if (wanted > n->chunk_count) {
    uint32_t *longer = realloc(n->chunks, wanted * sizeof *longer);
    if (!longer) return -ENOMEM;
    for (uint64_t i = n->chunk_count; i < wanted; i++) longer[i] = HOLE;
    n->chunks = longer;
    n->chunk_count = (uint32_t)wanted;
  }
  for (uint64_t i = (uint64_t)begin / CHUNK_BYTES; allocate && i < wanted; i++) {
    if (n->chunks[i] != HOLE) continue;
    if (free_count == 0) return -ENOSPC;
    n->chunks[i] = free_chunks[--free_count];
  }
  return 0;
}

static bool is_covered(const struct node *n, off_t begin, off_t end) {
  if (end > n->size || (uint64_t)end > (uint64_t)n->chunk_count * CHUNK_BYTES) return false;
  for (uint64_t i = (uint64_t)begin / CHUNK_BYTES; i * CHUNK_BYTES < (uint64_t)end; i++)
    if (n->chunks[i] == HOLE) return false;
  return true;
}

static int resize(struct node *n, off_t to) {
  if (to < 0) return -EINVAL;
  int error = cover(n, to, to, false);
  if (error) return error;
  if (to < n->size) {
    release_from(n, (uint32_t)((to + CHUNK_BYTES - 1) / CHUNK_BYTES));
    uint32_t last = (uint32_t)(to / CHUNK_BYTES), within = (uint32_t)(to % CHUNK_BYTES);
    if (within && n->chunks[last] != HOLE)
      memset(chunk_at(n->chunks[last]) + within, 0, CHUNK_BYTES - within);
  }
  n->size = to;
  return 0;
}

/// Calls for each piece of a range; a hole has no bytes.
static void each_piece(
    const struct node *n, off_t at, size_t count, char *buffer,
    void (*move)(char *stored, char *buffer, size_t bytes)) {
  while (count > 0) {
    size_t within = (size_t)(at % CHUNK_BYTES), bytes = CHUNK_BYTES - within;
    if (bytes > count) bytes = count;
    uint32_t place = n->chunks[at / CHUNK_BYTES];
    move(place == HOLE ? NULL : chunk_at(place) + within, buffer, bytes);
    at += (off_t)bytes, buffer += bytes, count -= bytes;
  }
}

static void fetch(char *stored, char *buffer, size_t bytes) {
  if (stored) memcpy(buffer, stored, bytes);
  else memset(buffer, 0, bytes);
}

static void store(char *stored, char *buffer, size_t bytes) { memcpy(stored, buffer, bytes); }

#endif
