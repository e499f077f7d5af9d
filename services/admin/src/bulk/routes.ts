import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response, Router } from 'express';
import Joi from 'joi';
import { jsonBody } from '@kopeck/runtime/body';
import { HttpError, methods } from '@kopeck/runtime/http-app';
import type { Log } from '@kopeck/runtime/log';
import type { Pool } from 'mysql2/promise';
import type { Panels } from '../panels/port.ts';
import { countActive, createJob, type NewJob } from './create-job.ts';
import { pacesOf, type Lanes } from './lanes.ts';
import { progressOf, type Progress } from './progress.ts';
import { LANGUAGES, reportsOf, reportText, type Language } from './report.ts';
import { cancelJob, finishIfDone } from './store.ts';
import { streamProgress } from './stream.ts';

export interface BulkDeps {
  readonly pool: Pool;
  readonly lanes: Lanes;
  readonly panels: Panels;
  readonly now: () => Date;
  readonly log: Log;
}

export interface BulkRoutesDeps extends BulkDeps {
  /** How long one stream of events is at most. */
  readonly streamMs: number;
}

const PATH = '/admin/update_configs';
const MOST_IDS = 10_000;

const requestSchema = Joi.object<{ scope: 'active' | string[]; dryRun: boolean }>({
  scope: Joi.alternatives(
    Joi.valid('active'),
    Joi.array()
      .items(Joi.string().pattern(/^[1-9]\d{0,18}$/))
      .min(1)
      .max(MOST_IDS)
      .unique(),
  ).default('active'),
  dryRun: Joi.boolean().default(false),
});

/** The refresh of many purchases: started, looked at, cancelled and repeated. */
export function addBulkRoutes(router: Router, guard: RequestHandler, deps: BulkRoutesDeps): void {
  const job = `${PATH}/jobs/:id`;
  router.all(PATH, methods({ POST: [guard, optionalBody, start(deps)] }));
  router.all(job, methods({ GET: [guard, show(deps)] }));
  router.all(`${job}/events`, methods({ GET: [guard, follow(deps)] }));
  router.all(`${job}/cancel`, methods({ POST: [guard, cancel(deps)] }));
  router.all(`${job}/retry-failed`, methods({ POST: [guard, retryFailed(deps)] }));
}

/** A POST without a body is one for all active purchases. */
const optionalBody: RequestHandler = (request, response, next) => {
  if (request.get('content-length') === undefined || request.get('content-length') === '0') {
    request.body = {};
    return next();
  }
  const [typed, read, parsed] = jsonBody({ limitBytes: 2 ** 18 });
  typed?.(request, response, (wrong?: unknown) => {
    if (wrong !== undefined) return next(wrong);
    read?.(request, response, (bad?: unknown) => {
      if (bad !== undefined) return next(bad);
      parsed?.(request, response, next);
    });
  });
};

function start(deps: BulkDeps): RequestHandler {
  const { pool, now } = deps;
  return async (request, response) => {
    const { value, error } = requestSchema.validate(request.body);
    if (error !== undefined)
      throw new HttpError(400, { error: 'malformed', field: error.details[0]?.path.join('.') });
    const { scope, dryRun } = value;
    if (dryRun) {
      const total = scope === 'active' ? await countActive(pool, now()) : scope.length;
      return void response.json({ dryRun, total });
    }
    const job = { id: randomUUID(), requestedBy: 'admin', scope, at: now() };
    await startJob(deps, job);
    accepted(response, job.id);
  };
}

/** Kept in the database before the answer; into the queues behind it, since Redis may be away. */
export async function startJob(deps: BulkDeps, job: Omit<NewJob, 'paces'>): Promise<void> {
  const { pool, lanes, panels, log } = deps;
  const total = await createJob(pool, { ...job, paces: pacesOf(panels) });
  log.info('bulk refresh started', { job: job.id, total, by: job.requestedBy });
  lanes
    .enqueue(job.id)
    .catch((error: unknown) => log.warn('a bulk waits for its queue', { error }));
}

function accepted(response: Response, jobId: string): void {
  const url = `${PATH}/jobs/${jobId}`;
  response
    .status(202)
    .set('Location', url)
    .json({ jobId, status: url, events: `${url}/events` });
}

function show({ pool, now }: BulkDeps): RequestHandler {
  return async (request, response) => {
    const progress = await known(pool, idOf(request), now());
    response.set('Cache-Control', 'no-store');
    if (request.accepts(['json', 'text/plain']) === 'text/plain') {
      response.type('text/plain').send(reportText(progress, languageOf(request.query['lang'])));
    } else {
      const report = progress.state === 'running' ? null : reportsOf(progress);
      response.json({ ...progress, report });
    }
  };
}

function follow({ pool, now, log, streamMs }: BulkRoutesDeps): RequestHandler {
  return async (request, response) => {
    await known(pool, idOf(request), now());
    const look = (): Promise<Progress> => known(pool, idOf(request), now());
    await streamProgress(response, look, { log, streamMs });
  };
}

function cancel({ pool, now }: BulkDeps): RequestHandler {
  return async (request, response) => {
    const id = idOf(request);
    await known(pool, id, now());
    const isCancelled = await cancelJob(pool, id, now());
    response.status(isCancelled ? 200 : 409).json({ jobId: id, cancelled: isCancelled });
  };
}

function retryFailed(deps: BulkDeps): RequestHandler {
  return async (request, response) => {
    const retryOf = idOf(request);
    const { state } = await known(deps.pool, retryOf, deps.now());
    if (state === 'running')
      throw new HttpError(409, { error: 'job_running' }, { 'Retry-After': '5' });
    const job = { id: randomUUID(), requestedBy: 'admin', scope: { retryOf }, at: deps.now() };
    await startJob(deps, job);
    accepted(response, job.id);
  };
}

function idOf({ params }: Request): string {
  return String(params['id']);
}

/** The rows are the authority: a look ends what has nothing left to do, whatever a queue has forgotten. */
async function known(pool: Pool, id: string, now: Date): Promise<Progress> {
  const progress = await progressOf(pool, id, now);
  if (progress === null) throw new HttpError(404, { error: 'job_not_found' });
  if (progress.state !== 'running' || progress.done < progress.total) return progress;
  await finishIfDone(pool, id, now);
  return (await progressOf(pool, id, now)) ?? progress;
}

function languageOf(value: unknown): Language {
  return LANGUAGES.find((language) => language === value) ?? 'ru';
}
