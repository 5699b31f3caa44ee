/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/insert.h"

#include "lib/join/join.h"
#include "lib/key/key.h"

static int64_t known(int32_t v)
{
	return v < 0 ? DMA_UNKNOWN : v;
}

int transfer_insert_prepare(struct transfer_insert *x, struct db *db, int64_t run,
			    struct err *e)
{
	struct db_stmt *q;
	int rc = db_prepare_named(db, &q, "transfer_insert", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", run);
	*x = (struct transfer_insert){.q = q,
				      .id = db_param(q, ":id"),
				      .card = db_param(q, ":card"),
				      .channel = db_param(q, ":channel"),
				      .direction = db_param(q, ":direction"),
				      .size_bytes = db_param(q, ":size"),
				      .pid = db_param(q, ":pid"),
				      .tid = db_param(q, ":tid"),
				      .submit_ns = db_param(q, ":submit"),
				      .doorbell_ns = db_param(q, ":doorbell"),
				      .irq_ns = db_param(q, ":irq_time"),
				      .wait_ns = db_param(q, ":wait"),
				      .woken_ns = db_param(q, ":woken"),
				      .irq = db_param(q, ":irq"),
				      .irq_cpu = db_param(q, ":irq_cpu"),
				      .coalesced = db_param(q, ":coalesced"),
				      .irq_count = db_param(q, ":irq_count"),
				      .state = db_param(q, ":state"),
				      .reason = db_param(q, ":reason"),
				      .ended_ns = db_param(q, ":ended"),
				      .driver = db_param(q, ":driver"),
				      .phase = {[PHASE_API] = db_param(q, ":api"),
						[PHASE_DEVICE] = db_param(q, ":device"),
						[PHASE_NOTICE] = db_param(q, ":notice"),
						[PHASE_TOTAL] = db_param(q, ":total")}};
	return 0;
}

int transfer_insert(const struct transfer_insert *x, const struct transfer *t,
		    struct err *e)
{
	db_set_i64(x->id, t->id);
	db_set_i64(x->card, t->card);
	db_set_i64(x->channel, t->channel);
	db_set_static_text(x->direction, direction_name(t->direction));
	db_set_i64(x->size_bytes, t->size_bytes);
	db_set_i64(x->pid, known(t->pid));
	db_set_i64(x->tid, known(t->tid));
	db_set_i64(x->submit_ns, t->submit_ns);
	db_set_i64(x->doorbell_ns, t->doorbell_ns);
	db_set_i64(x->irq_ns, t->irq_ns);
	db_set_i64(x->wait_ns, t->wait_ns);
	db_set_i64(x->woken_ns, t->woken_ns);
	db_set_i64(x->irq, known(t->irq));
	db_set_i64(x->irq_cpu, known(t->irq_cpu));
	db_set_i64(x->coalesced, t->coalesced ? t->coalesced : DMA_UNKNOWN);
	db_set_i64(x->irq_count, t->irq_count ? t->irq_count : DMA_UNKNOWN);
	db_set_static_text(x->state, state_name(t->state));
	db_set_static_text(x->reason, t->reason);
	db_set_i64(x->ended_ns, transfer_is_keyed(t) ? t->ended_ns : DMA_UNKNOWN);
	db_set_static_text(x->driver, t->key ? key_word_name(t->key) : NULL);
	for (int p = 0; p < PHASE_N; p++)
		db_set_i64(x->phase[p], transfer_phase_ns(t, (enum phase)p));
	return db_run(x->q, e);
}

int stray_insert_prepare(struct stray_insert *x, struct db *db, int64_t run,
			 struct err *e)
{
	struct db_stmt *q;
	int rc = db_prepare_named(db, &q, "stray_insert", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", run);
	*x = (struct stray_insert){.q = q,
				   .kind = db_param(q, ":kind"),
				   .time_ns = db_param(q, ":time"),
				   .card = db_param(q, ":card"),
				   .channel = db_param(q, ":channel"),
				   .irq = db_param(q, ":irq"),
				   .cpu = db_param(q, ":cpu"),
				   .tid = db_param(q, ":tid"),
				   .reason = db_param(q, ":reason")};
	return 0;
}

int stray_insert(const struct stray_insert *p, const struct stray *x, struct err *e)
{
	db_set_static_text(p->kind, stray_kind_name(x->kind));
	db_set_i64(p->time_ns, x->time_ns);
	db_set_i64(p->card, x->card);
	db_set_i64(p->channel, x->channel);
	db_set_i64(p->irq, known(x->irq));
	db_set_i64(p->cpu, known(x->cpu));
	db_set_i64(p->tid, known(x->tid));
	db_set_static_text(p->reason, x->reason ? x->reason : "?");
	return db_run(p->q, e);
}
