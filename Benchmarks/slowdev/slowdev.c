// slowdev: a directory that behaves as if it stood on a device with one head.
//
// Every read and every write takes `overhead + bytes / rate`, one after the other, whatever the
// queue depth. Nothing is saved up in idle time, unlike a token bucket: a copier that waits for each
// read before it writes reaches 1 / (1/r + 1/w) between two such devices, one that keeps both busy
// reaches min(r, w). With stalls, a request that begins in the last FOR_S seconds of each EVERY_S
// seconds waits until they are over; the first period begins when the first file is opened, and
// again whenever a file is opened while none was.
//
// The files live in memory, in chunks of one pool that is populated at start, so the program itself
// costs one memcpy per byte and no page fault. The way through FUSE adds 0.1 to 0.3 ms to a request,
// which only a copier with a single request in flight feels. Files can be created, extended,
// allocated, renamed and removed, and there are directories: a virtual cartridge can live here.
#define _GNU_SOURCE
#define FUSE_USE_VERSION 35
#include <fuse.h>
#include <getopt.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "head.h"
#include "store.h"

// ---- What the kernel asks for. -----------------------------------------------------------------

static int locked_for_change(int (*change)(const char *, struct node *, off_t, off_t),
                             const char *path, off_t a, off_t b) {
  pthread_rwlock_wrlock(&tree);
  struct node *n = find(path);
  int result = n ? change(path, n, a, b) : -ENOENT;
  if (n) clock_gettime(CLOCK_REALTIME, &n->changed);
  pthread_rwlock_unlock(&tree);
  return result;
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *info) {
  (void)info;
  memset(st, 0, sizeof *st);
  pthread_rwlock_rdlock(&tree);
  struct node *n = find(path);
  if (n) {
    st->st_mode = (n->directory ? S_IFDIR : S_IFREG) | (n->mode & 07777);
    st->st_nlink = n->directory ? 2 : 1;
    st->st_uid = n->owner, st->st_gid = n->group;
    st->st_size = n->size;
    st->st_blksize = 4096;
    st->st_mtim = st->st_ctim = st->st_atim = n->changed;
    for (uint32_t i = 0; i < n->chunk_count; i++)
      if (n->chunks[i] != HOLE) st->st_blocks += CHUNK_BYTES / 512;
  }
  pthread_rwlock_unlock(&tree);
  return n ? 0 : -ENOENT;
}

static int on_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t at,
                      struct fuse_file_info *info, enum fuse_readdir_flags flags) {
  (void)at, (void)info, (void)flags;
  size_t length = strcmp(path, "/") ? strlen(path) : 0;
  fill(list, ".", NULL, 0, 0);
  fill(list, "..", NULL, 0, 0);
  pthread_rwlock_rdlock(&tree);
  for (int i = 0; i < MAXIMUM_NODES; i++) {
    const char *p = nodes[i].path;
    if (!nodes[i].used || strncmp(p, path, length) || p[length] != '/' || !p[length + 1]) continue;
    if (!strchr(p + length + 1, '/')) fill(list, p + length + 1, NULL, 0, 0);
  }
  pthread_rwlock_unlock(&tree);
  return 0;
}

static int on_open(const char *path, struct fuse_file_info *info) {
  (void)path;
  info->direct_io = 1;
  file_was_opened();
  return 0;
}

static int on_create(const char *path, mode_t mode, struct fuse_file_info *info) {
  pthread_rwlock_wrlock(&tree);
  struct fuse_context *by = fuse_get_context();
  int error = add(path, mode, false, by->uid, by->gid, NULL);
  pthread_rwlock_unlock(&tree);
  return error ? error : on_open(path, info);
}

static int on_release(const char *path, struct fuse_file_info *info) {
  (void)path, (void)info;
  file_was_closed();
  return 0;
}

static int on_read(const char *path, char *to, size_t count, off_t at, struct fuse_file_info *i) {
  (void)i;
  double end = reserve(count, head.read_rate);
  pthread_rwlock_rdlock(&tree);
  struct node *n = find(path);
  if (n) {
    if (at >= n->size) count = 0;
    else if (at + (off_t)count > n->size) count = (size_t)(n->size - at);
    each_piece(n, at, count, to, fetch);
  }
  pthread_rwlock_unlock(&tree);
  if (count) wait_until(end);
  return n ? (int)count : -ENOENT;
}

static int extend(const char *path, struct node *n, off_t begin, off_t end) {
  (void)path;
  int error = cover(n, begin, end, true);
  if (!error && end > n->size) n->size = end;
  return error;
}

static int on_write(
    const char *path, const char *from, size_t count, off_t at, struct fuse_file_info *info) {
  (void)info;
  double end = reserve(count, head.write_rate);
  off_t past = at + (off_t)count;
  pthread_rwlock_rdlock(&tree);
  struct node *n = find(path);
  while (n && !is_covered(n, at, past)) {
    pthread_rwlock_unlock(&tree);
    int error = locked_for_change(extend, path, at, past);
    if (error) return error;
    pthread_rwlock_rdlock(&tree);
    n = find(path);
  }
  if (n) each_piece(n, at, count, (char *)from, store);
  pthread_rwlock_unlock(&tree);
  if (!n) return -ENOENT;
  wait_until(end);
  return (int)count;
}

static int truncate_node(const char *path, struct node *n, off_t to, off_t unused) {
  (void)path, (void)unused;
  return resize(n, to);
}

static int on_truncate(const char *path, off_t to, struct fuse_file_info *info) {
  (void)info;
  return locked_for_change(truncate_node, path, to, 0);
}

static int allocate_beyond(const char *path, struct node *n, off_t begin, off_t end) {
  (void)path;
  return cover(n, begin, end, true);
}

static int on_fallocate(
    const char *path, int mode, off_t at, off_t count, struct fuse_file_info *info) {
  (void)info;
  if (at < 0 || count <= 0) return -EINVAL;
  if (mode == FALLOC_FL_KEEP_SIZE) return locked_for_change(allocate_beyond, path, at, at + count);
  if (mode == 0) return locked_for_change(extend, path, at, at + count);
  return -EOPNOTSUPP;
}

static int on_mkdir(const char *path, mode_t mode) {
  pthread_rwlock_wrlock(&tree);
  struct fuse_context *by = fuse_get_context();
  int error = add(path, mode, true, by->uid, by->gid, NULL);
  pthread_rwlock_unlock(&tree);
  return error;
}

static int remove_node(const char *path, struct node *n, off_t directory, off_t unused) {
  (void)unused;
  if (n->directory != (bool)directory) return directory ? -ENOTDIR : -EISDIR;
  size_t length = strlen(path);
  for (int i = 0; directory && i < MAXIMUM_NODES; i++)
    if (nodes[i].used && !strncmp(nodes[i].path, path, length) && nodes[i].path[length] == '/')
      return -ENOTEMPTY;
  release_from(n, 0);
  free(n->chunks);
  n->chunks = NULL, n->chunk_count = 0, n->used = false;
  return 0;
}

static int on_unlink(const char *path) { return locked_for_change(remove_node, path, false, 0); }
static int on_rmdir(const char *path) { return locked_for_change(remove_node, path, true, 0); }

static int on_rename(const char *from, const char *to, unsigned flags) {
  if (flags || strlen(to) >= MAXIMUM_PATH) return -EINVAL;
  pthread_rwlock_wrlock(&tree);
  struct node *n = find(from), *old = find(to);
  int error = n ? 0 : -ENOENT;
  if (n && n->directory) error = -EOPNOTSUPP;
  if (!error && old && old != n) error = remove_node(to, old, false, 0);
  if (!error) strcpy(n->path, to);
  pthread_rwlock_unlock(&tree);
  return error;
}

static int change_mode(const char *path, struct node *n, off_t mode, off_t unused) {
  (void)path, (void)unused;
  n->mode = (mode_t)mode & 07777;
  return 0;
}

static int on_chmod(const char *path, mode_t mode, struct fuse_file_info *info) {
  (void)info;
  return locked_for_change(change_mode, path, mode, 0);
}

static int on_utimens(const char *path, const struct timespec t[2], struct fuse_file_info *info) {
  (void)path, (void)t, (void)info;
  return 0;
}

static int on_fsync(const char *path, int data_only, struct fuse_file_info *info) {
  (void)path, (void)data_only, (void)info;
  return 0;  // a write has already waited for the head
}

static int on_statfs(const char *path, struct statvfs *fs) {
  (void)path;
  fs->f_bsize = fs->f_frsize = CHUNK_BYTES;
  fs->f_blocks = pool_chunks;
  fs->f_bfree = fs->f_bavail = free_count;
  fs->f_files = fs->f_ffree = MAXIMUM_NODES;
  fs->f_namemax = MAXIMUM_PATH - 1;
  return 0;
}

static void *on_init(struct fuse_conn_info *connection, struct fuse_config *config) {
  config->hard_remove = 1;
  connection->max_write = CHUNK_BYTES;
  connection->max_background = 64;
  if (connection->capable & FUSE_CAP_ASYNC_DIO) connection->want |= FUSE_CAP_ASYNC_DIO;
  return NULL;
}

static const struct fuse_operations operations = {
    .init = on_init, .getattr = on_getattr, .readdir = on_readdir, .statfs = on_statfs,
    .open = on_open, .create = on_create, .release = on_release,
    .read = on_read, .write = on_write, .fsync = on_fsync,
    .truncate = on_truncate, .fallocate = on_fallocate,
    .mkdir = on_mkdir, .unlink = on_unlink, .rmdir = on_rmdir, .rename = on_rename,
    .chmod = on_chmod, .utimens = on_utimens,
};

// ---- Start. ------------------------------------------------------------------------------------

static int usage(void) {
  fputs(
      "usage: slowdev [options] MOUNTPOINT      (end it with: fusermount3 -u MOUNTPOINT)\n"
      "  --size MIB        what the device holds (default 1024)\n"
      "  --disk MIB        begin with a file `disk` of this size, allocated (default: none)\n"
      "  --read MB/S       rate of reads in 10^6 bytes per second (default 1000)\n"
      "  --write MB/S      rate of writes (default: as reads)\n"
      "  --overhead US     time of a request besides its bytes, in microseconds (default 0)\n"
      "  --stall EVERY,FOR stand still in the last FOR of each EVERY seconds\n",
      stderr);
  return 1;
}

int main(int argc, char **argv) {
  double size_mib = 1024, disk_mib = 0, read_mb = 1000, write_mb = 0, overhead_us = 0;
  static const struct option options[] = {
      {"size", 1, NULL, 's'},     {"disk", 1, NULL, 'd'},  {"read", 1, NULL, 'r'},
      {"write", 1, NULL, 'w'},    {"overhead", 1, NULL, 'o'}, {"stall", 1, NULL, 't'}, {0}};
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (c == 's') size_mib = atof(optarg);
    else if (c == 'd') disk_mib = atof(optarg);
    else if (c == 'r') read_mb = atof(optarg);
    else if (c == 'w') write_mb = atof(optarg);
    else if (c == 'o') overhead_us = atof(optarg);
    else if (c != 't' || sscanf(optarg, "%lf,%lf", &head.stall_every_s, &head.stall_for_s) != 2)
      return usage();
  }
  bool possible = size_mib >= 1 && size_mib < 1 << 20 && disk_mib >= 0 && disk_mib <= size_mib &&
                  read_mb > 0 && write_mb >= 0 && overhead_us >= 0 &&
                  head.stall_for_s >= 0 && head.stall_every_s >= head.stall_for_s;
  if (optind != argc - 1 || !possible) return usage();
  head.read_rate = read_mb * 1e6;
  head.write_rate = (write_mb > 0 ? write_mb : read_mb) * 1e6;
  head.overhead_s = overhead_us / 1e6;

  pool_chunks = free_count = (uint32_t)size_mib;
  free_chunks = malloc(pool_chunks * sizeof *free_chunks);
  pool = mmap(NULL, (size_t)pool_chunks * CHUNK_BYTES, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (!free_chunks || pool == MAP_FAILED) return perror("slowdev: memory of the device"), 1;
  for (uint32_t i = 0; i < pool_chunks; i++) free_chunks[i] = pool_chunks - 1 - i;

  add("/", 0755, true, getuid(), getgid(), NULL);
  struct node *disk = NULL;
  if (disk_mib > 0) {
    add("/disk", 0644, false, getuid(), getgid(), &disk);
    extend("/disk", disk, 0, (off_t)disk_mib * CHUNK_BYTES);
  }

  prctl(PR_SET_TIMERSLACK, 1);  // wake up when the head is done, not 50 microseconds later
  char *arguments[] = {argv[0], "-o", "default_permissions", "-o", "max_threads=32", argv[optind],
                       NULL};
  return fuse_main(6, arguments, &operations, NULL);
}
