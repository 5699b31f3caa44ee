/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/kernel_events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/file/meta.h"
#include "record/btf_member.h"
#include "record/elf/symbols.h"
#include "record/host/rootfs.h"
#include "record/plan.h"
#include "record/probes.h"

/* ---- a function of the kernel ---- */

/* "ffffffffc0a31000 t transfer_ended\t[edudma]": the name and the module, cut out in place;
 * NULL = no code. */
static char *symbol_of(char *line, char **module)
{
	char *save = NULL;
	char *type, *name;

	strtok_r(line, " ", &save);
	type = strtok_r(NULL, " ", &save);
	name = strtok_r(NULL, " \t\n", &save);
	*module = strtok_r(NULL, " \t[]\n", &save);
	return type && name && strchr("tTwW", *type) ? name : NULL;
}

struct found {
	size_t n;
	char copy[128]; /* the compiler's, when it has a name of its own; "" = none */
	char more[128]; /* the module of the second one */
};

static void see(struct found *f, const char *name, const char *module, const char *want,
		const char *in)
{
	size_t len = strlen(want);

	if (*in && (!module || strcmp(module, in) != 0))
		return;
	if (!strcmp(name, want)) {
		f->n++;
		snprintf(f->more, sizeof(f->more), "%s", module ? module : "vmlinux");
	} else if (!strncmp(name, want, len) && name[len] == '.') {
		snprintf(f->copy, sizeof(f->copy), "%s", name);
	}
}

int kernel_find(FILE *kallsyms, const char *function, struct err *e)
{
	const char *colon = strchr(function, ':'), *want = colon ? colon + 1 : function;
	char in[64] = "", *line = NULL, *module;
	struct found f = {0};
	size_t room = 0;

	if (colon)
		snprintf(in, sizeof(in), "%.*s", (int)(colon - function), function);
	while (getline(&line, &room, kallsyms) > 0) {
		const char *name = symbol_of(line, &module);

		if (name)
			see(&f, name, module, want, in);
	}
	free(line);
	if (f.n == 1)
		return 0;
	if (f.n)
		return err_set(
			e, ERR_AMBIGUOUS,
			"%zu functions of this kernel are called '%s', the last in "
			"%s: say MODULE:%s",
			f.n, want, f.more, want);
	if (*f.copy)
		return err_set(
			e, ERR_NOTFOUND,
			"this kernel has no function '%s', but the compiler's '%s': "
			"name that one",
			want, f.copy);
	return err_set(
		e, ERR_NOTFOUND,
		"this kernel has no function '%s'%s%s: is the driver loaded, and the "
		"function not inlined?",
		want, *in ? " in module " : "", in);
}

/* types: loaded when the first member asks for them. */
static int put_member(const struct kernel_spec *k, const struct arg_spec *a,
		      const char *name, const char *where, struct btf_types *types,
		      FILE *out, struct err *e)
{
	const char *colon = strchr(k->name, ':'), *word = a->type;
	char module[64] = "", place[BTF_MEMBER_TEXT], type[8] = "";
	struct err why = {0};
	int rc = 0;

	if (colon)
		snprintf(module, sizeof(module), "%.*s", (int)(colon - k->name), k->name);
	if (!types->vmlinux)
		rc = btf_types_load(types, *module ? module : NULL, &why);
	if (!rc)
		rc = btf_member_place(btf_types_of(types), colon ? colon + 1 : k->name, a,
				      where, place, type, &why);
	if (!rc && !*word && !*(word = type))
		rc = err_set(&why, ERR_FORMAT, "it is no number of up to 8 bytes");
	if (rc)
		return err_set(e, rc, "%s = arg%d->%s: %s", name, a->index, a->text,
			       why.text);
	fprintf(out, " %s=%s:%s", name, place, word);
	return 0;
}

static int put_arg(const struct kernel_spec *k, const struct arg_spec *a,
		   const char *name, const char *arch, struct btf_types *types, FILE *out,
		   struct err *e)
{
	char buf[32];
	const char *where;

	if (a->kind == ARG_EXPR)
		fprintf(out, " %s=%s", name, a->text);
	if (a->kind != ARG_INDEX && a->kind != ARG_MEMBER)
		return 0;
	where = abi_argument(arch, a->index, buf);
	if (!where)
		return err_set(
			e, ERR_UNSUPPORTED,
			"argument %d of a function of the kernel cannot be read on %s",
			a->index, arch);
	if (a->kind == ARG_MEMBER)
		return put_member(k, a, name, where, types, out, e);
	if (a->has_deref)
		fprintf(out, " %s=%+" PRId64 "(%s)", name, a->deref, where);
	else
		fprintf(out, " %s=%s", name, where);
	fprintf(out, ":%s", *a->type ? a->type : "u64");
	return 0;
}

char *kernel_args(const struct kernel_spec *spec, const char *arch, struct err *e)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct btf_types types = {0};
	int rc = out ? 0 : err_nomem(e, "a recording");

	for (int f = 0; !rc && f < FIELD_N; f++)
		rc = put_arg(spec, &spec->arg[f], field_name((enum field)f), arch, &types,
			     out, e);
	btf_types_free(&types);
	if (out)
		fclose(out);
	if (!rc)
		return text;
	free(text);
	return NULL;
}

static int add_function(struct kernel_event *k, size_t i, struct probes *p, struct err *e)
{
	FILE *kallsyms = fopen("/proc/kallsyms", "re");
	int rc = kallsyms ? kernel_find(kallsyms, k->spec->name, e)
			  : err_errno(e, "/proc/kallsyms");
	const char *colon = strchr(k->spec->name, ':');
	char event[80], name[48], *args = NULL;
	struct utsname u;

	if (kallsyms)
		fclose(kallsyms);
	uname(&u);
	plan_event_name(colon ? colon + 1 : k->spec->name, name);
	snprintf(event, sizeof(event), "%s_kernel%zu", name, i);
	if (!rc && !(args = kernel_args(k->spec, u.machine, e)))
		rc = e && e->code ? e->code : ERR_NOMEM;
	if (!rc)
		rc = probes_add_kernel(p, event, k->spec->name, args, &k->id, e);
	free(args);
	if (!rc && asprintf(&k->path, "%s/%s", probes_group(p), event) < 0)
		rc = err_nomem(e, "a recording");
	return rc;
}

/* "\tfield:unsigned int nr_sector;\toffset:24;", "\tfield:char rwbs[10];" */
static bool has_field(const char *format, const char *place)
{
	size_t len = strcspn(place, ":");

	for (const char *at = format; (at = strstr(at, "\tfield:")); at++) {
		const char *end = at + strcspn(at, ";"), *name = end;

		name = memchr(at, '[', (size_t)(end - at)) && !strstr(at, "__data_loc")
			       ? memchr(at, '[', (size_t)(end - at))
			       : end;
		if ((size_t)(name - at) > len && !strncmp(name - len, place, len) &&
		    name[-(ptrdiff_t)len - 1] == ' ')
			return true;
	}
	return false;
}

static int check_fields(const struct kernel_event *k, struct err *e)
{
	char path[160], *format = NULL;
	const char *root = tracefs_find(e);
	int rc;

	snprintf(path, sizeof(path), "/events/%s/format", k->path);
	rc = root ? rootfs_read(root, path, 1 << 20, &format, NULL, e) : ERR_NOTFOUND;
	for (int f = 0; !rc && f < FIELD_N; f++)
		if (k->spec->place[f] && !has_field(format, k->spec->place[f]))
			rc = err_set(
				e, ERR_FORMAT,
				"the kernel's event '%s' has no field '%.*s'; those it "
				"has are in %s/events/%s/format",
				k->spec->name, (int)strcspn(k->spec->place[f], ":"),
				k->spec->place[f], root, k->path);
	free(format);
	return rc;
}

static int add_tracepoint(struct kernel_event *k, struct err *e)
{
	struct err why = {0};
	int rc;

	k->path = strdup(k->spec->name);
	if (!k->path)
		return err_nomem(e, "a recording");
	*strchr(k->path, ':') = '/';
	rc = tracepoint_id(k->path, &k->id, &why);
	return rc != ERR_NOTFOUND
		       ? rc ? err_set(e, rc, "%s", why.text) : check_fields(k, e)
		       : err_set(e, rc,
				 "this kernel has no event '%s', or its module is not "
				 "loaded",
				 k->spec->name);
}

/* An optional one that is not there is left out. */
static int leave_out(struct kernel_events *k, const struct err *why, struct err *e)
{
	char *text;

	if (asprintf(&text, "%s%s%s", k->absent ? k->absent : "", k->absent ? "; " : "",
		     why->text) < 0)
		return err_nomem(e, "a recording");
	free(k->absent);
	k->absent = text;
	free(k->event[--k->n].path);
	return 0;
}

int kernel_events_add(struct kernel_events *k, const struct profile *prof,
		      struct probes *p, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < prof->nkernel; i++) {
		struct kernel_event *x = array_add(&k->event, &k->n);
		const struct kernel_spec *spec = &prof->kernel[i];
		struct err why = {0};

		if (!x)
			return err_nomem(e, "a recording");
		x->spec = spec;
		rc = spec->tracepoint ? add_tracepoint(x, &why)
				      : add_function(x, i, p, &why);
		if (rc == ERR_NOTFOUND && spec->optional)
			rc = leave_out(k, &why, e);
		else if (rc)
			rc = err_set(e, rc, "[%s %s] (%s:%d): %s",
				     spec->tracepoint ? "tracepoint" : "kernel",
				     spec->name, prof->path ? prof->path : prof->name,
				     spec->line, why.text);
	}
	return rc;
}

void kernel_events_release(struct kernel_events *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->event[i].path);
	free(k->event);
	free(k->absent);
	*k = (struct kernel_events){.n = 0};
}

/* ---- what is said of them ---- */

static int tell(const struct kernel_event *k, struct meta *m, struct err *e)
{
	const struct kernel_spec *spec = k->spec;
	struct meta_event *ev = meta_add_event(m);

	if (!ev)
		return err_nomem(e, "a recording");
	ev->attr = ev->id;
	ev->role = spec->role;
	ev->direction = spec->direction;
	ev->constant = spec->constant;
	ev->size_unit = spec->size_unit;
	ev->when = spec->when;
	ev->from_host = spec->from_host;
	ev->name = strdup(k->path);
	ev->function = strdup(spec->name);
	ev->armed = spec->tracepoint ? NULL : strdup("kernel");
	ev->places = spec->tracepoint ? kernel_places(spec) : NULL;
	if (!ev->name || !ev->function || (spec->tracepoint ? !ev->places : !ev->armed))
		return err_nomem(e, "a recording");
	*strchr(ev->name, '/') = ':';
	return 0;
}

int kernel_events_tell(const struct kernel_events *k, struct meta *m, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < k->n; i++)
		rc = tell(&k->event[i], m, e);
	return rc;
}

void kernel_events_print(const struct profile *prof, FILE *out)
{
	struct utsname u;

	uname(&u);
	for (size_t i = 0; i < prof->nkernel; i++) {
		const struct kernel_spec *k = &prof->kernel[i];
		struct err why = {0};
		char *fields = k->tracepoint ? kernel_places(k)
					     : kernel_args(k, u.machine, &why);

		fprintf(out, "%-10s %s\n  at       %s\n  fields   %s\n",
			role_name(k->role), k->name,
			k->tracepoint ? "an event of the kernel"
				      : "a function of the kernel",
			fields ? fields + strspn(fields, " ") : why.text);
		free(fields);
	}
}
