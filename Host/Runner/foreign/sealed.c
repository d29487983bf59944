/*
 * sealed.c - files of a bundle, checked and copied to memory that nobody can change.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES ((off_t)256 << 20)

/* ---- SHA-256 (FIPS 180-4, section 6.2) ---- */

static const uint32_t ROUNDS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t word, unsigned by) { return (word >> by) | (word << (32 - by)); }

static void compress(uint32_t state[8], const uint8_t block[64]) {
    uint32_t w[64];
    for (unsigned i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (unsigned i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t v[8];
    memcpy(v, state, sizeof v);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        uint32_t choose = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t t1 = v[7] + s1 + choose + ROUNDS[i] + w[i];
        uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + s0 + majority;
    }
    for (unsigned i = 0; i < 8; i++) state[i] += v[i];
}

void sealed_sha256(const uint8_t *bytes, size_t length, uint8_t digest[32]) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    size_t whole = length / 64 * 64;
    for (size_t at = 0; at < whole; at += 64) compress(state, bytes + at);
    uint8_t tail[128] = {0};
    size_t rest = length - whole;
    if (rest > 0) memcpy(tail, bytes + whole, rest);
    tail[rest] = 0x80;
    size_t end = rest < 56 ? 64 : 128;
    uint64_t bits = (uint64_t)length * 8;
    for (unsigned i = 0; i < 8; i++) tail[end - 1 - i] = (uint8_t)(bits >> (8 * i));
    for (size_t at = 0; at < end; at += 64) compress(state, tail + at);
    for (unsigned i = 0; i < 32; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

/* ---- Copies ---- */

static bool has_checksum(const uint8_t *bytes, size_t length, const char *checksum) {
    static const char DIGITS[] = "0123456789abcdef";
    uint8_t digest[32];
    if (checksum == NULL || strlen(checksum) != 71 || strncmp(checksum, "sha256:", 7) != 0) return false;
    sealed_sha256(bytes, length, digest);
    for (unsigned i = 0; i < 32; i++)
        if (checksum[7 + 2 * i] != DIGITS[digest[i] >> 4] || checksum[8 + 2 * i] != DIGITS[digest[i] & 15]) return false;
    return true;
}

static bool read_all(int file, uint8_t *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t count = read(file, bytes + done, length - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        done += (size_t)count;
    }
    return true;
}

static bool write_all(int file, const uint8_t *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t count = write(file, bytes + done, length - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        done += (size_t)count;
    }
    return true;
}

int sealed_copy(int folder, const char *name, const char *checksum, char *reason, size_t capacity) {
    struct stat status;
    uint8_t *bytes = NULL;
    int copy = -1;
    bool is_whole = false;
    int file = strchr(name, '/') == NULL ? openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < 0 ||
        status.st_size > MAX_FILE_BYTES) {
        snprintf(reason, capacity, "%s is no readable file of the bundle", name);
        if (file >= 0) close(file);
        return -1;
    }
    size_t length = (size_t)status.st_size;
    bytes = malloc(length > 0 ? length : 1);
    if (bytes == NULL || !read_all(file, bytes, length)) {
        snprintf(reason, capacity, "%s cannot be read", name);
    } else if (!has_checksum(bytes, length, checksum)) {
        snprintf(reason, capacity, "%s does not have the checksum that plugin.json names", name);
    } else {
        copy = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        is_whole = copy >= 0 && write_all(copy, bytes, length) &&
                   fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
        if (!is_whole) snprintf(reason, capacity, "%s cannot be copied to memory: %s", name, strerror(errno));
    }
    if (!is_whole && copy >= 0) {
        close(copy);
        copy = -1;
    }
    free(bytes);
    close(file);
    return copy;
}
