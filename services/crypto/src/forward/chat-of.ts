import { isRecord, parseJsonText } from '@kopeck/core/json';

/**
 * Whose updates must stay in their order: the chat's, else the user's, else all of one kind's. Looks
 * into whatever the update carries, so that kinds which are newer than this line have a place too.
 */
export function chatOf(body: Buffer): string {
  const update = parseJsonText(body);
  if (!isRecord(update)) return 'none';
  for (const [kind, content] of Object.entries(update)) {
    if (kind === 'update_id' || !isRecord(content)) continue;
    const message = isRecord(content['message']) ? content['message'] : content;
    return idOf(message['chat']) ?? idOf(content['from']) ?? idOf(content['user']) ?? kind;
  }
  return 'none';
}

function idOf(party: unknown): string | null {
  const id = isRecord(party) ? party['id'] : null;
  return typeof id === 'string' && /^-?\d{1,20}$/.test(id) ? id : null;
}
