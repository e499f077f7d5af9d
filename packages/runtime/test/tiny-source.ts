import type { KopeckEvent } from '@kopeck/core/event';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { accept, parsed, reject, senseless, type Source } from '@kopeck/core/source';
import { affiliateEvent } from '@kopeck/testing/build-event';

export const KEY = 'the-right-key-of-the-right-partner';

/** A source as small as it can be: the header `key` proves the sender, `{"id":…}` is an event. */
export function tinySource(proves: 'head' | 'body', steps: string[] = []): Source<'proof', string> {
  return {
    name: 'epn',
    proves,
    evidenceHeaders: [],
    verify({ header, body }) {
      steps.push(`verify ${body.length}`);
      const key = header('key');
      if (key === undefined) return reject('malformed');
      if (key === 'none') return reject('unconfigured');
      if (key === 'hidden') return reject('hidden');
      return key === KEY ? accept('proof') : reject('forged');
    },
    parse({ body, query }) {
      steps.push(`parse ${body.length}`);
      const record =
        query === '' ? parseJsonText(body) : Object.fromEntries(new URLSearchParams(query));
      const id = isRecord(record) ? textAt(record, 'id') : null;
      return id === null ? senseless('no_id') : parsed(id);
    },
    normalise(id, _proof, { receivedAt }) {
      if (id === 'ping') return { kind: 'ignored', reason: 'ping' };
      if (id === 'macro') return senseless('macro', { error: 'macro was not replaced' });
      if (id === 'ask') return { kind: 'question', question: 'never' as never };
      return { kind: 'event', event: tinyEvent(id, receivedAt) };
    },
  };
}

export function tinyEvent(id: string, receivedAt = new Date('2026-10-05T12:00:00Z')): KopeckEvent {
  return affiliateEvent('waiting', { actionId: id, receivedAt });
}
