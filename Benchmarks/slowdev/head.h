// The head of the device: one request after the other, and when each is done.
#ifndef SLOWDEV_HEAD_H
#define SLOWDEV_HEAD_H
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

static struct {
  pthread_mutex_t lock;
  double busy_until_s, stall_epoch_s;
  double read_rate, write_rate, overhead_s;
  double stall_every_s, stall_for_s;
  int open_files;
} head = {.lock = PTHREAD_MUTEX_INITIALIZER};

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double reserve(size_t bytes, double bytes_per_second) {
  double now = now_s();
  pthread_mutex_lock(&head.lock);
  double start = head.busy_until_s > now ? head.busy_until_s : now;
  if (head.stall_every_s > 0) {
    double age = start - head.stall_epoch_s;
    double position = age - head.stall_every_s * (double)(int64_t)(age / head.stall_every_s);
    double left = head.stall_every_s - position;
    if (left <= head.stall_for_s) start += left;
  }
  double end = head.busy_until_s = start + head.overhead_s + (double)bytes / bytes_per_second;
  pthread_mutex_unlock(&head.lock);
  return end;
}

static void wait_until(double when_s) {
  struct timespec t = {.tv_sec = (time_t)when_s};
  t.tv_nsec = (long)((when_s - (double)t.tv_sec) * 1e9);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}

static void file_was_opened(void) {
  pthread_mutex_lock(&head.lock);
  if (head.open_files++ == 0) head.stall_epoch_s = now_s();
  pthread_mutex_unlock(&head.lock);
}

static void file_was_closed(void) {
  pthread_mutex_lock(&head.lock);
  head.open_files--;
  pthread_mutex_unlock(&head.lock);
}

#endif
