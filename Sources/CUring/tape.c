#define _GNU_SOURCE
#include <errno.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/mtio.h>

#include "CUring.h"

const int cu_tape_write_filemarks = MTWEOF;
#ifndef MTWEOFI
#define MTWEOFI 35
#endif
const int cu_tape_write_filemarks_immediately = MTWEOFI;
const int cu_tape_forward_filemarks = MTFSF;
const int cu_tape_backward_filemarks = MTBSF;
const int cu_tape_forward_records = MTFSR;
const int cu_tape_backward_records = MTBSR;
const int cu_tape_end_of_data = MTEOM;
const int cu_tape_locate = MTSEEK;
const int cu_tape_rewind = MTREW;
const int cu_tape_set_block = MTSETBLK;

int cu_tape_command(int fd, int operation, int count) {
  struct mtop command = {.mt_op = (short)operation, .mt_count = count};
  return ioctl(fd, MTIOCTOP, &command) == 0 ? 0 : -errno;
}

int64_t cu_tape_position(int fd) {
  struct mtpos position;
  return ioctl(fd, MTIOCPOS, &position) == 0 ? (int64_t)position.mt_blkno : -errno;
}

int cu_tape_status(int fd, struct cu_tape_status *result) {
  struct mtget status;
  if (ioctl(fd, MTIOCGET, &status) != 0) return -errno;
  result->residual = status.mt_resid;
  result->filemark = GMT_EOF(status.mt_gstat) != 0;
  result->end_of_data = GMT_EOD(status.mt_gstat) != 0;
  result->beginning = GMT_BOT(status.mt_gstat) != 0;
  result->end_of_medium = GMT_EOT(status.mt_gstat) != 0;
  result->write_protected = GMT_WR_PROT(status.mt_gstat) != 0;
  result->online = GMT_ONLINE(status.mt_gstat) != 0;
  return 0;
}
