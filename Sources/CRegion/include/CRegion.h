#pragma once
// The byte layout of the region: the memory that every processor of every controller sees. Swift
// promises no layout, so it is stated here and held by the assertions below.
//
// A region is: header, processors, jobs (each with its search notes), devices, one link per chunk,
// chunks. How many there are of each stands in the header; whoever maps a region reads the numbers
// once, checks them, and never looks at them again.
#include <features.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CR_VERSION = 1,
  CR_PROCESSORS_MAX = 64,
  CR_SENSE_MAX = 252,
  CR_DIGEST_MAX = 32,
  CR_IDENTITY_MAX = 64,
  CR_MUTEX_BYTES = 64,
};
_Static_assert(sizeof(pthread_mutex_t) <= CR_MUTEX_BYTES, "a mutex has room");

/// "ecopyrg1"
static const uint64_t cr_magic = 0x31677279706f6365ULL;
/// No processor, no chunk.
static const uint32_t cr_none = 0xFFFFFFFFU;

/// What a region is, and the state that belongs to no entry.
struct cr_header {
  uint64_t magic;
  uint32_t version;
  uint32_t header_bytes;
  uint64_t total_bytes;
  uint32_t processor_count;
  uint32_t job_count;
  uint32_t note_count;
  uint32_t device_count;
  uint32_t chunk_count;
  uint32_t chunk_bytes;
  /// The epoch given last; each joining processor gets the next one.
  uint64_t epoch_last;
  /// The place in the queue given last.
  uint64_t sequence_last;
  /// Head of the list of free chunks, CR_NONE at its end.
  uint32_t free_chunk;
  uint32_t free_chunk_count;
  /// Where the search for a free slot begins.
  uint32_t job_hint;
  uint32_t repair_count;
  /// Results nobody took, thrown away for want of room.
  uint64_t lost_result_count;
  uint8_t reserved[40];
  /// A mutex, whose size differs between machines.
  _Alignas(8) uint8_t mutex[CR_MUTEX_BYTES];
};

/// One processor: who it is, whether it lives, and the word that wakes it.
struct cr_processor {
  uint32_t state;
  uint32_t pid;
  uint64_t epoch;
  /// Monotonic nanoseconds.
  uint64_t heartbeat;
  uint32_t controller;
  /// The word its owner sleeps on.
  uint32_t wake;
  uint64_t polls;
  uint64_t attempts;
  uint8_t reserved[16];
  /// Held by the processor's thread as long as it lives.
  _Alignas(8) uint8_t life[CR_MUTEX_BYTES];
};

/// One job: the list, the bitmap table, exclusive control, progress and the result mailbox.
/// `note_count` search notes follow it.
struct cr_job {
  /// Written last by whatever changes it.
  uint32_t phase;
  uint32_t generation;
  uint64_t sequence;
  /// The processor of its target job.
  uint32_t receiver;
  /// The processor with exclusive control.
  uint32_t holder;
  uint64_t receiver_epoch;
  uint64_t holder_epoch;
  uint64_t candidates;
  uint64_t unavailable;
  uint64_t declined;
  uint32_t list_head;
  uint32_t data_head;
  uint64_t list_bytes;
  uint64_t data_bytes;
  uint32_t abort;
  uint32_t port;
  uint32_t segment;
  uint32_t border_known;
  uint64_t bytes_moved;
  uint64_t border;
  uint32_t outcome;
  uint32_t taken_count;
  uint32_t note_used;
  uint32_t status;
  uint64_t blocks;
  uint64_t position;
  uint64_t posted_time;
  uint8_t digest[CR_DIGEST_MAX];
  uint32_t digest_bytes;
  uint32_t sense_bytes;
  uint8_t sense[CR_SENSE_MAX];
  uint32_t position_known;
  uint8_t reserved[56];
};

/// Why a processor, or one of its ports, did not do a job.
struct cr_note {
  uint16_t processor;
  uint16_t port;
  uint32_t reason;
  uint64_t detail;
};

/// A device that one job at a time may hold.
struct cr_device {
  /// 0 where nobody holds it; written last.
  uint64_t holder_job;
  uint64_t holder_epoch;
  uint32_t identity_bytes;
  uint8_t reserved[4];
  uint8_t identity[CR_IDENTITY_MAX];
  uint8_t reserved2[40];
};

// Where each field lies, as numbers that Swift can read. A change here is a new version.
#define CR_FIELD(constant, type, field, offset) \
  enum { constant = offsetof(struct type, field) }; \
  _Static_assert(constant == offset, "the place of " #field " is part of the version")

CR_FIELD(CR_HEADER_MAGIC, cr_header, magic, 0);
CR_FIELD(CR_HEADER_VERSION, cr_header, version, 8);
CR_FIELD(CR_HEADER_HEADER_BYTES, cr_header, header_bytes, 12);
CR_FIELD(CR_HEADER_TOTAL_BYTES, cr_header, total_bytes, 16);
CR_FIELD(CR_HEADER_PROCESSOR_COUNT, cr_header, processor_count, 24);
CR_FIELD(CR_HEADER_JOB_COUNT, cr_header, job_count, 28);
CR_FIELD(CR_HEADER_NOTE_COUNT, cr_header, note_count, 32);
CR_FIELD(CR_HEADER_DEVICE_COUNT, cr_header, device_count, 36);
CR_FIELD(CR_HEADER_CHUNK_COUNT, cr_header, chunk_count, 40);
CR_FIELD(CR_HEADER_CHUNK_BYTES, cr_header, chunk_bytes, 44);
CR_FIELD(CR_HEADER_EPOCH_LAST, cr_header, epoch_last, 48);
CR_FIELD(CR_HEADER_SEQUENCE_LAST, cr_header, sequence_last, 56);
CR_FIELD(CR_HEADER_FREE_CHUNK, cr_header, free_chunk, 64);
CR_FIELD(CR_HEADER_FREE_CHUNK_COUNT, cr_header, free_chunk_count, 68);
CR_FIELD(CR_HEADER_JOB_HINT, cr_header, job_hint, 72);
CR_FIELD(CR_HEADER_REPAIR_COUNT, cr_header, repair_count, 76);
CR_FIELD(CR_HEADER_LOST_RESULT_COUNT, cr_header, lost_result_count, 80);
CR_FIELD(CR_HEADER_MUTEX, cr_header, mutex, 128);
enum { CR_HEADER_BYTES = sizeof(struct cr_header) };
_Static_assert(CR_HEADER_BYTES == 192, "the size of cr_header is part of the version");

CR_FIELD(CR_PROCESSOR_STATE, cr_processor, state, 0);
CR_FIELD(CR_PROCESSOR_PID, cr_processor, pid, 4);
CR_FIELD(CR_PROCESSOR_EPOCH, cr_processor, epoch, 8);
CR_FIELD(CR_PROCESSOR_HEARTBEAT, cr_processor, heartbeat, 16);
CR_FIELD(CR_PROCESSOR_CONTROLLER, cr_processor, controller, 24);
CR_FIELD(CR_PROCESSOR_WAKE, cr_processor, wake, 28);
CR_FIELD(CR_PROCESSOR_POLLS, cr_processor, polls, 32);
CR_FIELD(CR_PROCESSOR_ATTEMPTS, cr_processor, attempts, 40);
CR_FIELD(CR_PROCESSOR_LIFE, cr_processor, life, 64);
enum { CR_PROCESSOR_BYTES = sizeof(struct cr_processor) };
_Static_assert(CR_PROCESSOR_BYTES == 128, "the size of cr_processor is part of the version");

CR_FIELD(CR_JOB_PHASE, cr_job, phase, 0);
CR_FIELD(CR_JOB_GENERATION, cr_job, generation, 4);
CR_FIELD(CR_JOB_SEQUENCE, cr_job, sequence, 8);
CR_FIELD(CR_JOB_RECEIVER, cr_job, receiver, 16);
CR_FIELD(CR_JOB_HOLDER, cr_job, holder, 20);
CR_FIELD(CR_JOB_RECEIVER_EPOCH, cr_job, receiver_epoch, 24);
CR_FIELD(CR_JOB_HOLDER_EPOCH, cr_job, holder_epoch, 32);
CR_FIELD(CR_JOB_CANDIDATES, cr_job, candidates, 40);
CR_FIELD(CR_JOB_UNAVAILABLE, cr_job, unavailable, 48);
CR_FIELD(CR_JOB_DECLINED, cr_job, declined, 56);
CR_FIELD(CR_JOB_LIST_HEAD, cr_job, list_head, 64);
CR_FIELD(CR_JOB_DATA_HEAD, cr_job, data_head, 68);
CR_FIELD(CR_JOB_LIST_BYTES, cr_job, list_bytes, 72);
CR_FIELD(CR_JOB_DATA_BYTES, cr_job, data_bytes, 80);
CR_FIELD(CR_JOB_ABORT, cr_job, abort, 88);
CR_FIELD(CR_JOB_PORT, cr_job, port, 92);
CR_FIELD(CR_JOB_SEGMENT, cr_job, segment, 96);
CR_FIELD(CR_JOB_BORDER_KNOWN, cr_job, border_known, 100);
CR_FIELD(CR_JOB_BYTES_MOVED, cr_job, bytes_moved, 104);
CR_FIELD(CR_JOB_BORDER, cr_job, border, 112);
CR_FIELD(CR_JOB_OUTCOME, cr_job, outcome, 120);
CR_FIELD(CR_JOB_TAKEN_COUNT, cr_job, taken_count, 124);
CR_FIELD(CR_JOB_NOTE_USED, cr_job, note_used, 128);
CR_FIELD(CR_JOB_STATUS, cr_job, status, 132);
CR_FIELD(CR_JOB_BLOCKS, cr_job, blocks, 136);
CR_FIELD(CR_JOB_POSITION, cr_job, position, 144);
CR_FIELD(CR_JOB_POSTED_TIME, cr_job, posted_time, 152);
CR_FIELD(CR_JOB_DIGEST, cr_job, digest, 160);
CR_FIELD(CR_JOB_DIGEST_BYTES, cr_job, digest_bytes, 192);
CR_FIELD(CR_JOB_SENSE_BYTES, cr_job, sense_bytes, 196);
CR_FIELD(CR_JOB_SENSE, cr_job, sense, 200);
CR_FIELD(CR_JOB_POSITION_KNOWN, cr_job, position_known, 452);
enum { CR_JOB_BYTES = sizeof(struct cr_job) };
_Static_assert(CR_JOB_BYTES == 512, "the size of cr_job is part of the version");

CR_FIELD(CR_NOTE_PROCESSOR, cr_note, processor, 0);
CR_FIELD(CR_NOTE_PORT, cr_note, port, 2);
CR_FIELD(CR_NOTE_REASON, cr_note, reason, 4);
CR_FIELD(CR_NOTE_DETAIL, cr_note, detail, 8);
enum { CR_NOTE_BYTES = sizeof(struct cr_note) };
_Static_assert(CR_NOTE_BYTES == 16, "the size of cr_note is part of the version");

CR_FIELD(CR_DEVICE_HOLDER_JOB, cr_device, holder_job, 0);
CR_FIELD(CR_DEVICE_HOLDER_EPOCH, cr_device, holder_epoch, 8);
CR_FIELD(CR_DEVICE_IDENTITY_BYTES, cr_device, identity_bytes, 16);
CR_FIELD(CR_DEVICE_IDENTITY, cr_device, identity, 24);
enum { CR_DEVICE_BYTES = sizeof(struct cr_device) };
_Static_assert(CR_DEVICE_BYTES == 128, "the size of cr_device is part of the version");

// Each value is read and written once, whole, and in the order of the program: a peer that is killed
// leaves a beginning of its stores behind, and one that misbehaves cannot change a value between its
// check and its use.
static inline uint16_t cr_load16(const void *at) {
  return __atomic_load_n((const uint16_t *)at, __ATOMIC_ACQUIRE);
}
static inline uint32_t cr_load32(const void *at) {
  return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}
static inline uint64_t cr_load64(const void *at) {
  return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}
static inline void cr_store16(void *at, uint16_t value) {
  __atomic_store_n((uint16_t *)at, value, __ATOMIC_RELEASE);
}
static inline void cr_store32(void *at, uint32_t value) {
  __atomic_store_n((uint32_t *)at, value, __ATOMIC_RELEASE);
}
static inline void cr_store64(void *at, uint64_t value) {
  __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELEASE);
}

/// Makes a robust mutex that processes share; 0 or an errno.
int cr_mutex_make(void *at);
/// 0, EOWNERDEAD (taken; its last holder died), ETIMEDOUT, or what else is wrong with it.
int cr_mutex_lock(void *at, uint64_t timeout_nanoseconds);
/// 0 or EOWNERDEAD (taken), EBUSY, or what else is wrong with it.
int cr_mutex_try(void *at);
int cr_mutex_unlock(void *at);
/// After EOWNERDEAD, once what it guards is whole again.
int cr_mutex_consistent(void *at);

/// Sleeps until the word is no longer `seen`, somebody wakes it, or time is up.
void cr_futex_wait(const void *word, uint32_t seen, uint64_t timeout_nanoseconds);
/// Wakes whoever sleeps on the word.
void cr_futex_wake(const void *word);

/// CLOCK_MONOTONIC, which all processes of a machine share.
uint64_t cr_monotonic_nanoseconds(void);
