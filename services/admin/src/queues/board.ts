import type { RequestHandler } from 'express';
import { Queue } from 'bullmq';
import { QUEUES } from '@kopeck/core/event';
import { INCIDENT_QUEUE } from '@kopeck/runtime/incidents';
import type { Log } from '@kopeck/runtime/log';
import { openRedis } from '@kopeck/runtime/redis';
import type { Closing } from '@kopeck/runtime/shutdown';
import { masked } from './masked.ts';

export const BOARD_PATH = '/admin/queues';

const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

export interface BoardOptions {
  /** A Redis user that may read all queues: admin's own may not. */
  readonly redisUrl: string;
  readonly prefix: string;
  /** Whether jobs may be removed and made again. */
  readonly isWritable: boolean;
  readonly log: Log;
  readonly closing: Closing;
}

/**
 * Bull Board over the queues of events and incidents, to be mounted at BOARD_PATH behind a key. It is
 * loaded when somebody looks for the first time: most admins never do, and it takes memory.
 */
export function queueBoard(options: BoardOptions): RequestHandler {
  let loading: Promise<RequestHandler> | null = null;
  return async (request, response, next) => {
    loading ??= load(options).catch((error: unknown) => {
      loading = null;
      throw error;
    });
    // The page asks a third party for fonts, which would tell it of the operator.
    response.set('Content-Security-Policy', POLICY);
    (await loading)(request, response, next);
  };
}

async function load(options: BoardOptions): Promise<RequestHandler> {
  const { redisUrl, prefix, isWritable, log, closing } = options;
  const { createBullBoard } = await import('@bull-board/api');
  const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
  const { ExpressAdapter } = await import('@bull-board/express');

  const redis = openRedis(redisUrl, log);
  closing.add('queue board', () => redis.disconnect());
  const queues = [...Object.keys(QUEUES), INCIDENT_QUEUE].map((name) => {
    // Nothing that is only looked at may change what the queue says about itself.
    const queue = new Queue(name, { connection: redis, prefix, skipMetasUpdate: true });
    queue.on('error', () => undefined);
    const adapter = new BullMQAdapter(queue, {
      readOnlyMode: !isWritable,
      allowRetries: isWritable,
    });
    adapter.setFormatter('data', masked);
    adapter.setFormatter('returnValue', masked);
    return adapter;
  });
  const server = new ExpressAdapter().setBasePath(BOARD_PATH);
  // The list of clients is not for this user's eyes.
  const uiConfig = { boardTitle: 'Kopeck', hideDocsLink: true, showWorkers: false };
  createBullBoard({ queues, serverAdapter: server, options: { uiConfig } });
  return server.getRouter() as RequestHandler;
}

/** A browser sends the key along by itself: only a page of ours may make it do something. */
export const fromOwnPage: RequestHandler = (request, response, next) => {
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  const site = request.get('sec-fetch-site') ?? 'none';
  if (isReading || site === 'same-origin' || site === 'none') return next();
  response.status(403).json({ error: 'foreign_page' });
};
