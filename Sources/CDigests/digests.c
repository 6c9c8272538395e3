#include "CDigests.h"

#include <isa-l/crc.h>
#include <openssl/evp.h>

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
