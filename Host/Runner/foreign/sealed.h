/*
 * sealed.h - files of a bundle, checked and copied to memory that nobody can change.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TANDEM_FOREIGN_SEALED_H
#define TANDEM_FOREIGN_SEALED_H

#include <stddef.h>
#include <stdint.h>

void sealed_sha256(const uint8_t *bytes, size_t length, uint8_t digest[32]);

/*
 * Copies a regular file of `folder` into a sealed memory file, when its bytes have the checksum `sha256:HEX`. The
 * descriptor, or -1 with the reason.
 */
int sealed_copy(int folder, const char *name, const char *checksum, char *reason, size_t capacity);

#endif
