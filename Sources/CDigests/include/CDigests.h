#pragma once
#include <features.h>
#include <stddef.h>
#include <stdint.h>

/// CRC32C (Castagnoli) of `length` bytes, continued from `seed`; start with 0.
uint32_t cd_crc32c(uint32_t seed, const void *bytes, size_t length);

/// An SHA-256 computation in progress, or NULL where memory ran out.
void *cd_sha256_new(void);
void cd_sha256_update(void *state, const void *bytes, size_t length);
/// Writes 32 bytes to `digest`; `state` may only be freed afterwards.
void cd_sha256_final(void *state, uint8_t *digest);
void cd_sha256_free(void *state);

/// Digest of `length` bytes by the algorithm that libcrypto calls `name`; `digest` has room for
/// `room` bytes. Returns its length, or 0 where libcrypto does not offer it.
size_t cd_digest(const char *name, const void *bytes, size_t length, uint8_t *digest, size_t room);

/// Fills `bytes` from the kernel's secure generator. Returns 0 on success.
int cd_random(void *bytes, size_t length);
