/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ask.h: questions to QEMU that change nothing, asked of many guests at once.
 *
 * All questions of a caller are sent before the first answer is waited for, and all share one
 * deadline. A guest that lets it pass costs it once: until that guest has answered again nobody
 * waits for it, and its last known answers stand in. The domain's job is not needed. */
#pragma once

#include "domain/object.h"
#include "util/virjson.h"

typedef enum {
    QEMU_QUESTION_BALLOON = 0, /* query-balloon */
    QEMU_QUESTION_GUEST_STATS, /* guest-stats of the balloon device */
    QEMU_QUESTION_BLOCKS,      /* query-blockstats, by device */
    QEMU_QUESTION_NODES,       /* query-blockstats, by node */
    QEMU_QUESTION_IMAGES,      /* query-named-block-nodes */
    QEMU_QUESTION_IOTHREADS,   /* query-iothreads */
    QEMU_QUESTION_DIRTY_RATE,  /* query-dirty-rate */
    QEMU_QUESTION_LAST
} qemuQuestion;
#define QEMU_ASK(question) (1u << (question))

/* How long all guests together get. */
enum { QEMU_ASK_TIMEOUT_MS = 2000 };

typedef struct qemuAsk qemuAsk;

/* Sends the questions (QEMU_ASK bits) that this guest's QEMU and devices know. Lock held. */
qemuAsk *qemuAskNew(virDomainObj *obj, unsigned questions);
/* Waits for what is unanswered, not beyond deadline_us (g_get_monotonic_time). In a job; lock held,
 * given up. */
void qemuAskWait(qemuAsk *ask, gint64 deadline_us);
/* The answer, or the last one known; NULL if there never was one. Borrowed: to be read on any
 * thread, with the lock or without, but no reference is to be taken. After qemuAskWait. */
virJSON *qemuAskAnswer(const qemuAsk *ask, qemuQuestion question);
/* False if nothing is known of it because the guest does not answer. */
bool qemuAskCheck(const qemuAsk *ask, qemuQuestion question, GError **error);
/* Lock held. NULL is allowed. */
void qemuAskFree(qemuAsk *ask);

/* What a guest keeps between questions (qemuGuest.answers). Lock held. NULL is allowed. */
typedef struct qemuAnswers qemuAnswers;
void qemuAnswersFree(qemuAnswers *answers);
