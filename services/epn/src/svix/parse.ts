import { isRecord, parseJsonText } from '@kopeck/core/json';
import { parsed, senseless, type Delivery, type Parsed } from '@kopeck/core/source';
import type { Network } from '../network.ts';
import { wrappedParameters } from '../parameters.ts';
import { parsePostback, type Postback } from '../postback.ts';

/**
 * `{"type": …, "data": …}`, where data is the network's postback: its query as text (also under
 * `query`), or its parameters as an object. A message without any of them is a test of the connection.
 */
export function parse({ body }: Delivery, network: Network): Parsed<Postback> {
  const message = parseJsonText(body);
  if (!isRecord(message)) return senseless('malformed_body');
  const { data } = message;
  const read = wrappedParameters(isRecord(data) && 'query' in data ? data['query'] : data);
  if (read === null) return senseless('malformed_body');
  if (!isPostback([...read.values.keys()], network)) {
    return parsed({ values: new Map(), repeated: [] });
  }
  return parsePostback(read, network);
}

function isPostback(names: readonly string[], { parameters }: Network): boolean {
  const { click_id: click = 'click_id', order_number: order = 'order_number' } = parameters ?? {};
  const { uniq_id: action = 'uniq_id', order_status: status = 'order_status' } = parameters ?? {};
  return names.some((name) => [click, order, action, status].includes(name));
}
