/*
 * iscsi-load keeps so many READ(16) or WRITE(16) commands in flight on one disk, through libiscsi, and
 * says what came of it: the same client for every target, with its own processor time.
 *
 * usage: iscsi-load URL read|write sequential|random BLOCK_BYTES DEPTH SECONDS SPAN_BYTES
 * prints one line of JSON; SPAN_BYTES from the start of the disk are used, over and over.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

extern void scsi_task_set_iov_out(struct scsi_task *, struct scsi_iovec *, int);
extern void scsi_task_set_iov_in(struct scsi_task *, struct scsi_iovec *, int);

enum { depth_max = 64, samples_max = 1 << 20, warm_up_commands_per_slot = 4 };

struct slot {
  uint8_t *bytes;
  struct scsi_iovec vector;
  double began;
};

static struct iscsi_context *context;
static struct slot slots[depth_max];
static int lun, writes, random_order, in_flight, stops;
static uint32_t block_bytes, sector_bytes;
static uint64_t blocks, next_block, done, warm_up;
static uint64_t seed = 88172645463325252;
static float samples[samples_max];
static double began, ended, processor_before;

static void die(const char *what) {
  fprintf(stderr, "iscsi-load: %s: %s\n", what, context ? iscsi_get_error(context) : "");
  exit(1);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static uint64_t place(void) {
  if (!random_order) return next_block++ % blocks;
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return seed % blocks;
}

static void begin(struct slot *slot);

static void came(struct iscsi_context *from, int status, void *data, void *of_slot) {
  struct scsi_task *task = data;
  struct slot *slot = of_slot;
  (void)from;
  if (status != SCSI_STATUS_GOOD) die(writes ? "WRITE(16)" : "READ(16)");
  scsi_free_scsi_task(task);
  in_flight--;
  double now = seconds_now();
  done++;
  if (done == warm_up) {
    began = now;
    processor_before = processor_seconds();
  } else if (done > warm_up && !stops) {
    uint64_t number = done - warm_up - 1;
    if (number < samples_max) samples[number] = now - slot->began;
    ended = now;
  }
  if (!stops) begin(slot);
}

static void begin(struct slot *slot) {
  uint64_t lba = place() * (block_bytes / sector_bytes);
  uint32_t count = block_bytes / sector_bytes;
  unsigned char cdb[16] = {writes ? 0x8a : 0x88};
  for (int i = 0; i < 8; i++) cdb[2 + i] = lba >> (56 - 8 * i);
  for (int i = 0; i < 4; i++) cdb[10 + i] = count >> (24 - 8 * i);
  struct scsi_task *task =
    scsi_create_task(16, cdb, writes ? SCSI_XFER_WRITE : SCSI_XFER_READ, block_bytes);
  if (!task) die("memory");
  slot->vector = (struct scsi_iovec){slot->bytes, block_bytes};
  if (writes) scsi_task_set_iov_out(task, &slot->vector, 1);
  else scsi_task_set_iov_in(task, &slot->vector, 1);
  slot->began = seconds_now();
  if (iscsi_scsi_command_async(context, lun, task, came, NULL, slot)) die("send");
  in_flight++;
}

static void serve(void) {
  struct pollfd descriptor = {iscsi_get_fd(context), iscsi_which_events(context), 0};
  if (poll(&descriptor, 1, 5000) < 0 && errno != EINTR) die("poll");
  if (iscsi_service(context, descriptor.revents) < 0) die("connection");
}

static int ascending(const void *left, const void *right) {
  float a = *(const float *)left, b = *(const float *)right;
  return (a > b) - (a < b);
}

int main(int count, char **words) {
  if (count != 8) {
    fprintf(stderr, "usage: iscsi-load URL read|write sequential|random BLOCK DEPTH SECONDS SPAN\n");
    return 2;
  }
  writes = !strcmp(words[2], "write");
  random_order = !strcmp(words[3], "random");
  block_bytes = strtoul(words[4], NULL, 0);
  int depth = atoi(words[5]);
  double seconds = atof(words[6]);
  if (depth < 1 || depth > depth_max || !block_bytes) return 2;
  context = iscsi_create_context("iqn.2026-11.org.ecopy.benchmark:client");
  struct iscsi_url *url = context ? iscsi_parse_full_url(context, words[1]) : NULL;
  if (!url) die(words[1]);
  lun = url->lun;
  iscsi_set_targetname(context, url->target);
  iscsi_set_session_type(context, ISCSI_SESSION_NORMAL);
  iscsi_set_header_digest(context, ISCSI_HEADER_DIGEST_NONE);
  iscsi_set_noautoreconnect(context, 1);
  if (iscsi_full_connect_sync(context, url->portal, lun)) die("login");
  struct scsi_task *task = iscsi_readcapacity16_sync(context, lun);
  struct scsi_readcapacity16 *capacity =
    task && task->status == SCSI_STATUS_GOOD ? scsi_datain_unmarshall(task) : NULL;
  if (!capacity) die("READ CAPACITY(16)");
  sector_bytes = capacity->block_length;
  scsi_free_scsi_task(task);
  blocks = strtoull(words[7], NULL, 0) / block_bytes;
  if (!blocks || block_bytes % sector_bytes) return 2;

  warm_up = depth * warm_up_commands_per_slot;
  for (int i = 0; i < depth; i++) {
    if (posix_memalign((void **)&slots[i].bytes, 4096, block_bytes)) die("memory");
    for (uint32_t at = 0; at < block_bytes; at++) slots[i].bytes[at] = at * 31 + (at >> 8) + i;
    begin(&slots[i]);
  }
  while (!began) serve();
  while (seconds_now() < began + seconds) serve();
  double processor = processor_seconds() - processor_before;
  stops = 1;
  uint64_t number = done - warm_up;
  while (in_flight) serve();
  uint64_t kept = number < samples_max ? number : samples_max;
  if (!kept) die("no command ended in time");
  qsort(samples, kept, sizeof *samples, ascending);
  double elapsed = ended - began;
  printf("{\"commands\": %llu, \"seconds\": %.6f, \"mib_per_second\": %.3f, \"p50_us\": %.1f, "
         "\"p99_us\": %.1f, \"client_cpu_seconds\": %.4f, \"transferred\": %llu}\n",
    (unsigned long long)number, elapsed, number * (double)block_bytes / 1048576 / elapsed,
    samples[kept / 2] * 1e6, samples[(size_t)(kept * 0.99)] * 1e6, processor,
    (unsigned long long)done * block_bytes);
  iscsi_logout_sync(context);
  iscsi_destroy_url(url);
  iscsi_destroy_context(context);
  return 0;
}
