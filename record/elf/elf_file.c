/* SPDX-License-Identifier: GPL-2.0-only */
/* An ELF file: opening, functions, segments, the procedure linkage table. Which symbol
 * table counts is libdwfl's choice: .symtab of the file or of its debug file, else
 * .dynsym together with .gnu_debugdata. */
#include "record/elf/elf_file.h"

#include <errno.h>
#if __has_include(<libiberty/demangle.h>)
#include <libiberty/demangle.h>
#else /* where Red Hat's binutils-devel has it */
#include <demangle.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/debug_file.h"
#include "record/elf/elf_dynamic.h"

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = debug_file_find,
	.section_address = dwfl_offline_section_address,
};

/* ---- files that somebody cuts while they are read ---- */

static void guard(struct elf_file *f, int which, Elf *elf, int fd)
{
	size_t size = 0;
	const char *map = elf ? elf_rawfile(elf, &size) : NULL;

	if (map && size && !f->guard[which].map)
		mapguard_add(&f->guard[which], map, size, fd);
}

bool elf_file_guard_debug(struct elf_file *f)
{
	Dwarf_Addr bias;
	Dwarf *d = dwfl_module_getdwarf(f->module, &bias);
	Elf *elf = d ? dwarf_getelf(d) : NULL;
	const char *path = NULL;

	if (!d || (debug_file_is_shared(d) && !f->has_shared))
		return false;
	if (elf == dwfl_module_getelf(f->module, &bias) || f->guard[GUARD_DEBUG].map)
		return true;
	dwfl_module_info(f->module, NULL, NULL, NULL, NULL, NULL, NULL, &path);
	if (path)
		f->debug_fd = regular_open(path);
	guard(f, GUARD_DEBUG, elf, f->debug_fd);
	return true;
}

void elf_file_begin(struct elf_file *f)
{
	elf_care_begin(&f->care, f->fd);
}

void elf_file_end(struct elf_file *f)
{
	f->cut |= elf_care_end(&f->care);
}

int elf_file_whole(const struct elf_file *f, struct err *e)
{
	bool cut = f->cut;

	for (int i = 0; i < GUARDS; i++)
		cut |= mapguard_cut(&f->guard[i]);
	if (!cut)
		return 0;
	if (e)
		e->code = 0; /* what was found in the hole is no fault */
	return err_set(e, ERR_FORMAT,
		       "%s was cut while it was read; try again when it is whole",
		       f->path);
}

static int check_kind(struct elf_file *f, struct err *e)
{
	GElf_Ehdr h;

	if (elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &h))
		return err_set(e, ERR_FORMAT, "%s is not an ELF file", f->path);
	if (h.e_ident[EI_CLASS] != ELFCLASS64)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s is a 32-bit file; only 64-bit ones can be probed",
			       f->path);
	if (h.e_type != ET_EXEC && h.e_type != ET_DYN)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s is neither a program nor a shared library", f->path);
	f->machine = h.e_machine;
	return 0;
}

static int read_segments(struct elf_file *f, struct err *e)
{
	size_t n = 0;

	if (elf_getphdrnum(f->elf, &n) || n > 65535)
		return err_set(e, ERR_FORMAT, "%s: damaged program headers", f->path);
	f->segment = calloc(n + 1, sizeof(*f->segment));
	if (!f->segment)
		return err_nomem(e, "a program");
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;

		if (gelf_getphdr(f->elf, (int)i, &p) && p.p_type == PT_LOAD)
			f->segment[f->nsegment++] =
				(struct elf_segment){p.p_vaddr, p.p_filesz, p.p_offset,
						     (p.p_flags & PF_X) != 0};
	}
	return 0;
}

bool elf_file_offset(const struct elf_file *f, uint64_t addr, uint64_t *offset,
		     uint64_t *room)
{
	for (size_t i = 0; i < f->nsegment; i++) {
		const struct elf_segment *s = &f->segment[i];

		if (!s->exec || addr < s->addr || addr - s->addr >= s->size)
			continue;
		*offset = addr - s->addr + s->offset;
		if (room)
			*room = s->size - (addr - s->addr);
		return true;
	}
	return false;
}

bool elf_file_address(const struct elf_file *f, uint64_t offset, uint64_t *addr)
{
	for (size_t i = 0; i < f->nsegment; i++) {
		const struct elf_segment *s = &f->segment[i];

		if (!s->exec || offset < s->offset || offset - s->offset >= s->size)
			continue;
		*addr = offset - s->offset + s->addr;
		return true;
	}
	return false;
}

size_t elf_file_bytes(const struct elf_file *f, uint64_t addr, void *buf, size_t len)
{
	for (size_t i = 0; i < f->nsegment; i++) {
		const struct elf_segment *s = &f->segment[i];
		ssize_t got;

		if (addr < s->addr || addr - s->addr >= s->size)
			continue;
		if (len > s->size - (addr - s->addr))
			len = s->size - (addr - s->addr);
		got = pread(f->fd, buf, len, (off_t)(addr - s->addr + s->offset));
		return got > 0 ? (size_t)got : 0;
	}
	return 0;
}

/* ---- functions ---- */

static int by_address(const void *a, const void *b)
{
	const struct elf_function *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->size != y->size ? (x->size > y->size ? -1 : 1)
				  : strcmp(x->name, y->name);
}

static bool is_function(const GElf_Sym *sym)
{
	int type = GELF_ST_TYPE(sym->st_info);

	return sym->st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_GNU_IFUNC);
}

static int read_functions(struct elf_file *f, struct err *e)
{
	int n = dwfl_module_getsymtab(f->module);

	f->function = calloc((size_t)(n > 0 ? n : 0) + 1, sizeof(*f->function));
	if (!f->function)
		return err_nomem(e, "a program");
	for (int i = 1; i < n; i++) {
		struct elf_function *x = &f->function[f->nfunction];
		GElf_Addr addr;
		GElf_Sym sym;
		uint64_t offset;
		const char *name = dwfl_module_getsym_info(f->module, i, &sym, &addr,
							   NULL, NULL, NULL);

		if (!name || !*name || !is_function(&sym) ||
		    !elf_file_offset(f, addr - f->bias, &offset, NULL))
			continue;
		*x = (struct elf_function){
			.name = strndup(name,
					*name == '@' ? strlen(name) : strcspn(name, "@")),
			.addr = addr - f->bias,
			.size = sym.st_size,
			.ifunc = GELF_ST_TYPE(sym.st_info) == STT_GNU_IFUNC};
		if (!x->name)
			return err_nomem(e, "a program");
		f->nfunction++;
	}
	qsort(f->function, f->nfunction, sizeof(*f->function), by_address);
	return 0;
}

/* Index of the first function at or behind the address. */
static size_t lower_bound(const struct elf_file *f, uint64_t addr)
{
	size_t low = 0, high = f->nfunction;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->function[mid].addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct elf_function *elf_function_at(struct elf_file *f, uint64_t addr)
{
	size_t i = lower_bound(f, addr);

	return i < f->nfunction && f->function[i].addr == addr ? &f->function[i] : NULL;
}

struct elf_function *elf_function_over(struct elf_file *f, uint64_t addr)
{
	struct elf_function *at = elf_function_at(f, addr);

	if (at)
		return at;
	for (size_t i = lower_bound(f, addr), k = 0; i-- > 0 && k < 64; k++)
		if (addr - f->function[i].addr < f->function[i].size)
			return &f->function[i];
	return NULL;
}

struct elf_function *elf_function_named(struct elf_file *f, const char *name)
{
	for (size_t i = 0; i < f->nfunction; i++)
		if (!strcmp(f->function[i].name, name))
			return &f->function[i];
	return NULL;
}

uint64_t elf_function_next(const struct elf_file *f, uint64_t addr)
{
	size_t i = lower_bound(f, addr + 1);

	return i < f->nfunction ? f->function[i].addr : UINT64_MAX;
}

const char *elf_demangled(struct elf_function *s)
{
	if (!s->demangled && s->name[0] == '_' &&
	    (s->name[1] == 'Z' || s->name[1] == 'R'))
		s->demangled = rust_demangle(s->name, DMGL_NO_OPTS); /* old or new */
	if (!s->demangled && s->name[0] == '_' && s->name[1] == 'Z')
		s->demangled = cplus_demangle_v3(s->name, DMGL_PARAMS | DMGL_ANSI);
	if (!s->demangled)
		s->demangled = strdup(s->name);
	return s->demangled ? s->demangled : "";
}

/* ---- sections: soname, procedure linkage table ---- */

static void read_dynamic(struct elf_file *f, Elf_Scn *scn, const GElf_Shdr *h)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Dyn d;

	for (int i = 0; data && h->sh_entsize && gelf_getdyn(data, i, &d); i++) {
		const char *name = d.d_tag == DT_SONAME
					   ? elf_strptr(f->elf, h->sh_link, d.d_un.d_val)
					   : NULL;

		if (name && !f->soname)
			f->soname = strdup(name);
		f->textrel |= d.d_tag == DT_TEXTREL ||
			      (d.d_tag == DT_FLAGS && d.d_un.d_val & DF_TEXTREL);
		f->pie |= d.d_tag == DT_FLAGS_1 && d.d_un.d_val & DF_1_PIE;
	}
}

static int read_slots(struct elf_file *f, Elf_Scn *scn, const GElf_Shdr *h, struct err *e)
{
	Elf_Scn *symscn = elf_getscn(f->elf, h->sh_link);
	Elf_Data *data = elf_getdata(scn, NULL), *symdata;
	struct elf_slot *grown;
	GElf_Shdr symh;
	size_t n = h->sh_entsize ? h->sh_size / h->sh_entsize : 0;

	if (!data || !symscn || !gelf_getshdr(symscn, &symh) ||
	    !(symdata = elf_getdata(symscn, NULL)) || n > data->d_size)
		return 0;
	grown = reallocarray(f->slot, f->nslot + n + 1, sizeof(*grown));
	if (!grown)
		return err_nomem(e, "a program");
	f->slot = grown;
	for (size_t i = 0; i < n; i++) {
		GElf_Rela r;
		GElf_Sym sym;
		const char *name;

		if (!gelf_getrela(data, (int)i, &r) || !GELF_R_SYM(r.r_info) ||
		    !gelf_getsym(symdata, (int)GELF_R_SYM(r.r_info), &sym))
			continue;
		name = elf_strptr(f->elf, symh.sh_link, sym.st_name);
		if (!name || !*name)
			continue;
		grown[f->nslot].addr = r.r_offset;
		if (!(grown[f->nslot].name = strdup(name)))
			return err_nomem(e, "a program");
		f->nslot++;
	}
	return 0;
}

static int read_sections(struct elf_file *f, struct err *e)
{
	Elf_Scn *scn = NULL;
	size_t names = 0;
	int rc = 0;

	if (elf_getshdrstrndx(f->elf, &names))
		return 0; /* without section headers there is less to know */
	while (!rc && (scn = elf_nextscn(f->elf, scn))) {
		GElf_Shdr h;
		const char *name;

		if (!gelf_getshdr(scn, &h))
			continue;
		name = elf_strptr(f->elf, names, h.sh_name);
		if (h.sh_type == SHT_DYNAMIC)
			read_dynamic(f, scn, &h);
		if (h.sh_type == SHT_RELA && (h.sh_flags & SHF_ALLOC))
			rc = read_slots(f, scn, &h, e);
		if (name && (!strncmp(name, ".plt", 4) || !strncmp(name, ".iplt", 5)) &&
		    (h.sh_flags & SHF_EXECINSTR) && f->nplt < 8) {
			f->plt[f->nplt].addr = h.sh_addr;
			f->plt[f->nplt++].size = h.sh_size;
		}
	}
	return rc;
}

bool elf_in_plt(const struct elf_file *f, uint64_t addr)
{
	for (size_t i = 0; i < f->nplt; i++)
		if (addr >= f->plt[i].addr && addr - f->plt[i].addr < f->plt[i].size)
			return true;
	return false;
}

const char *elf_slot_name(const struct elf_file *f, uint64_t addr)
{
	for (size_t i = 0; i < f->nslot; i++)
		if (f->slot[i].addr == addr)
			return f->slot[i].name;
	return NULL;
}

/* ---- opening and closing ---- */

static int report(struct elf_file *f, struct err *e)
{
	int fd = dup(f->fd);
	void **userdata;

	f->dwfl = dwfl_begin(&callbacks);
	if (f->dwfl && fd >= 0)
		f->module = dwfl_report_offline(f->dwfl, f->path, f->path, fd);
	if (!f->module) {
		if (fd >= 0)
			close(fd);
		return err_set(e, ERR_FORMAT, "%s: %s", f->path, dwfl_errmsg(-1));
	}
	dwfl_report_end(f->dwfl, NULL, NULL);
	dwfl_module_info(f->module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = f;
	guard(f, GUARD_MODULE, dwfl_module_getelf(f->module, &f->bias), f->fd);
	if (!f->guard[GUARD_MODULE].map)
		return err_set(e, ERR_FORMAT, "%s: %s", f->path, dwfl_errmsg(-1));
	return 0;
}

static int read_file(struct elf_file *f, struct err *e)
{
	int rc = 0;

	f->elf = elf_begin(f->fd, ELF_C_READ_MMAP, NULL);
	if (!f->elf)
		return err_set(e, ERR_FORMAT, "%s: %s", f->path, elf_errmsg(-1));
	guard(f, GUARD_FILE, f->elf, f->fd);
	rc = check_kind(f, e);
	if (!rc)
		rc = read_segments(f, e);
	if (!rc)
		rc = report(f, e);
	if (!rc)
		rc = read_functions(f, e);
	return rc ? rc : read_sections(f, e);
}

int elf_file_open(struct elf_file **out, const char *path, struct err *e)
{
	struct elf_file *f = calloc(1, sizeof(*f));
	int rc = 0;

	*out = NULL;
	if (!f || !(f->path = strdup(path))) {
		free(f);
		return err_nomem(e, "a program");
	}
	f->debug_fd = -1;
	elf_version(EV_CURRENT);
	f->fd = regular_open(path);
	if (f->fd < 0 && errno == EINVAL)
		rc = err_set(e, ERR_FORMAT, "%s is not a regular file", path);
	else if (f->fd < 0)
		rc = err_errno(e, "%s", path);
	if (!rc) {
		elf_file_begin(f);
		rc = read_file(f, e);
		elf_file_end(f);
	}
	if (elf_file_whole(f, NULL))
		rc = elf_file_whole(f, e);
	if (rc) {
		elf_file_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

void elf_file_close(struct elf_file *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nfunction; i++) {
		free(f->function[i].name);
		free(f->function[i].demangled);
	}
	for (size_t i = 0; i < f->nslot; i++)
		free(f->slot[i].name);
	free(f->function);
	free(f->segment);
	free(f->slot);
	for (int i = 0; i < GUARDS; i++)
		if (f->guard[i].map)
			mapguard_remove(&f->guard[i]);
	if (f->dwfl)
		dwfl_end(f->dwfl);
	if (f->elf)
		elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	if (f->debug_fd >= 0)
		close(f->debug_fd);
	free(f->soname);
	free(f->path);
	free(f);
}

const char *elf_file_path(const struct elf_file *f)
{
	return f->path;
}

const char *elf_file_soname(const struct elf_file *f)
{
	return f->soname;
}

const char *elf_file_arch(const struct elf_file *f)
{
	return f->machine == EM_X86_64	  ? "x86_64"
	       : f->machine == EM_AARCH64 ? "aarch64"
					  : "unknown";
}

bool elf_file_has_symbols(const struct elf_file *f)
{
	return f->nfunction > 0;
}
