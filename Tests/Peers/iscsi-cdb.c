/*
 * iscsi-cdb sends SCSI commands through libiscsi, which is not ours, and prints what came back: the
 * tests trust it to say what a target, a disk or a tape holds.
 *
 * usage: iscsi-cdb [OPTION…] URL VERB ARGUMENT… [, VERB ARGUMENT…]…      (a lone "," parts steps)
 *   URL        iscsi://[user[%password]@]host:port/target/lun[?target_user=U&target_password=P]
 *   -H         header digest CRC32C, and nothing else
 *   -N         no immediate data          -R  offer InitialR2T=No
 *   -i NAME    initiator name             -t SECONDS  for a command (30)
 *   -k         go on behind an answer that was not expected
 *   -q         only failures and results  -n  leave the first unit attention to be seen
 * Verbs; "expect=" is good, cc (any CHECK CONDITION), any, a status in hex, or KEY/ASC/ASCQ in hex:
 *   cdb HEX [in=BYTES] [out=HEX|out=@FILE|outz=BYTES] [save=FILE] [expect=…]
 *   tur  inq  vpd PAGE  reqsense  modesense PAGE  readcap  opcodes
 *   rewind  wfm COUNT  space CODE COUNT  readpos  load  unload  modeblk BYTES
 *   twrite FILE RECORD_BYTES               FILE onto the tape in records, the last one short
 *   tread FILE|- [max=BYTES] [records=N]   from here to the end of data; totals, and a list of runs
 *   dread LBA BLOCKS BLOCK_BYTES FILE|-    dwrite LBA FILE BLOCK_BYTES
 *   xcopy HEX|@FILE  rcr ACTION [LIST_ID]  EXTENDED COPY (LID1), RECEIVE COPY RESULTS
 *   lunreset  warmreset  coldreset  sleep MILLISECONDS
 * exit: 0 all as expected; 1 something was not; 2 usage, or the connection failed.
 */
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

/* What libiscsi.so exports and some versions declare only in private headers. */
extern void scsi_task_set_iov_out(struct scsi_task *, struct scsi_iovec *, int);
extern void scsi_task_set_iov_in(struct scsi_task *, struct scsi_iovec *, int);

enum { transfer_bytes = 1 << 20, words_max = 64 };

static struct iscsi_context *context;
static int lun, quiet, keeps_going, timeout_seconds = 30, unexpected;

struct words {
  char **word;
  int count;
};

struct answer {
  int status;
  int sense_length;
  uint8_t sense[512];
  int key, asc, ascq;
  int filemark, end_of_medium, incorrect_length, has_information;
  int64_t information;
  int residual_kind;
  uint32_t residual;
  /* Bytes that were transferred, by the residual count. */
  uint32_t count;
};

static void die(const char *format, ...) {
  va_list values;
  va_start(values, format);
  vfprintf(stderr, format, values);
  va_end(values);
  fputc('\n', stderr);
  exit(2);
}

static void *memory(size_t bytes) {
  void *result = calloc(1, bytes ? bytes : 1);
  if (!result) die("out of memory: %zu bytes", bytes);
  return result;
}

static uint32_t big32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
static uint64_t big64(const uint8_t *at) { return (uint64_t)big32(at) << 32 | big32(at + 4); }
static void put24(uint8_t *to, uint32_t value) {
  to[0] = value >> 16, to[1] = value >> 8, to[2] = value;
}
static void put32(uint8_t *to, uint32_t value) { to[0] = value >> 24, put24(to + 1, value); }
static void put64(uint8_t *to, uint64_t value) { put32(to, value >> 32), put32(to + 4, value); }

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

/* ---- SHA-256 ---- */

static EVP_MD_CTX *digest_new(void) {
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  if (!digest || !EVP_DigestInit_ex(digest, EVP_sha256(), NULL)) die("no SHA-256");
  return digest;
}

/* Ends the digest; the text is overwritten by the next one. */
static const char *digest_text(EVP_MD_CTX *digest) {
  static char text[65];
  uint8_t bytes[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(digest, bytes, &length);
  EVP_MD_CTX_free(digest);
  for (unsigned i = 0; i < length; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  return text;
}

/* ---- sense data, SPC-4 4.5 ---- */

static void parse_sense(struct answer *answer) {
  const uint8_t *sense = answer->sense;
  int length = answer->sense_length;
  answer->key = answer->asc = answer->ascq = -1;
  if (length < 4) return;
  int code = sense[0] & 0x7f;
  if (code == 0x70 || code == 0x71) {
    answer->key = sense[2] & 15;
    answer->filemark = sense[2] >> 7;
    answer->end_of_medium = sense[2] >> 6 & 1;
    answer->incorrect_length = sense[2] >> 5 & 1;
    if (sense[0] & 0x80 && length >= 7) {
      answer->has_information = 1;
      answer->information = (int32_t)big32(sense + 3);
    }
    if (length >= 14) answer->asc = sense[12], answer->ascq = sense[13];
  } else if ((code == 0x72 || code == 0x73) && length >= 8) {
    answer->key = sense[1] & 15, answer->asc = sense[2], answer->ascq = sense[3];
    int end = 8 + sense[7] < length ? 8 + sense[7] : length;
    for (int at = 8; at + 1 < end; at += 2 + sense[at + 1]) {
      if (sense[at] == 0 && at + 12 <= end) {
        answer->has_information = sense[at + 2] >> 7;
        answer->information = (int64_t)big64(sense + at + 4);
      } else if (sense[at] == 4 && at + 4 <= end) {
        answer->filemark = sense[at + 3] >> 7;
        answer->end_of_medium = sense[at + 3] >> 6 & 1;
        answer->incorrect_length = sense[at + 3] >> 5 & 1;
      }
    }
  }
}

/* The copy source's and the copy destination's own status inside COPY ABORTED, SPC-3 6.3.3. */
static void print_nested(const struct answer *answer) {
  for (int end = 0; end < 2; end++) {
    int at = answer->sense[8 + end];
    if (at < 18 || at >= answer->sense_length) continue;
    printf("  nested %s: status %02x, sense", end ? "destination" : "source", answer->sense[at]);
    for (int i = at + 1; i < answer->sense_length; i++) printf(" %02x", answer->sense[i]);
    putchar('\n');
  }
}

static void print_sense(const struct answer *answer) {
  const uint8_t *sense = answer->sense;
  printf("  sense[%d]:", answer->sense_length);
  for (int i = 0; i < answer->sense_length; i++) printf(" %02x", sense[i]);
  if (answer->key < 0) {
    putchar('\n');
    return;
  }
  printf("\n  key %x asc/ascq %02x/%02x (%s)%s%s%s", answer->key, answer->asc & 0xff,
    answer->ascq & 0xff, scsi_sense_key_str(answer->key), answer->filemark ? " FILEMARK" : "",
    answer->end_of_medium ? " EOM" : "", answer->incorrect_length ? " ILI" : "");
  if (answer->has_information) printf(" information %lld", (long long)answer->information);
  int fixed = (sense[0] & 0x7e) == 0x70 && answer->sense_length >= 18;
  if (fixed && sense[15] & 0x80) {
    printf(" %s field pointer %d", sense[15] & 0x40 ? "CDB or segment" : "parameter list",
      sense[16] << 8 | sense[17]);
  }
  putchar('\n');
  if (fixed && answer->key == SCSI_SENSE_COPY_ABORTED) print_nested(answer);
}

/* ---- one command ---- */

struct waiting {
  int finished;
  int status;
};

static void came(struct iscsi_context *from, int status, void *data, void *waiting) {
  (void)from, (void)data;
  *(struct waiting *)waiting = (struct waiting){1, status};
}

static void wait_for(struct waiting *waiting, int operation) {
  double end = seconds_now() + timeout_seconds;
  while (!waiting->finished) {
    struct pollfd descriptor = {iscsi_get_fd(context), iscsi_which_events(context), 0};
    int ready = poll(&descriptor, 1, 200);
    if (ready < 0 && errno != EINTR) die("poll: %s", strerror(errno));
    if (iscsi_service(context, ready > 0 ? descriptor.revents : 0) < 0)
      die("connection: %s", iscsi_get_error(context));
    if (seconds_now() > end) die("no answer to %02x within %d s", operation, timeout_seconds);
  }
}

static struct answer run(const uint8_t *cdb, int cdb_length, const uint8_t *out,
  uint32_t out_length, uint8_t *in, uint32_t in_length) {
  struct answer answer = {0};
  struct waiting waiting = {0};
  uint32_t expected = out_length ? out_length : in_length;
  int direction = out_length ? SCSI_XFER_WRITE : in_length ? SCSI_XFER_READ : SCSI_XFER_NONE;
  struct scsi_task *task =
    scsi_create_task(cdb_length, (unsigned char *)cdb, direction, expected);
  struct scsi_iovec vector = {out_length ? (void *)out : in, expected};
  if (out_length) scsi_task_set_iov_out(task, &vector, 1);
  else if (in_length) scsi_task_set_iov_in(task, &vector, 1);
  if (iscsi_scsi_command_async(context, lun, task, came, NULL, &waiting))
    die("send: %s", iscsi_get_error(context));
  wait_for(&waiting, cdb[0]);
  answer.status = waiting.status > 0xff ? waiting.status : task->status;
  answer.residual = task->residual;
  answer.residual_kind = task->residual_status;
  if (answer.status == SCSI_STATUS_CHECK_CONDITION && task->datain.size >= 2) {
    int length = task->datain.data[0] << 8 | task->datain.data[1];
    if (length > task->datain.size - 2) length = task->datain.size - 2;
    if (length > (int)sizeof answer.sense) length = sizeof answer.sense;
    answer.sense_length = length;
    memcpy(answer.sense, task->datain.data + 2, length);
    parse_sense(&answer);
  }
  int under = answer.residual_kind == SCSI_RESIDUAL_UNDERFLOW && answer.residual <= expected;
  answer.count = under ? expected - answer.residual : expected;
  scsi_free_scsi_task(task);
  return answer;
}

static void show(const char *name, const struct answer *answer) {
  printf("%s: status %02x", name, answer->status);
  if (answer->residual_kind) {
    printf(" residual %s %u", answer->residual_kind == SCSI_RESIDUAL_UNDERFLOW ? "under" : "over",
      answer->residual);
  }
  putchar('\n');
  if (answer->status == SCSI_STATUS_CHECK_CONDITION) print_sense(answer);
}

static int is_as(const char *wanted, const struct answer *answer) {
  unsigned key, asc, ascq, status;
  int checks = answer->status == SCSI_STATUS_CHECK_CONDITION;
  if (!wanted || !strcmp(wanted, "good")) return answer->status == 0;
  if (!strcmp(wanted, "any")) return 1;
  if (!strcmp(wanted, "cc")) return checks;
  if (sscanf(wanted, "%x/%x/%x", &key, &asc, &ascq) == 3) {
    return checks && answer->key == (int)key && answer->asc == (int)asc
      && answer->ascq == (int)ascq;
  }
  return sscanf(wanted, "%x", &status) == 1 && answer->status == (int)status;
}

static int check(const char *name, const char *wanted, const struct answer *answer) {
  int as_wanted = is_as(wanted, answer);
  if (!as_wanted || !quiet) show(name, answer);
  if (!as_wanted) {
    printf("  UNEXPECTED: wanted %s\n", wanted ? wanted : "good");
    unexpected++;
    if (!keeps_going) exit(1);
  }
  return as_wanted;
}

/* ---- arguments of a step ---- */

static const char *argument(struct words words, int index) {
  if (index >= words.count) die("%s: an argument is missing", words.word[0]);
  return words.word[index];
}

static uint64_t number(struct words words, int index) {
  return strtoull(argument(words, index), NULL, 0);
}

/* The value of NAME=value, or NULL. */
static const char *option(struct words words, const char *name) {
  size_t length = strlen(name);
  for (int i = 1; i < words.count; i++)
    if (!strncmp(words.word[i], name, length) && words.word[i][length] == '=')
      return words.word[i] + length + 1;
  return NULL;
}

static uint8_t *from_hex(const char *text, uint32_t *length) {
  uint8_t *bytes = memory(strlen(text) / 2 + 1);
  int high = -1;
  *length = 0;
  for (; *text; text++) {
    if (!isxdigit((unsigned char)*text)) continue;
    int digit = isdigit((unsigned char)*text) ? *text - '0' : tolower(*text) - 'a' + 10;
    if (high < 0) high = digit;
    else bytes[(*length)++] = high << 4 | digit, high = -1;
  }
  return bytes;
}

static FILE *opened(const char *path, const char *mode) {
  FILE *file = fopen(path, mode);
  if (!file) die("%s: %s", path, strerror(errno));
  return file;
}

static uint8_t *from_file(const char *path, uint32_t *length) {
  FILE *file = opened(path, "rb");
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  uint8_t *bytes = memory(size);
  if (fread(bytes, 1, size, file) != (size_t)size) die("%s: cut short", path);
  fclose(file);
  *length = size;
  return bytes;
}

static uint8_t *bytes_of(const char *text, uint32_t *length) {
  return *text == '@' ? from_file(text + 1, length) : from_hex(text, length);
}

static void print_bytes(const uint8_t *bytes, uint32_t length) {
  for (uint32_t line = 0; line < length; line += 16) {
    printf("    %04x ", line);
    for (uint32_t i = line; i < line + 16 && i < length; i++) printf(" %02x", bytes[i]);
    putchar('\n');
  }
}

/* Sends a CDB that transfers at most `in_length` bytes in, prints them and keeps them if asked. */
static void plain(struct words words, const char *name, const uint8_t *cdb, int length,
  uint32_t in_length) {
  uint8_t *in = memory(in_length);
  struct answer answer = run(cdb, length, NULL, 0, in, in_length);
  check(name, option(words, "expect"), &answer);
  if (answer.status == 0 && in_length) {
    if (!quiet) print_bytes(in, answer.count);
    const char *path = option(words, "save");
    if (path) {
      FILE *file = opened(path, "wb");
      fwrite(in, 1, answer.count, file);
      fclose(file);
    }
  }
  free(in);
}

/* ---- verbs ---- */

static void do_cdb(struct words words) {
  uint32_t length, out_length = 0;
  uint8_t *cdb = from_hex(argument(words, 1), &length), *out = NULL;
  if (length > 16) die("a CDB of %u bytes: libiscsi sends at most 16", length);
  if (option(words, "out")) out = bytes_of(option(words, "out"), &out_length);
  if (option(words, "outz")) {
    out_length = strtoul(option(words, "outz"), NULL, 0);
    out = memory(out_length);
  }
  if (out) {
    struct answer answer = run(cdb, length, out, out_length, NULL, 0);
    check("cdb", option(words, "expect"), &answer);
  } else {
    const char *in = option(words, "in");
    plain(words, "cdb", cdb, length, in ? strtoul(in, NULL, 0) : 0);
  }
  free(cdb);
  free(out);
}

static void do_tur(struct words words) { plain(words, "TEST UNIT READY", (uint8_t[6]){0}, 6, 0); }
static void do_inq(struct words words) {
  plain(words, "INQUIRY", (uint8_t[6]){0x12, 0, 0, 0, 96}, 6, 96);
}
static void do_vpd(struct words words) {
  plain(words, "INQUIRY", (uint8_t[6]){0x12, 1, number(words, 1), 2, 0}, 6, 512);
}
static void do_reqsense(struct words words) {
  plain(words, "REQUEST SENSE", (uint8_t[6]){3, 0, 0, 0, 252}, 6, 252);
}
static void do_modesense(struct words words) {
  plain(words, "MODE SENSE(6)", (uint8_t[6]){0x1a, 0, number(words, 1), 0, 252}, 6, 252);
}
static void do_readcap(struct words words) {
  uint8_t cdb[16] = {0x9e, 0x10};
  cdb[13] = 32;
  plain(words, "READ CAPACITY(16)", cdb, 16, 32);
}
static void do_opcodes(struct words words) {
  uint8_t cdb[12] = {0xa3, 0x0c};
  put32(cdb + 6, 4096);
  plain(words, "REPORT SUPPORTED OPERATION CODES", cdb, 12, 4096);
}
static void do_rewind(struct words words) { plain(words, "REWIND", (uint8_t[6]){1}, 6, 0); }
static void do_load(struct words words) {
  plain(words, "LOAD", (uint8_t[6]){0x1b, 0, 0, 0, 1}, 6, 0);
}
static void do_unload(struct words words) { plain(words, "UNLOAD", (uint8_t[6]){0x1b}, 6, 0); }
static void do_readpos(struct words words) {
  plain(words, "READ POSITION", (uint8_t[10]){0x34}, 10, 20);
}
static void do_wfm(struct words words) {
  uint8_t cdb[6] = {0x10};
  put24(cdb + 2, number(words, 1));
  plain(words, "WRITE FILEMARKS", cdb, 6, 0);
}
static void do_space(struct words words) {
  uint8_t cdb[6] = {0x11, number(words, 1)};
  put24(cdb + 2, strtol(argument(words, 2), NULL, 0));
  plain(words, "SPACE", cdb, 6, 0);
}
static void do_modeblk(struct words words) {
  uint8_t parameters[12] = {0, 0, 0x10, 8};
  put24(parameters + 9, number(words, 1));
  struct answer answer = run((uint8_t[6]){0x15, 0x10, 0, 0, 12}, 6, parameters, 12, NULL, 0);
  check("MODE SELECT(6)", option(words, "expect"), &answer);
}

static void do_twrite(struct words words) {
  uint32_t size, records = 0, at = 0, record = number(words, 2);
  uint8_t *bytes = from_file(argument(words, 1), &size);
  if (!record) die("twrite: records of 0 bytes");
  while (at < size) {
    uint32_t length = size - at < record ? size - at : record;
    uint8_t cdb[6] = {0x0a};
    put24(cdb + 2, length);
    struct answer answer = run(cdb, 6, bytes + at, length, NULL, 0);
    int early_warning = answer.status == 2 && answer.key == 0 && answer.end_of_medium;
    if (!early_warning && !check("WRITE(6)", option(words, "expect"), &answer)) break;
    at += length, records++;
  }
  EVP_MD_CTX *digest = digest_new();
  EVP_DigestUpdate(digest, bytes, at);
  printf("twrite: %u bytes, %u records, sha256 %s\n", at, records, digest_text(digest));
  free(bytes);
}

struct tape_totals {
  uint64_t bytes;
  uint32_t records, filemarks;
  /* Records of equal length that follow each other. */
  uint32_t run_length, run_records;
};

static void end_run(struct tape_totals *totals) {
  if (totals->run_records)
    printf("  %u records of %u bytes\n", totals->run_records, totals->run_length);
  totals->run_records = 0;
}

/* The length of the record that was read, or -1 where it was none and reading ends. */
static int64_t record_length(const struct answer *answer, uint32_t longest) {
  if (answer->status == 0)
    return answer->residual_kind == SCSI_RESIDUAL_UNDERFLOW ? longest - answer->residual : longest;
  if (answer->status != 2 || answer->key || !answer->incorrect_length || !answer->has_information)
    return -1;
  return answer->information < 0 ? -1 : longest - answer->information;
}

static void do_tread(struct words words) {
  const char *longest_text = option(words, "max"), *limit = option(words, "records");
  uint32_t longest = longest_text ? strtoul(longest_text, NULL, 0) : 4 << 20;
  long objects = limit ? strtol(limit, NULL, 0) : -1;
  FILE *file = strcmp(argument(words, 1), "-") ? opened(words.word[1], "wb") : NULL;
  uint8_t *bytes = memory(longest), cdb[6] = {0x08};
  EVP_MD_CTX *digest = digest_new();
  struct tape_totals totals = {0};
  int empty = 0;
  put24(cdb + 2, longest);
  for (; objects; objects -= objects > 0) {
    struct answer answer = run(cdb, 6, NULL, 0, bytes, longest);
    if (answer.status == 2 && answer.filemark) {
      end_run(&totals);
      printf("  filemark\n");
      totals.filemarks++;
      continue;
    }
    if (answer.status == 2 && answer.key == SCSI_SENSE_BLANK_CHECK) {
      end_run(&totals);
      printf("  end of data\n");
      break;
    }
    int64_t length = record_length(&answer, longest);
    /* A target that never moves on must not keep us reading for ever. */
    if (length < 0 || (length == 0 && ++empty > 2)) {
      show("READ(6)", &answer);
      unexpected++;
      break;
    }
    if (length != totals.run_length) end_run(&totals);
    totals.run_length = length;
    totals.run_records++, totals.records++, totals.bytes += length;
    EVP_DigestUpdate(digest, bytes, length);
    if (file) fwrite(bytes, 1, length, file);
  }
  end_run(&totals);
  printf("tread: %llu bytes, %u records, %u filemarks, sha256 %s\n",
    (unsigned long long)totals.bytes, totals.records, totals.filemarks, digest_text(digest));
  if (file) fclose(file);
  free(bytes);
}

static void set_range(uint8_t *cdb, uint64_t lba, uint32_t blocks) {
  put64(cdb + 2, lba);
  put32(cdb + 10, blocks);
}

static void do_dread(struct words words) {
  uint64_t lba = number(words, 1), left = number(words, 2), total = 0;
  uint32_t block = number(words, 3), at_once = transfer_bytes / block;
  FILE *file = strcmp(argument(words, 4), "-") ? opened(words.word[4], "wb") : NULL;
  uint8_t *bytes = memory(transfer_bytes), cdb[16] = {0x88};
  EVP_MD_CTX *digest = digest_new();
  while (left) {
    uint32_t blocks = left < at_once ? left : at_once;
    set_range(cdb, lba, blocks);
    struct answer answer = run(cdb, 16, NULL, 0, bytes, blocks * block);
    if (answer.status && !check("READ(16)", option(words, "expect"), &answer)) break;
    EVP_DigestUpdate(digest, bytes, blocks * block);
    if (file) fwrite(bytes, 1, blocks * block, file);
    lba += blocks, left -= blocks, total += blocks * block;
  }
  printf("dread: %llu bytes, sha256 %s\n", (unsigned long long)total, digest_text(digest));
  if (file) fclose(file);
  free(bytes);
}

static void do_dwrite(struct words words) {
  uint64_t lba = number(words, 1);
  uint32_t size, at = 0, block = number(words, 3);
  uint8_t *bytes = from_file(argument(words, 2), &size), cdb[16] = {0x8a};
  while (at + block <= size) {
    uint32_t length = size - at < transfer_bytes ? (size - at) / block * block : transfer_bytes;
    set_range(cdb, lba, length / block);
    struct answer answer = run(cdb, 16, bytes + at, length, NULL, 0);
    if (answer.status && !check("WRITE(16)", option(words, "expect"), &answer)) break;
    at += length, lba += length / block;
  }
  EVP_MD_CTX *digest = digest_new();
  EVP_DigestUpdate(digest, bytes, at);
  printf("dwrite: %u bytes, sha256 %s\n", at, digest_text(digest));
  free(bytes);
}

static void do_xcopy(struct words words) {
  uint32_t length;
  uint8_t *list = bytes_of(argument(words, 1), &length), cdb[16] = {0x83};
  put32(cdb + 10, length);
  struct answer answer = run(cdb, 16, list, length, NULL, 0);
  check("EXTENDED COPY", option(words, "expect"), &answer);
  free(list);
}

static void do_rcr(struct words words) {
  uint8_t cdb[16] = {0x84, number(words, 1)};
  if (words.count > 2 && isdigit((unsigned char)words.word[2][0])) cdb[2] = number(words, 2);
  put32(cdb + 10, 512);
  plain(words, "RECEIVE COPY RESULTS", cdb, 16, 512);
}

static void managed(const char *name, int failed) {
  printf("%s: %s\n", name, failed ? iscsi_get_error(context) : "done");
  unexpected += failed != 0;
}
static void do_lunreset(struct words words) {
  managed(words.word[0], iscsi_task_mgmt_lun_reset_sync(context, lun));
}
static void do_warmreset(struct words words) {
  managed(words.word[0], iscsi_task_mgmt_target_warm_reset_sync(context));
}
static void do_coldreset(struct words words) {
  managed(words.word[0], iscsi_task_mgmt_target_cold_reset_sync(context));
}
static void do_sleep(struct words words) { usleep(1000 * number(words, 1)); }

static const struct {
  const char *name;
  void (*run)(struct words);
} verbs[] = {
  {"cdb", do_cdb}, {"tur", do_tur}, {"inq", do_inq}, {"vpd", do_vpd}, {"reqsense", do_reqsense},
  {"modesense", do_modesense}, {"readcap", do_readcap}, {"opcodes", do_opcodes},
  {"rewind", do_rewind}, {"load", do_load}, {"unload", do_unload}, {"readpos", do_readpos},
  {"wfm", do_wfm}, {"space", do_space}, {"modeblk", do_modeblk}, {"twrite", do_twrite},
  {"tread", do_tread}, {"dread", do_dread}, {"dwrite", do_dwrite}, {"xcopy", do_xcopy},
  {"rcr", do_rcr}, {"lunreset", do_lunreset}, {"warmreset", do_warmreset},
  {"coldreset", do_coldreset}, {"sleep", do_sleep},
};

static void step(struct words words) {
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
    if (strcmp(verbs[i].name, words.word[0])) continue;
    verbs[i].run(words);
    fflush(stdout);
    return;
  }
  die("unknown verb %s", words.word[0]);
}

int main(int count, char **words) {
  const char *name = "iqn.2026-11.org.ecopy.test:iscsi-cdb";
  int letter, header_digest = 0, no_immediate = 0, no_r2t = 0, clears = 1;
  while ((letter = getopt(count, words, "+HNRi:t:kqn")) != -1) switch (letter) {
    case 'H': header_digest = 1; break;
    case 'N': no_immediate = 1; break;
    case 'R': no_r2t = 1; break;
    case 'i': name = optarg; break;
    case 't': timeout_seconds = atoi(optarg); break;
    case 'k': keeps_going = 1; break;
    case 'q': quiet = 1; break;
    case 'n': clears = 0; break;
    default: return 2;
    }
  if (count - optind < 2) die("usage: iscsi-cdb [OPTION…] URL VERB ARGUMENT… [, VERB…]");
  context = iscsi_create_context(name);
  struct iscsi_url *url = context ? iscsi_parse_full_url(context, words[optind]) : NULL;
  if (!url) die("%s: %s", words[optind], iscsi_get_error(context));
  lun = url->lun;
  iscsi_set_targetname(context, url->target);
  iscsi_set_session_type(context, ISCSI_SESSION_NORMAL);
  iscsi_set_header_digest(
    context, header_digest ? ISCSI_HEADER_DIGEST_CRC32C : ISCSI_HEADER_DIGEST_NONE_CRC32C);
  if (no_immediate) iscsi_set_immediate_data(context, ISCSI_IMMEDIATE_DATA_NO);
  if (no_r2t) iscsi_set_initial_r2t(context, ISCSI_INITIAL_R2T_NO);
  iscsi_set_noautoreconnect(context, 1);
  iscsi_set_timeout(context, timeout_seconds);
  if (url->user[0]) iscsi_set_initiator_username_pwd(context, url->user, url->passwd);
  /* A full connect asks TEST UNIT READY until the first unit attention is gone. */
  if (clears ? iscsi_full_connect_sync(context, url->portal, lun)
             : iscsi_connect_sync(context, url->portal) || iscsi_login_sync(context))
    die("login: %s", iscsi_get_error(context));
  for (int first = optind + 1; first < count;) {
    struct words step_words = {words + first, 0};
    while (first < count && strcmp(words[first], ",")) first++, step_words.count++;
    if (step_words.count) step(step_words);
    first++;
  }
  iscsi_destroy_url(url);
  iscsi_logout_sync(context);
  iscsi_destroy_context(context);
  return unexpected ? 1 : 0;
}
