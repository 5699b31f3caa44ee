/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the unwinder may jump to: .eh_frame names for each function the language specific
 * data (LSB 5.0 core, 10.6; the augmentation "zPLR"), and there the table of call sites
 * names the landing pads (Itanium C++ ABI, exception handling tables).
 */
#include <stdlib.h>
#include <string.h>

#include "record/elf/elf_file.h"

enum { MAX_EH_FRAME = 256 << 20, MAX_CIE = 4096, MAX_LSDA = 1 << 20 };

/* DW_EH_PE_*: how a number is stored, and what it counts from. */
enum {
	PE_ABSPTR = 0x00,
	PE_ULEB = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SLEB = 0x09,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_FORM = 0x0f,
	PE_PCREL = 0x10,
	PE_FROM = 0x70,
	PE_OMIT = 0xff,
};

struct reader {
	const uint8_t *begin, *at, *end;
	uint64_t addr; /* of begin */
	bool bad;
};

static uint64_t take(struct reader *r, size_t size, bool is_signed)
{
	uint64_t v = 0;

	if ((size_t)(r->end - r->at) < size) {
		r->bad = true;
		r->at = r->end;
		return 0;
	}
	memcpy(&v, r->at, size);
	r->at += size;
	if (is_signed && size < 8 && v >> (8 * size - 1))
		v |= ~UINT64_C(0) << (8 * size);
	return v;
}

static uint64_t take_leb(struct reader *r, bool is_signed)
{
	uint64_t v = 0, byte;
	unsigned shift = 0;

	do {
		byte = take(r, 1, false);
		if (shift < 64)
			v |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !r->bad);
	if (is_signed && shift < 64 && byte & 0x40)
		v |= ~UINT64_C(0) << shift;
	return v;
}

static uint64_t take_encoded(struct reader *r, uint8_t encoding)
{
	static const uint8_t size[16] = {
		[PE_ABSPTR] = 8, [PE_UDATA2] = 2, [PE_UDATA4] = 4, [PE_UDATA8] = 8,
		[PE_SDATA2] = 2, [PE_SDATA4] = 4, [PE_SDATA8] = 8};
	uint64_t here = r->addr + (uint64_t)(r->at - r->begin), v;
	uint8_t form = encoding & PE_FORM;

	if (encoding == PE_OMIT)
		return 0;
	if (form == PE_ULEB || form == PE_SLEB)
		v = take_leb(r, form == PE_SLEB);
	else if (size[form])
		v = take(r, size[form], form >= PE_SLEB);
	else
		r->bad = true, v = 0;
	if ((encoding & PE_FROM) == PE_PCREL)
		v = v ? v + here : 0;
	else if (encoding & PE_FROM)
		r->bad = true;
	return v;
}

struct cie {
	uint64_t addr;
	uint8_t fde, lsda; /* encodings; PE_OMIT = none */
	bool augmented;
};

/* The part of a CIE behind its id. */
static void read_cie(struct reader *r, struct cie *c)
{
	const char *text;
	size_t len;

	c->fde = PE_ABSPTR;
	c->lsda = PE_OMIT;
	c->augmented = false;
	take(r, 1, false); /* version */
	text = (const char *)r->at;
	len = strnlen(text, (size_t)(r->end - r->at));
	r->at += len < (size_t)(r->end - r->at) ? len + 1 : len;
	take_leb(r, false);
	take_leb(r, true);
	take_leb(r, false);
	for (size_t i = 0; i < len && !r->bad; i++) {
		if (text[i] == 'z') {
			c->augmented = true;
			take_leb(r, false);
		} else if (text[i] == 'R') {
			c->fde = (uint8_t)take(r, 1, false);
		} else if (text[i] == 'L') {
			c->lsda = (uint8_t)take(r, 1, false);
		} else if (text[i] == 'P') {
			uint8_t how = (uint8_t)take(r, 1, false);

			take_encoded(r, how & (PE_FORM | PE_PCREL));
		} else if (text[i] != 'S' && text[i] != 'B') {
			r->bad = true;
		}
	}
}

/* One FDE behind its CIE's pointer: its function and the address of its LSDA. */
static void read_fde(struct reader *r, const struct cie *c, uint64_t *from,
		     uint64_t *lsda)
{
	*from = take_encoded(r, c->fde);
	*lsda = 0;
	take_encoded(r, c->fde & PE_FORM);
	if (!c->augmented)
		return;
	take_leb(r, false);
	if (c->lsda != PE_OMIT)
		*lsda = take_encoded(r, c->lsda);
}

/* All of .eh_frame, read; NULL = none. */
static uint8_t *eh_frame(struct elf_file *f, uint64_t *addr, size_t *size)
{
	Elf_Scn *scn = NULL;
	size_t names;
	GElf_Shdr h;
	uint8_t *buf;

	if (elf_getshdrstrndx(f->elf, &names))
		return NULL;
	while ((scn = elf_nextscn(f->elf, scn))) {
		const char *name = gelf_getshdr(scn, &h)
					   ? elf_strptr(f->elf, names, h.sh_name)
					   : NULL;

		if (!name || strcmp(name, ".eh_frame") || h.sh_size > MAX_EH_FRAME)
			continue;
		buf = malloc(h.sh_size + 1);
		*addr = h.sh_addr;
		*size = buf ? elf_file_bytes(f, h.sh_addr, buf, h.sh_size) : 0;
		if (buf && *size == h.sh_size)
			return buf;
		free(buf);
	}
	return NULL;
}

/* The address of a function's LSDA; 0 = it has none, or no FDE. */
static bool find_lsda(const uint8_t *frame, size_t size, uint64_t addr, uint64_t function,
		      uint64_t *lsda)
{
	struct reader all = {frame, frame, frame + size, addr, false};

	*lsda = 0;
	while (all.at < all.end) {
		const uint8_t *head = all.at;
		uint64_t len = take(&all, 4, false), from = 0, found = 0;
		struct reader one, cie;
		struct cie c;
		const uint8_t *id;

		if (!len)
			return true;
		if (all.bad || len == 0xffffffff || len > (size_t)(all.end - all.at) ||
		    len < 4)
			return false;
		one = (struct reader){frame, all.at, all.at + len, addr, false};
		all.at += len;
		id = one.at;
		len = take(&one, 4, false);
		if (!len) /* a CIE */
			continue;
		if (len > (size_t)(id - frame) || id - len >= head)
			return false;
		cie = (struct reader){frame, id - len + 8, frame + size, addr, false};
		read_cie(&cie, &c);
		if (cie.bad)
			return false;
		read_fde(&one, &c, &from, &found);
		if (from != function)
			continue;
		*lsda = found;
		return !one.bad;
	}
	return true;
}

static bool add_pad(uint64_t **pad, size_t *n, uint64_t addr)
{
	uint64_t *grown = reallocarray(*pad, *n + 1, sizeof(*grown));

	if (!grown)
		return false;
	*pad = grown;
	grown[(*n)++] = addr;
	return true;
}

static bool read_lsda(struct reader *r, uint64_t function, uint64_t **pad, size_t *n)
{
	uint64_t base = function, len, lp;
	const uint8_t *end;
	uint8_t how = (uint8_t)take(r, 1, false);

	if (how != PE_OMIT)
		base = take_encoded(r, how);
	if ((uint8_t)take(r, 1, false) != PE_OMIT)
		take_leb(r, false);
	how = (uint8_t)take(r, 1, false);
	len = take_leb(r, false);
	if (r->bad || len > (size_t)(r->end - r->at))
		return false;
	end = r->at + len;
	while (r->at < end && !r->bad) {
		take_encoded(r, how);
		take_encoded(r, how);
		lp = take_encoded(r, how);
		take_leb(r, false);
		if (lp && !add_pad(pad, n, base + lp))
			return false;
	}
	return !r->bad;
}

bool elf_landing_pads(struct elf_file *f, uint64_t function, uint64_t **pad, size_t *n)
{
	uint64_t addr, lsda;
	size_t size;
	uint8_t *frame = eh_frame(f, &addr, &size), *buf;
	bool good;
	struct reader r;

	if (!frame)
		return true; /* nothing unwinds through it */
	good = find_lsda(frame, size, addr, function, &lsda);
	free(frame);
	if (!good || !lsda)
		return good;
	buf = malloc(MAX_LSDA);
	if (!buf)
		return false;
	r = (struct reader){buf, buf, buf, lsda, false};
	r.end += elf_file_bytes(f, lsda, buf, MAX_LSDA);
	good = read_lsda(&r, function, pad, n);
	free(buf);
	return good;
}
