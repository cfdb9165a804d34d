/* SPDX-License-Identifier: MIT OR Unlicense
   http_task: requests that a worker answers. Who frees a task: the last of the request, which may be given up at any
   time, and the worker, whose message may still be on its way. Both let go on the loop's thread. */
#include "http/http_internal.h"

static void set_busy(task *t, bool busy)
{
    t->http->tasks_busy += (size_t)busy - (size_t)t->busy;
    t->busy = busy;
}

/* ---- the request's end ---- */

static void request_gone(void *p)
{
    task *t = *(task **)p;
    t->req = NULL;
    if (t->busy && t->http->jobs && jobs_cancel(t->http->jobs, &t->job)) set_busy(t, false);
    if (!t->busy) t->destroy(t);
}

void task_bind(task *t, http *h, h2o_req_t *req)
{
    t->http = h;
    t->req = req;
    task **link = h2o_mem_alloc_shared(&req->pool, sizeof *link, request_gone);
    *link = t;
}

/* ---- the worker's end ---- */

static void run_job(job *j, store *s)
{
    task *t = H2O_STRUCT_FROM_MEMBER(task, job, j);
    t->work(t, s);
}

bool task_run(task *t, task_turn turn)
{
    t->job.run = run_job;
    t->message = (h2o_multithread_message_t){{NULL}};
    http *h = t->http;
    bool room = turn == TASK_MORE || h->answer_bytes < HTTP_ANSWER_BYTES;
    set_busy(t, h->jobs && room && jobs_put(h->jobs, &t->job, turn == TASK_MORE));
    return t->busy;
}

bool task_write(task *t)
{
    t->job.run = run_job;
    t->message = (h2o_multithread_message_t){{NULL}};
    http *h = t->http;
    set_busy(t, h->desc.editor && writer_edit(h->desc.editor, &t->job, task_finished, h));
    return t->busy;
}

void task_finished(void *h, job *j)
{
    task *t = H2O_STRUCT_FROM_MEMBER(task, job, j);
    h2o_multithread_send_message(&((http *)h)->finished, &t->message);
}

void task_receive(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    (void)receiver;
    while (!h2o_linklist_is_empty(messages)) {
        task *t = H2O_STRUCT_FROM_MEMBER(task, message.link, messages->next);
        h2o_linklist_unlink(&t->message.link);
        set_busy(t, false);
        if (t->req)
            t->done(t);
        else
            t->destroy(t);
    }
}
