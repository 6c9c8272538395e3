#include "CDigests.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

uint32_t cd_crc32c(uint32_t seed, const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  uint32_t crc = ~seed;
  while (length > 0) {
    const int part = length > (1u << 30) ? (1 << 30) : (int)length;
    crc = crc32_iscsi((unsigned char *)at, part, crc);
    at += part;
    length -= (size_t)part;
  }
  return ~crc;
}

void *cd_sha256_new(void) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
    EVP_MD_CTX_free(context);
    return NULL;
  }
  return context;
}

void cd_sha256_update(void *state, const void *bytes, size_t length) {
  EVP_DigestUpdate(state, bytes, length);
}

void cd_sha256_final(void *state, uint8_t *digest) {
  EVP_DigestFinal_ex(state, digest, NULL);
}

void cd_sha256_free(void *state) { EVP_MD_CTX_free(state); }

size_t cd_digest(const char *name, const void *bytes, size_t length, uint8_t *digest, size_t room) {
  unsigned char whole[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_MD *kind = EVP_MD_fetch(NULL, name, NULL);
  if (!kind) return 0;
  const int done = EVP_Digest(bytes, length, whole, &size, kind, NULL);
  EVP_MD_free(kind);
  if (done != 1 || size > room) return 0;
  memcpy(digest, whole, size);
  return size;
}

int cd_random(void *bytes, size_t length) {
  uint8_t *at = bytes;
  while (length > 0) {
    const ssize_t count = getrandom(at, length, 0);
    if (count < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    at += count;
    length -= (size_t)count;
  }
  return 0;
}
