/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/hash.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

/* As 64 hexadecimal digits. */
static int file_sha256(const char *path, char out[65], struct err *e)
{
	static const char digit[] = "0123456789abcdef";
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *buf = malloc(1 << 20), sum[EVP_MAX_MD_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t got = 0;

	if (fd < 0)
		rc = err_errno(e, "%s", path);
	else if (!ctx || !buf || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		rc = err_nomem(e, "the analysis");
	while (!rc && (got = read(fd, buf, 1 << 20)) > 0)
		EVP_DigestUpdate(ctx, buf, (size_t)got);
	if (!rc && got < 0)
		rc = err_errno(e, "%s", path);
	if (!rc)
		EVP_DigestFinal_ex(ctx, sum, NULL);
	for (int i = 0; i < 32 && !rc; i++) {
		out[2 * i] = digit[sum[i] >> 4];
		out[2 * i + 1] = digit[sum[i] & 15];
	}
	out[64] = '\0';
	EVP_MD_CTX_free(ctx);
	free(buf);
	if (fd >= 0)
		close(fd);
	return rc;
}

static void *hash(void *arg)
{
	struct hashing *h = arg;

	h->rc = file_sha256(h->path, h->sha, &h->err);
	return NULL;
}

void hashing_start(struct hashing *h, const char *path)
{
	*h = (struct hashing){.path = path};
	h->started = !pthread_create(&h->thread, NULL, hash, h);
	if (!h->started)
		hash(h);
}

int hashing_end(struct hashing *h, struct err *e)
{
	if (h->started)
		pthread_join(h->thread, NULL);
	h->started = false;
	return h->rc ? err_set(e, h->err.code, "%s", h->err.text) : 0;
}
