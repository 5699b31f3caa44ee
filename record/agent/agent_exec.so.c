/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's variable: taken out of the environment before the program sees it, put back
 * for each program that is executed, so that it is recorded too. In the child of a vfork
 * this runs with the parent's memory: what is allocated here is kept by the thread and
 * used again.
 */
#include "record/agent/agent.h"

static const char variable[] = "LD_PRELOAD=";

struct room {
	char *at;
	size_t len;
};
static __thread struct room room __attribute__((tls_model("initial-exec")));

/* "OURS" or "OURS:THEIRS"; theirs may be empty. */
static bool is_ours(const char *value)
{
	size_t n = text_len(agent.path);

	return text_begins(value, agent.path) && (!value[n] || value[n] == ':');
}

void agent_environment(char **envp)
{
	char **to = envp;

	for (; envp && *envp; envp++) {
		char *value = *envp + sizeof(variable) - 1;
		size_t n = text_len(agent.path);

		*to++ = *envp;
		if (!text_begins(*envp, variable) || !is_ours(value))
			continue;
		if (!value[n]) /* the user has none */
			to--;
		else
			copy_bytes(value, value + n + 1, text_len(value + n + 1) + 1);
	}
	if (to)
		*to = NULL;
}

static char *make_room(size_t len)
{
	void *at;

	if (len <= room.len)
		return room.at;
	len = (len + 0xffff) & ~(size_t)0xffff;
	at = sys_mmap(NULL, len, SYS_READ | SYS_WRITE, SYS_PRIVATE | SYS_ANON, -1, 0);
	if (failed((long)at))
		return NULL;
	if (room.at)
		sys2(__NR_munmap, room.at, room.len);
	room.at = at;
	room.len = len;
	return at;
}

void agent_exec(uint64_t *env)
{
	char **envp = (char **)*env, **out, *text;
	const char *theirs = NULL;
	size_t n = 0, at, own = text_len(agent.path), len;

	if (!agent.plan->hooked_exec ||
	    sys3(__NR_faccessat, SYS_AT_FDCWD, agent.path, SYS_READ))
		return;
	for (at = ~(size_t)0; envp && envp[n]; n++)
		if (text_begins(envp[n], variable) && at == ~(size_t)0)
			theirs = envp[at = n] + sizeof(variable) - 1;
	if (theirs && is_ours(theirs))
		return;
	len = sizeof(variable) + own + 1 + (theirs ? text_len(theirs) : 0);
	out = (char **)make_room((n + 2) * sizeof(char *) + len);
	if (!out)
		return;
	text = (char *)(out + n + 2);
	copy_bytes(text, variable, sizeof(variable) - 1);
	copy_bytes(text + sizeof(variable) - 1, agent.path, own + 1);
	if (theirs) {
		text[sizeof(variable) - 1 + own] = ':';
		copy_bytes(text + sizeof(variable) + own, theirs, text_len(theirs) + 1);
	}
	if (n)
		copy_bytes(out, envp, n * sizeof(char *));
	if (theirs)
		out[at] = text;
	else
		out[n++] = text;
	out[n] = NULL;
	*env = (uint64_t)out;
}
