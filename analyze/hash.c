/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/hash.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "lib/file/perfdata.h"

static int add_file(EVP_MD_CTX *ctx, unsigned char *buf, size_t size, const char *path,
		    struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t got = 0;

	if (fd < 0)
		return err_errno(e, "%s", path);
	while ((got = read(fd, buf, size)) > 0)
		EVP_DigestUpdate(ctx, buf, (size_t)got);
	if (got < 0)
		rc = err_errno(e, "%s", path);
	close(fd);
	return rc;
}

/* As 64 hexadecimal digits. */
static int sha256(const struct perfdata *file, char out[65], struct err *e)
{
	static const char digit[] = "0123456789abcdef";
	enum { SIZE = 1 << 20 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *buf = malloc(SIZE), sum[EVP_MAX_MD_SIZE];
	int rc = 0;

	if (!ctx || !buf || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		rc = err_nomem(e, "the analysis");
	for (size_t i = 0; !rc && i < perfdata_nparts(file); i++)
		rc = add_file(ctx, buf, SIZE, perfdata_part_path(file, i), e);
	if (!rc)
		EVP_DigestFinal_ex(ctx, sum, NULL);
	for (int i = 0; i < 32 && !rc; i++) {
		out[2 * i] = digit[sum[i] >> 4];
		out[2 * i + 1] = digit[sum[i] & 15];
	}
	out[64] = '\0';
	EVP_MD_CTX_free(ctx);
	free(buf);
	return rc;
}

static void *hash(void *arg)
{
	struct hashing *h = arg;

	h->rc = sha256(h->file, h->sha, &h->err);
	return NULL;
}

void hashing_start(struct hashing *h, const struct perfdata *file)
{
	*h = (struct hashing){.file = file};
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
